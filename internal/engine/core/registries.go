package core

import (
	"context"
	"errors"
	"strings"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

// Registries lists the stored registries of an account.
func (c *Core) Registries(ctx context.Context, account string) ([]engine.Registry, error) {
	return c.store.Registries(ctx, account)
}

// Registry is one stored registry.
func (c *Core) Registry(ctx context.Context, account, name string) (engine.Registry, error) {
	return c.store.Registry(ctx, account, name)
}

// CheckRegistry asks the registry whether it takes the credential. Without a
// password the stored one of the same user is tried.
func (c *Core) CheckRegistry(ctx context.Context, r engine.Registry) error {
	r, err := c.withPassword(ctx, r)
	if err != nil {
		return err
	}
	return c.registry.Verify(ctx, r)
}

// AddRegistry stores a registry.
func (c *Core) AddRegistry(ctx context.Context, r engine.Registry) (engine.Registry, error) {
	if err := registry.CheckName(r.Name); err != nil {
		return r, err
	}
	r, err := c.store.AddRegistry(ctx, r)
	if err == nil {
		c.log.InfoContext(ctx, "registry added", "registry", r.Name, "account", r.Account)
	}
	return r, err
}

// UpdateRegistry replaces all fields of a registry. Without a password the
// stored one of the same user stays: a form cannot show it again.
func (c *Core) UpdateRegistry(ctx context.Context, r engine.Registry) (engine.Registry, error) {
	r, err := c.withPassword(ctx, r)
	if err != nil {
		return r, err
	}
	if r, err = c.store.UpdateRegistry(ctx, r); err == nil {
		c.log.InfoContext(ctx, "registry updated", "registry", r.Name, "account", r.Account)
	}
	return r, err
}

// RemoveRegistry forgets a registry.
func (c *Core) RemoveRegistry(ctx context.Context, account, name string) error {
	err := c.store.RemoveRegistry(ctx, account, name)
	if err == nil {
		c.log.InfoContext(ctx, "registry removed", "registry", name, "account", account)
	}
	return err
}

// ChooseRegistry tells which stored registry would be used for an image.
func (c *Core) ChooseRegistry(ctx context.Context, account, image string) (engine.RegistryChoice, error) {
	ref, err := registry.ParseReference(strings.TrimSpace(image))
	if err != nil {
		return engine.RegistryChoice{}, err
	}
	if ref.Repository == "" {
		return engine.RegistryChoice{}, engine.Invalidf("%q is not the name of an image in a registry", image)
	}
	creds, err := c.store.Registries(ctx, account)
	if err != nil {
		return engine.RegistryChoice{}, err
	}
	return registry.Choose(creds, ref.Registry, ref.Repository), nil
}

func (c *Core) withPassword(ctx context.Context, r engine.Registry) (engine.Registry, error) {
	if r.Password != "" || r.User == "" {
		return r, nil
	}
	old, err := c.store.Registry(ctx, r.Account, r.Name)
	switch {
	case err == nil && old.User == r.User:
		r.Password = old.Password
	case err != nil && !errors.Is(err, engine.ErrNotFound):
		return r, err
	}
	return r, nil
}
