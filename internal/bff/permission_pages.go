package bff

import (
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/engine"
)

// pageAction is what a user must be allowed to look at the pages below a path.
type pageAction struct {
	Path   string
	Action string // empty: everybody who is signed in
	All    bool   // it concerns all accounts
}

// pageActions is the table of all pages: the longest path that fits counts. A
// test holds it against the routes.
var pageActions = []pageAction{
	{Path: "/"}, // what it may not show, the overview leaves out
	{Path: "/status"},
	{Path: "/search"}, // what it may not find, it leaves out
	{Path: "/services"},
	{Path: "/feeds"},
	{Path: "/api"},
	{Path: "/ws/live"}, // see mayHear
	{Path: "/ws/logs", Action: "listLogs", All: true},
	{Path: "/logs", Action: "listLogs", All: true},
	{Path: "/troubleshoot", Action: "listChecks"},
	{Path: "/account"}, // the own password, tokens and sessions
	{Path: "/accounts", Action: "listUsers"},
	{Path: "/audit", Action: "listAudit"},
	{Path: "/events", Action: "listEvents"},
	{Path: "/images", Action: "listImages"},
	{Path: "/queue", Action: "listQueues"},
	{Path: "/queue/confirm", Action: "updateMessages"},
	{Path: "/policies", Action: "listPolicies"},
	{Path: "/policies/vex", Action: "listVEX"},
	{Path: "/registries", Action: "listRegistries"},
	{Path: "/subscriptions", Action: "listSubscriptions"},
	{Path: "/subscriptions/deliveries", Action: "listNotifications"},
	{Path: "/subscriptions/webhooks", Action: "listWebhooks"},
}

// allows reports whether a user may look.
func (a pageAction) allows(who engine.Identity) bool {
	switch {
	case a.Action == "":
		return true
	case a.All:
		return who.May(engine.SystemDomain, a.Action)
	}
	return who.May(who.Home(), a.Action)
}

// pageActionOf finds the entry of a path; false when only that of the overview fits.
func pageActionOf(path string) (pageAction, bool) {
	best := pageActions[0]
	for _, a := range pageActions[1:] {
		if len(a.Path) > len(best.Path) && (path == a.Path || strings.HasPrefix(path, a.Path+"/")) {
			best = a
		}
	}
	return best, path == best.Path || len(best.Path) > 1
}

// maySee lets those look at a page who may. Forms ask for what they do: see may.
func (s *Server) maySee(c *fiber.Ctx) error {
	if c.Method() != http.MethodGet && c.Method() != http.MethodHead {
		return c.Next()
	}
	if a, _ := pageActionOf(c.Path()); !a.allows(s.who(c)) {
		if a.All {
			return engine.Forbiddenf("This page tells of every account and is for administrators (%s).", a.Action)
		}
		return engine.Forbiddenf("Your role in the account %s does not show this page (%s).", s.who(c).Home(), a.Action)
	}
	return c.Next()
}

// mayOpen tells which pages a user can open.
func mayOpen(who engine.Identity) func(href string) bool {
	return func(href string) bool {
		a, _ := pageActionOf(href)
		return a.allows(who)
	}
}

// changeActions are what a user must be allowed to hear of a kind of change, as
// he is allowed to see the page it is shown on. The others are everybody's.
var changeActions = map[engine.ChangeKind]string{
	engine.ChangeEvent:         "listEvents",
	engine.ChangeEventDeleted:  "listEvents",
	engine.ChangeEventsCleared: "listEvents",
	engine.ChangeRetention:     "listEvents",
	engine.ChangeImage:         "listImages",
	engine.ChangeImageRemoved:  "listImages",
	engine.ChangeSample:        "listImages",
	engine.ChangeRegistry:      "listRegistries",
	engine.ChangeSession:       "listUsers",
	engine.ChangeSubscription:  "listSubscriptions",
	engine.ChangeNotification:  "listNotifications",
	engine.ChangeWebhook:       "listWebhooks",
	engine.ChangePolicy:        "listPolicies",
	engine.ChangeReevaluation:  "listPolicies",
	engine.ChangeEvaluation:    "getImageEvaluation",
	engine.ChangeArchive:       "listArchives",
	engine.ChangeVEX:           "listVEX",
}

// mayHear reports whether a user may be told of a kind of change.
func mayHear(who engine.Identity, kind engine.ChangeKind) bool {
	action := changeActions[kind]
	return action == "" || who.May(who.Home(), action)
}
