package present

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// SearchHref is the address of the search over everything.
const SearchHref = "/search"

// SearchIn is what was found, source by source; a source that the user may not
// see was not asked.
type SearchIn struct {
	Query    string
	Who      engine.Identity
	Open     func(href string) bool // whether the user can open a page
	Images   []engine.Image
	Packages []string
	Vulns    []string
	Policies []engine.PolicyBundle
	Accounts []engine.Account
	Services []engine.Service
	Events   []engine.Event
	Faults   []string // sources that did not answer, and why
}

// How many rows a source may fill.
const (
	SearchRows  = 5
	searchPages = 6
)

// Scores of a match: the whole title, its beginning, words in it.
const (
	wholeMatch = 100
	firstMatch = 50
	sureMatch  = 10 // a word of the title begins so
	partMatch  = 4
	wordMatch  = 3 // only another word does
)

// Search shapes what was found, the surest first.
func Search(in SearchIn, c Clock) view.Search {
	v := view.Search{Query: in.Query, Faults: in.Faults}
	add := func(title, more string, rows []view.SearchRow) {
		if len(rows) > 0 {
			v.Groups = append(v.Groups, view.SearchGroup{ID: "found-" + strings.ToLower(title), Title: title, Rows: rows, More: more})
		}
	}
	q := url.QueryEscape(in.Query)
	places := [][]hit{searchPlaces(in, append(railPlaces(), pages...)), searchPlaces(in, actions)}
	titles := []string{"Pages", "Actions"}
	if best(places[1]) > best(places[0]) {
		slices.Reverse(places)
		slices.Reverse(titles)
	}
	// Places that fit by their second words alone stand behind what is named so.
	for n, hits := range places {
		if in.Query == "" || best(hits) >= sureMatch {
			add(titles[n], "", rowsOf(hits, len(hits), hit.row))
		}
	}
	add("Images", "/images?q="+q, rowsOf(in.Images, SearchRows, searchImage))
	add("Vulnerabilities", "", rowsOf(in.Vulns, SearchRows, func(id string) view.SearchRow {
		return view.SearchRow{Icon: "shield", Title: id, Sub: "images that it affects", Href: "/images?vuln=" + url.QueryEscape(id), Mono: true}
	}))
	add("Packages", "", rowsOf(in.Packages, SearchRows, func(name string) view.SearchRow {
		return view.SearchRow{Icon: "package", Title: name, Sub: "images that hold it", Href: "/images?package=" + url.QueryEscape(name), Mono: true}
	}))
	add("Policies", "", rowsOf(searchPolicies(in), SearchRows, func(b engine.PolicyBundle) view.SearchRow {
		r := view.SearchRow{Icon: "policies", Title: cmp.Or(b.Name, b.ID), Sub: "bundle", Href: PolicyHref(b.ID)}
		if b.Active {
			r.Sub = "the active bundle"
		}
		return r
	}))
	add("Accounts", "", rowsOf(in.Accounts, SearchRows, func(a engine.Account) view.SearchRow {
		return view.SearchRow{Icon: "people", Title: a.Name, Sub: "account, " + string(a.State), Href: AccountHref(a.Name)}
	}))
	add("Services", "", rowsOf(searchServices(in), SearchRows, func(s engine.Service) view.SearchRow {
		return view.SearchRow{Icon: "services", Title: s.Name + " on " + s.Host, Sub: string(s.State), Href: ServiceHref(s.Name, s.Host)}
	}))
	add("Events", "/events?text="+q, rowsOf(in.Events, SearchRows, func(e engine.Event) view.SearchRow { return searchEvent(e, c) }))
	for n, hits := range places {
		if in.Query != "" && best(hits) < sureMatch {
			add(titles[n], "", rowsOf(hits, len(hits), hit.row))
		}
	}
	n := 0
	for g := range v.Groups {
		for r := range v.Groups[g].Rows {
			v.Groups[g].Rows[r].ID = "found-" + Count(n)
			n++
		}
	}
	v.Count = "Nothing found"
	if n > 0 {
		v.Count = Plural(n, "result", "results")
	}
	return v
}

// rowsOf shapes the first few of a list.
func rowsOf[T any](list []T, most int, row func(T) view.SearchRow) []view.SearchRow {
	var rows []view.SearchRow
	for _, one := range list[:min(len(list), most)] {
		rows = append(rows, row(one))
	}
	return rows
}

func searchImage(i engine.Image) view.SearchRow {
	return view.SearchRow{Icon: "images", Title: imageName(i), Sub: imageState(i).Text + ", " + i.Digest.Short(), Href: ImageHref(i.Digest), Mono: true}
}

func searchEvent(e engine.Event, c Clock) view.SearchRow {
	title := e.Message
	if title == "" {
		title = e.Type
	}
	return view.SearchRow{Icon: "events", Title: clipText(title, 120), Sub: e.Service + " on " + e.Host, At: c.Ago(e.At), Href: "/events/" + url.PathEscape(e.ID)}
}

func searchPolicies(in SearchIn) []engine.PolicyBundle {
	return slices.DeleteFunc(slices.Clone(in.Policies), func(b engine.PolicyBundle) bool {
		return match(in.Query, b.Name, b.ID+" "+b.Description) == 0
	})
}

func searchServices(in SearchIn) []engine.Service {
	return slices.DeleteFunc(slices.Clone(in.Services), func(s engine.Service) bool {
		return match(in.Query, s.Name, s.Host) == 0
	})
}

func railPlaces() []place {
	list := make([]place, 0, len(navigation)+len(pages))
	for _, n := range navigation {
		list = append(list, place{title: n.Label, words: railWords[n.Key], icon: n.Icon, href: n.Href})
	}
	return list
}

// hit is a place that fits.
type hit struct {
	place
	score int
}

func (h hit) row() view.SearchRow {
	return view.SearchRow{Icon: h.icon, Title: h.title, Href: h.href, Post: h.post, Fields: h.fields}
}

// best is the score of the first, which is the highest.
func best(hits []hit) int {
	if len(hits) == 0 {
		return 0
	}
	return hits[0].score
}

// searchPlaces are the places that fit best; without a query all of them, in
// their order.
func searchPlaces(in SearchIn, list []place) []hit {
	var hits []hit
	for _, p := range list {
		if score := match(in.Query, p.title, p.words); score > 0 && p.may(in.Who, in.Open) {
			hits = append(hits, hit{p, score})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return b.score - a.score })
	if in.Query != "" {
		hits = hits[:min(len(hits), searchPages)]
	}
	return hits
}

// match is how well a query fits a title and other words, 0 for not at all:
// each word of the query must begin one of theirs.
func match(query, title, words string) int {
	query, title = strings.ToLower(strings.TrimSpace(query)), strings.ToLower(title)
	switch {
	case query == "":
		return 1
	case title == query:
		return wholeMatch
	case strings.HasPrefix(title, query):
		return firstMatch
	}
	score := 0
	in, other := fold(title), fold(strings.ToLower(words))
	for _, w := range fold(query) {
		begins := func(s string) bool { return strings.HasPrefix(s, w) }
		switch {
		case slices.ContainsFunc(in, begins):
			score += sureMatch
		case len(w) > 2 && strings.Contains(title, w):
			score += partMatch
		case slices.ContainsFunc(other, begins):
			score += wordMatch
		default:
			return 0
		}
	}
	return score
}

// fold cuts a text into words.
func fold(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(" ,.…'/:_-", r) })
}
