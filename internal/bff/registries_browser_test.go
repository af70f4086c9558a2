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

// registryFake has two registries, of which one takes its credential.
type registryFake struct{ *enginetest.Fake }

func (registryFake) Registries(context.Context, string) ([]engine.Registry, error) {
	return []engine.Registry{
		{Name: "docker.io/team/*", Label: "docker.io/team/*", Type: "docker_v2", User: "bot", Verify: true, UpdatedAt: time.Now().Add(-3 * time.Hour)},
		{Name: "registry.example.com:5000", Label: "ours", Type: "docker_v2", UpdatedAt: time.Now().Add(-9 * 24 * time.Hour)},
	}, nil
}

func (f registryFake) Registry(ctx context.Context, account, name string) (engine.Registry, error) {
	list, err := f.Registries(ctx, account)
	return list[0], err
}

func (registryFake) CheckRegistry(context.Context, engine.Registry) error {
	return engine.Invalidf("docker.io: the registry refused access (unauthorized)")
}

func (f registryFake) ChooseRegistry(ctx context.Context, account, image string) (engine.RegistryChoice, error) {
	list, err := f.Registries(ctx, account)
	return engine.RegistryChoice{Image: image, Registry: list[0], Found: true, Why: "the image's name begins with docker.io/team/", Others: []string{"docker.io"}}, err
}

func TestRegistriesLook(t *testing.T) {
	c := start(t, bff.Options{Engine: registryFake{enginetest.New()}})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/registries?image=docker.io/team/app:1")
	p.Live()
	p.Looks("registries")
	p.Goto(c.url + "/registries?edit=docker.io/team/*")
	p.Live()
	p.Looks("registry-edit")
	p.Goto(c.url + "/registries")
	p.Click(`form[action="/registries/verify"] button`)
	p.Wait(`document.body.innerText.includes("refused access")`)
	p.Axe("after a refused credential")
}
