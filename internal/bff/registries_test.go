package bff

import (
	"context"
	"net/url"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

type registryEngine struct {
	Engine
	list    []engine.Registry
	saved   engine.Registry
	removed string
}

func (e *registryEngine) Session(context.Context, []byte, time.Duration, bool) (engine.Session, error) {
	return engine.Session{Identity: engine.Identity{User: "admin", Account: "admin", Admin: true}, CSRF: "token"}, nil
}
func (e *registryEngine) Services(context.Context) ([]engine.Service, error) { return nil, nil }
func (e *registryEngine) LastChange(context.Context) (int64, error)          { return 1, nil }
func (e *registryEngine) Registries(context.Context, string) ([]engine.Registry, error) {
	return e.list, nil
}
func (e *registryEngine) Registry(_ context.Context, account, name string) (engine.Registry, error) {
	for _, r := range e.list {
		if r.Name == name && account == "admin" {
			return r, nil
		}
	}
	return engine.Registry{}, engine.ErrNotFound
}
func (e *registryEngine) CheckRegistry(_ context.Context, r engine.Registry) error {
	if r.Password == "wrong" {
		return engine.Invalidf("%s: the registry refused access", r.Name)
	}
	return nil
}
func (e *registryEngine) AddRegistry(_ context.Context, r engine.Registry) (engine.Registry, error) {
	e.saved = r
	return r, nil
}
func (e *registryEngine) UpdateRegistry(_ context.Context, r engine.Registry) (engine.Registry, error) {
	e.saved = r
	return r, nil
}
func (e *registryEngine) RemoveRegistry(_ context.Context, _, name string) error {
	e.removed = name
	return nil
}
func (e *registryEngine) ChooseRegistry(_ context.Context, _, image string) (engine.RegistryChoice, error) {
	if strings.Contains(image, " ") {
		return engine.RegistryChoice{}, engine.Invalidf("cannot handle image input string")
	}
	return engine.RegistryChoice{Image: image, Registry: e.list[0], Found: true, Why: "it names this registry", Others: []string{"reg*"}}, nil
}

func newRegistryEngine() *registryEngine {
	return &registryEngine{list: []engine.Registry{
		{Account: "admin", Name: "reg:5000", Label: "ours", Type: "docker_v2", User: "me", Password: "s3cret", Verify: true, UpdatedAt: time.Now()},
		{Account: "admin", Name: "docker.io/team/*", Label: "docker.io/team/*", Password: "broken", User: "bot"},
	}}
}

func TestRegistryPages(t *testing.T) {
	for path, want := range map[string][]string{
		"/registries":                           {"reg:5000", "ours", "every repository", "names that begin with docker.io/team/", "not verified", "2 stored", "Verify now"},
		"/registries?add=1":                     {`name="password"`, "Add a registry"},
		"/registries?edit=docker.io%2Fteam%2F*": {"Change docker.io/team/*", `value="bot"`},
		"/registries?image=reg:5000/x:1":        {"is pulled with reg:5000 and the user me", "reg*"},
		"/registries?image=a+b":                 {"cannot handle image input string"},
	} {
		code, _, body := send(t, newRegistryEngine(), "GET", path, "", nil)
		if code != 200 {
			t.Errorf("%s answered %d", path, code)
		}
		for _, w := range append(want, "Registries") {
			if !strings.Contains(body, w) {
				t.Errorf("%s lacks %q", path, w)
			}
		}
		if strings.Contains(body, "s3cret") || strings.Contains(body, "redacted") {
			t.Errorf("%s shows the password", path)
		}
		noNonsense(t, body)
	}
	if code, _, _ := send(t, newRegistryEngine(), "GET", "/registries?edit=gone", "", nil); code != 404 {
		t.Errorf("editing one that is gone: %d", code)
	}
}

func TestRegistryForms(t *testing.T) {
	tests := map[string]struct {
		target string
		form   url.Values
		code   int
		says   string
	}{
		"add":                 {"/registries", url.Values{"registry": {" new:5000 "}, "user": {"u"}, "password": {" p "}, "insecure": {"1"}}, 303, ""},
		"add, refused":        {"/registries", url.Values{"registry": {"new"}, "user": {"u"}, "password": {"wrong"}}, 400, "refused access"},
		"add, not asked":      {"/registries", url.Values{"registry": {"new"}, "user": {"u"}, "password": {"wrong"}, "skip": {"1"}}, 303, ""},
		"add without a name":  {"/registries", url.Values{"registry": {" "}}, 400, "Name the registry"},
		"add with an address": {"/registries", url.Values{"registry": {"https://x"}}, 400, "host alone"},
		"change":              {"/registries", url.Values{"edit": {"reg:5000"}, "user": {"me"}}, 303, ""},
		"change one gone":     {"/registries", url.Values{"edit": {"gone"}}, 400, "any more"},
		"verify":              {"/registries/verify", url.Values{"registry": {"reg:5000"}}, 303, ""},
		"remove":              {"/registries/remove", url.Values{"registry": {"reg:5000"}}, 303, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			e := newRegistryEngine()
			code, _, body := post(t, e, tc.target, tc.form)
			if code != tc.code || !strings.Contains(body, tc.says) {
				t.Errorf("%d, want %d with %q", code, tc.code, tc.says)
			}
			if strings.Contains(body, "wrong") {
				t.Error("the password came back")
			}
			if name == "add" && (e.saved.Name != "new:5000" || e.saved.Password != " p " || e.saved.Verify || e.saved.Account != "admin") {
				t.Errorf("saved %+v", e.saved)
			}
			if name == "remove" && e.removed != "reg:5000" {
				t.Errorf("removed %q", e.removed)
			}
		})
	}
}
