package present

import (
	"slices"
	"strconv"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// navigation is the rail, in order.
var navigation = []view.Nav{
	{Key: "overview", Label: "Overview", Icon: "overview", Href: "/", Hotkey: "o"},
	{Key: "troubleshoot", Label: "Troubleshoot", Icon: "lifebuoy", Href: "/troubleshoot", Hotkey: "t"},
	{Key: "services", Label: "Services", Icon: "services", Href: "/services", Hotkey: "s", Gap: true},
	{Key: "events", Label: "Events", Icon: "events", Href: "/events", Hotkey: "e"},
	{Key: "feeds", Label: "Feeds", Icon: "feeds", Href: "/feeds", Hotkey: "f"},
	{Key: "images", Label: "Images", Icon: "images", Href: "/images", Hotkey: "i"},
	{Key: "logs", Label: "Logs", Icon: "logs", Href: "/logs", Hotkey: "l"},
	{Key: "queue", Label: "Queue", Icon: "queue", Href: "/queue", Hotkey: "q"},
	{Key: "policies", Label: "Policies", Icon: "policies", Href: "/policies", Hotkey: "p", Gap: true},
	{Key: "registries", Label: "Registries", Icon: "registries", Href: "/registries", Hotkey: "r"},
	{Key: "subscriptions", Label: "Subscriptions", Icon: "bell", Href: "/subscriptions", Hotkey: "b"},
	{Key: "accounts", Label: "Accounts", Icon: "people", Href: "/accounts", Hotkey: "u"},
	{Key: "api", Label: "API", Icon: "api", Href: "/api", Hotkey: "a"},
}

// dock are the pages that stand in the bar of a phone: those of the way from
// "something is wrong" to its reason. Four fit, beside what opens the others.
var dock = []string{"overview", "troubleshoot", "events", "images", "services", "feeds"}

const dockSize = 4

// Navigation is the rail without what a user could not open.
func Navigation(may func(href string) bool) []view.Nav {
	list := make([]view.Nav, 0, len(navigation))
	for _, n := range navigation {
		if may(n.Href) {
			list = append(list, n)
		}
	}
	docked := 0
	for _, key := range dock {
		i := slices.IndexFunc(list, func(n view.Nav) bool { return n.Key == key })
		if i >= 0 && docked < dockSize {
			list[i].Docked = true
			docked++
		}
	}
	return list
}

// PreferenceChoices are the fields of the form in which a user says how the
// console is to look.
func PreferenceChoices(p engine.Preferences) []view.Preference {
	p = p.Or(engine.Preferences{Theme: "system", Zone: "utc", Rail: "labels", Density: "normal", PageSize: engine.OwnPageSize})
	option := func(value, now, text string) view.Option {
		return view.Option{Value: value, Text: text, Selected: value == now}
	}
	var sizes []view.Option
	for _, n := range engine.PageSizes {
		text := strconv.Itoa(n)
		if n == engine.OwnPageSize {
			text = "As each list does"
		}
		sizes = append(sizes, option(strconv.Itoa(n), strconv.Itoa(p.PageSize), text))
	}
	return []view.Preference{
		{Name: "theme", Label: "Theme", Options: []view.Option{option("system", p.Theme, "As the system has it"), option("light", p.Theme, "Light"), option("dark", p.Theme, "Dark")}},
		{Name: "zone", Label: "Times", Options: []view.Option{option("utc", p.Zone, "UTC"), option("local", p.Zone, "The browser's zone")}},
		{Name: "density", Label: "Rows", Options: []view.Option{option("normal", p.Density, "Normal"), option("compact", p.Density, "Compact")}},
		{Name: "page_size", Label: "Rows on a page", Options: sizes},
		{Name: "rail", Label: "Navigation", Options: []view.Option{option("labels", p.Rail, "Icons and names"), option("icons", p.Rail, "Icons alone")}},
	}
}
