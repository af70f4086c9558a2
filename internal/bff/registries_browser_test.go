package bff_test

import (
	"context"
	"testing"
	"time"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// registryFake has registries in every state.
type registryFake struct{ *enginetest.Fake }

func (registryFake) Registries(context.Context, string) ([]engine.Registry, error) {
	ago := func(d time.Duration) time.Time { return time.Now().Add(-d) }
	return []engine.Registry{
		{Name: "123456789012.dkr.ecr.eu-west-1.amazonaws.com", Label: "123456789012.dkr.ecr.eu-west-1.amazonaws.com", Type: engine.RegistryAmazon, User: "AKIAIOSFODNN7EXAMPLE", Password: "x", Verify: true},
		{Name: "docker.io/team/*", Label: "docker.io/team/*", Type: "docker_v2", User: "bot", Password: "x", Verify: true, UpdatedAt: ago(3 * time.Hour),
			Check:  engine.RegistryCheck{At: ago(4 * time.Minute), Took: time.Second, Cause: engine.CauseRegistryAuth, Text: "docker.io: the registry refused access (unauthorized)"},
			UsedAt: ago(26 * time.Hour), UsedFor: "docker.io/team/payments-gateway:2026.11.3"},
		{Name: "registry.example.com:5000", Label: "ours", Type: "docker_v2", UpdatedAt: ago(9 * 24 * time.Hour),
			Check: engine.RegistryCheck{At: ago(2 * time.Hour), Took: 38 * time.Millisecond}, UsedAt: ago(3 * time.Minute), UsedFor: "registry.example.com:5000/platform/app:v7"},
	}, nil
}

func (f registryFake) Registry(ctx context.Context, account, name string) (engine.Registry, error) {
	list, err := f.Registries(ctx, account)
	return list[1], err
}

func (registryFake) RegistryUses(context.Context, string) (map[string]engine.RegistryUse, error) {
	return map[string]engine.RegistryUse{"docker.io/team/*": {Tags: 214, Repositories: 12, Subscriptions: 3}, "registry.example.com:5000": {Tags: 1, Repositories: 1}}, nil
}

func (f registryFake) VerifyRegistry(ctx context.Context, account, name string) (engine.Registry, error) {
	return f.Registry(ctx, account, name)
}

func (f registryFake) ExplainImage(ctx context.Context, account, image string) (engine.RegistryRoute, error) {
	list, err := f.Registries(ctx, account)
	return engine.RegistryRoute{
		Image: image,
		Asks: []engine.RegistryAsk{
			{Address: "http://mirror.example:5001/v2/team/app/manifests/1", Mirror: true, Plain: true, Choice: engine.RegistryChoice{Why: "no stored registry matches"}},
			{Address: "https://index.docker.io/v2/team/app/manifests/1", Verify: true, Choice: engine.RegistryChoice{Registry: list[1], Found: true, Why: "the image's name begins with docker.io/team/", Others: []string{"docker.io"}}},
		},
		Stored: []engine.RegistryMatch{
			{Name: list[0].Name, Rule: "the registry is " + list[0].Name}, {Name: list[2].Name, Rule: "the registry is " + list[2].Name},
			{Name: list[1].Name, Rule: "the name in full begins with docker.io/team/", Matches: true, Used: true}, {Name: "docker.io", Rule: "the registry is docker.io", Matches: true},
		},
	}, err
}

func (f registryFake) TryImage(ctx context.Context, account, image string) (engine.RegistryRoute, error) {
	route, err := f.ExplainImage(ctx, account, image)
	route.Asks[0].Tried = &engine.RegistryTry{RegistryCheck: engine.RegistryCheck{At: time.Now(), Took: 31 * time.Millisecond, Cause: engine.CauseManifestUnknown, Text: "mirror.example:5001: the registry has no such image (manifest unknown)"}}
	route.Asks[1].Tried = &engine.RegistryTry{RegistryCheck: engine.RegistryCheck{At: time.Now(), Took: 412 * time.Millisecond}, Digest: "sha256:8f2c5a1b9e3d7c604fa1b2c3d4e5f60718293a4b5c6d7e8f9012345678abcdef", Size: 49 << 20, Layers: 6}
	return route, err
}

func TestRegistriesLook(t *testing.T) {
	c := start(t, bff.Options{Engine: registryFake{enginetest.New()}})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/registries?image=docker.io/team/app:1")
	p.Live()
	p.Click(`form[action^="/registries/try"] button`)
	p.Wait(`document.body.innerText.includes("Not there")`)
	p.Looks("registries")
	p.Goto(c.url + "/registries")
	p.Click(`form[action="/registries/verify"] button`)
	p.Wait(`document.querySelector("[data-toast]")?.innerText.includes("refused access")`)
	p.Axe("after a refused credential")
}
