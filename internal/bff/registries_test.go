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
func (e *registryEngine) RestoreRegistry(_ context.Context, account, name string) error {
	if name != e.removed {
		return engine.NotFoundf("too long ago")
	}
	e.removed = ""
	return nil
}
func (e *registryEngine) VerifyRegistry(ctx context.Context, account, name string) (engine.Registry, error) {
	r, err := e.Registry(ctx, account, name)
	if err == nil {
		r.Check = engine.CheckedRegistry(time.Now(), time.Now(), e.CheckRegistry(ctx, r))
	}
	return r, err
}
func (e *registryEngine) RegistryUses(context.Context, string) (map[string]engine.RegistryUse, error) {
	return map[string]engine.RegistryUse{"reg:5000": {Tags: 12, Repositories: 3, Subscriptions: 2}}, nil
}
func (e *registryEngine) ExplainImage(_ context.Context, _, image string) (engine.RegistryRoute, error) {
	if strings.Contains(image, " ") {
		return engine.RegistryRoute{}, engine.Invalidf("cannot handle image input string")
	}
	return engine.RegistryRoute{
		Image: image,
		Asks: []engine.RegistryAsk{
			{Address: "http://mirror:5001/v2/x/manifests/1", Mirror: true, Plain: true},
			{Address: "https://reg:5000/v2/x/manifests/1", Verify: true, Choice: engine.RegistryChoice{Registry: e.list[0], Found: true, Why: "it names this registry", Others: []string{"reg*"}}},
		},
		Stored: []engine.RegistryMatch{{Name: "docker.io/team/*", Rule: "the name in full begins with docker.io/team/"}, {Name: "reg:5000", Rule: "the registry is reg:5000", Matches: true, Used: true}},
	}, nil
}
func (e *registryEngine) TryImage(ctx context.Context, account, image string) (engine.RegistryRoute, error) {
	route, err := e.ExplainImage(ctx, account, image)
	if err == nil {
		route.Asks[0].Tried = &engine.RegistryTry{RegistryCheck: engine.RegistryCheck{At: time.Now(), Cause: engine.CauseRegistryUnreachable, Text: "mirror:5001: the registry refused the connection"}}
		route.Asks[1].Tried = &engine.RegistryTry{RegistryCheck: engine.RegistryCheck{At: time.Now()}, Digest: engine.Digest(imageDigest(1)), Size: 1 << 20, Layers: 4}
	}
	return route, err
}

func newRegistryEngine() *registryEngine {
	return &registryEngine{list: []engine.Registry{
		{Account: "admin", Name: "reg:5000", Label: "ours", Type: "docker_v2", User: "me", Password: "s3cret", Verify: true, UpdatedAt: time.Now()},
		{Account: "admin", Name: "docker.io/team/*", Label: "docker.io/team/*", Password: "broken", User: "bot"},
	}}
}

func TestRegistryPages(t *testing.T) {
	for path, want := range map[string][]string{
		"/registries": {"reg:5000", "ours", "every repository", "names that begin with docker.io/team/", "TLS not verified", "2 stored", "Verify now",
			"12 tags of 3 repositories", "/images?registry=reg%3A5000", "2 subscriptions", "Not asked"},
		"/registries?add=1":                     {`name="password"`, "Add a registry"},
		"/registries?edit=docker.io%2Fteam%2F*": {"Change docker.io/team/*", `value="bot"`},
		"/registries?image=reg:5000/x:1": {"is pulled with reg:5000 and the user me", "reg*", "1 address of a mirror is asked before", "https://reg:5000/v2/x/manifests/1", "Try it now",
			"the name in full begins with docker.io/team/", "does not match"},
		"/registries/remove?registry=reg:5000": {"Remove reg:5000?", "12 tags of 3 repositories"},
		"/registries/try":                      {"Which credential is used"},
		"/registries?image=a+b":                {"cannot handle image input string"},
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
	for _, path := range []string{"/registries?edit=gone", "/registries/remove?registry=gone"} {
		if code, _, _ := send(t, newRegistryEngine(), "GET", path, "", nil); code != 404 {
			t.Errorf("%s: %d", path, code)
		}
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
		"verify one gone":     {"/registries/verify", url.Values{"registry": {"gone"}}, 404, "may have been removed"},
		"try":                 {"/registries/try", url.Values{"image": {"reg:5000/x:1"}}, 200, "refused the connection"},
		"try what is none":    {"/registries/try", url.Values{"image": {"a b"}}, 200, "cannot handle"},
		"an odd type":         {"/registries", url.Values{"registry": {"new"}, "type": {"odd"}}, 400, "no type of registry"},
		"restore, too late":   {"/registries/restore?registry=x", url.Values{}, 404, "too long ago"},
		"add one of AWS":      {"/registries", url.Values{"registry": {"123456789012.dkr.ecr.eu-west-1.amazonaws.com"}, "user": {"AKIA"}}, 303, ""},
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
			if name == "add" && (e.saved.Type != engine.RegistryDocker || !e.saved.Check.OK()) || name == "add, not asked" && !e.saved.Check.At.IsZero() || name == "add one of AWS" && e.saved.Type != engine.RegistryAmazon {
				t.Errorf("saved %+v", e.saved)
			}
			if name == "remove" && e.removed != "reg:5000" {
				t.Errorf("removed %q", e.removed)
			}
		})
	}
}
