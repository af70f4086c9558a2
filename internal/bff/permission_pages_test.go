package bff

import (
	"net/http"
	"strings"
	"testing"

	"windlass/internal/engine"
)

// Whoever adds a page says who may see it, in the table of pages.
func TestEveryPageHasAnAction(t *testing.T) {
	s, err := New(Options{Engine: reader{ImageEngine(nil)}})
	if err != nil {
		t.Fatal(err)
	}
	open := map[string]bool{"/healthz": true, "/metrics": true, "/login": true, "/static/:name": true}
	seen := 0
	for _, route := range s.App().GetRoutes(true) {
		if route.Method != http.MethodGet || open[route.Path] || strings.HasPrefix(route.Path, "/v1") {
			continue
		}
		seen++
		a, known := pageActionOf(route.Path)
		if !known {
			t.Errorf("GET %s: not in the table pageActions", route.Path)
		}
		if a.Action != "" && !a.All && !engine.KnownAction(a.Action) {
			t.Errorf("GET %s: %s is not in the table of roles", route.Path, a.Action)
		}
	}
	if seen < 30 {
		t.Errorf("%d pages: are they still found?", seen)
	}
	for kind, action := range changeActions {
		if !engine.KnownAction(action) {
			t.Errorf("change %s: %s is not in the table of roles", kind, action)
		}
	}
}

func TestPagesByRole(t *testing.T) {
	as := func(role engine.Role) engine.Identity {
		return engine.Login{
			User: engine.User{Name: "u"}, Account: engine.Account{Name: "a", Type: engine.AccountUser, State: engine.AccountEnabled},
			Grants: []engine.Grant{{Account: "a", Role: role, Enabled: true}},
		}.Identity()
	}
	tests := map[string]struct {
		role engine.Role
		path string
		want bool
	}{
		"a pipeline sees images":                {engine.ImageAnalyzer, "/images/sha256:1", true},
		"a pipeline sees no events":             {engine.ImageAnalyzer, "/events/export.csv", false},
		"a pipeline sees no registries":         {engine.ImageAnalyzer, "/registries", false},
		"a reader sees events":                  {engine.ReadOnly, "/events", true},
		"a reader sees deliveries":              {engine.ReadOnly, "/subscriptions/deliveries/1", true},
		"a reader sees no webhooks":             {engine.ReadOnly, "/subscriptions/webhooks", false},
		"a reader sees no logs":                 {engine.ReadOnly, "/logs/files/x", false},
		"full control of one is no all":         {engine.FullControl, "/ws/logs", false},
		"full control sees webhooks":            {engine.FullControl, "/subscriptions/webhooks", true},
		"a longer name is no page below":        {engine.ReadOnly, "/subscriptions/webhooksx", true},
		"everybody has the overview":            {engine.ImageAnalyzer, "/", true},
		"everybody sees whether services run":   {engine.ImageAnalyzer, "/services/catalog/h", true},
		"a developer sees a policy":             {engine.ImageDeveloper, "/policies/1", true},
		"a developer sees exploitability words": {engine.ImageDeveloper, "/policies/vex/1", true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if a, _ := pageActionOf(tc.path); a.allows(as(tc.role)) != tc.want {
				t.Errorf("%s sees %s: %v", tc.role, tc.path, !tc.want)
			}
		})
	}
	if mayHear(as(engine.ReadOnly), engine.ChangeWebhook) || !mayHear(as(engine.ReadOnly), engine.ChangeNotification) || !mayHear(as(engine.ImageAnalyzer), engine.ChangeFeeds) {
		t.Error("sockets tell of what pages do not show, or do not tell of what they do")
	}
}
