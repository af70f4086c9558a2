package notify

import (
	"errors"
	"testing"

	"windlass/internal/engine"
)

func TestSection(t *testing.T) {
	hooks := []engine.Webhook{{Type: "general", URL: "http://a"}, {Type: "policy_eval", Empty: true}, {Type: "tag_update", User: "u"}}
	for name, tc := range map[string]struct {
		hooks   []engine.Webhook
		section string
		kind    error
	}{
		"there":          {hooks, "general", nil},
		"empty":          {hooks, "policy_eval", engine.ErrInvalid},
		"without url":    {hooks, "tag_update", nil}, // the post fails
		"not there":      {hooks, "vuln_update", engine.ErrUnavailable},
		"no settings":    {nil, "general", engine.ErrInvalid},
		"not of the set": {hooks, "ssl_verify", engine.ErrUnavailable},
	} {
		if w, err := Section(tc.hooks, tc.section); !errors.Is(err, tc.kind) || err == nil && w.Type != tc.section {
			t.Errorf("%s: %+v, %v", name, w, err)
		}
	}
}

func TestKeepPassword(t *testing.T) {
	old := engine.Webhook{URL: "https://a.example:8443/x?y", User: "u", Password: "s3cret", Verify: true}
	for name, tc := range map[string]struct {
		change func(*engine.Webhook)
		want   engine.Secret
	}{
		"as it was":      {func(*engine.Webhook) {}, "s3cret"},
		"another path":   {func(w *engine.Webhook) { w.URL = "https://a.example:8443/z" }, "s3cret"},
		"another host":   {func(w *engine.Webhook) { w.URL = "https://b.example:8443/x" }, ""},
		"another port":   {func(w *engine.Webhook) { w.URL = "https://a.example/x" }, ""},
		"in the clear":   {func(w *engine.Webhook) { w.URL = "http://a.example:8443/x" }, ""},
		"unverified":     {func(w *engine.Webhook) { w.Verify = false }, ""},
		"another user":   {func(w *engine.Webhook) { w.User = "v" }, ""},
		"no user":        {func(w *engine.Webhook) { w.User = "" }, ""},
		"another secret": {func(w *engine.Webhook) { w.Password = "new" }, "new"},
	} {
		w := old
		w.Password = ""
		tc.change(&w)
		if got := Keep(w, old); got.Password != tc.want {
			t.Errorf("%s: %q, want %q", name, got.Password.Reveal(), tc.want.Reveal())
		}
	}
}
