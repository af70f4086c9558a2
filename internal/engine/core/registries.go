package core

import (
	"context"
	"errors"
	"maps"
	"strings"
	"sync"
	"time"

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

// VerifyRegistry asks a stored registry whether it takes its credential, and
// keeps how that ended: a refusal is told in its check and is no error.
func (c *Core) VerifyRegistry(ctx context.Context, account, name string) (engine.Registry, error) {
	r, err := c.store.Registry(ctx, account, name)
	if err != nil {
		return r, err
	}
	return c.verify(ctx, r)
}

// verify asks a stored registry and keeps the answer, but not that whoever
// asked went away.
func (c *Core) verify(ctx context.Context, r engine.Registry) (engine.Registry, error) {
	began := time.Now()
	err := c.registry.Verify(ctx, r)
	if errors.Is(ctx.Err(), context.Canceled) {
		return r, ctx.Err()
	}
	r.Check = engine.CheckedRegistry(began, time.Now(), err)
	return r, c.store.NoteRegistryCheck(context.WithoutCancel(ctx), r)
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

// RemoveRegistry forgets a registry; for a short time RestoreRegistry brings
// it back.
func (c *Core) RemoveRegistry(ctx context.Context, account, name string) error {
	old, err := c.store.Registry(ctx, account, name)
	if errors.Is(err, engine.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.store.RemoveRegistry(ctx, account, name); err != nil {
		return err
	}
	c.removed.keep(old, time.Now())
	c.log.InfoContext(ctx, "registry removed", "registry", name, "account", account)
	return nil
}

// RestoreRegistry takes the removal of a registry back.
func (c *Core) RestoreRegistry(ctx context.Context, account, name string) error {
	r, ok := c.removed.take(account, name, time.Now())
	if !ok {
		return engine.NotFoundf("%s was removed too long ago to be brought back: add it again.", name)
	}
	if _, err := c.store.AddRegistry(ctx, r); err != nil {
		return err
	}
	c.log.InfoContext(ctx, "registry restored", "registry", name, "account", account)
	return nil
}

// removals are registries that were removed a moment ago. They are in memory
// alone: what somebody had removed must not stay in the database.
type removals struct {
	mu   sync.Mutex
	list map[[2]string]removal
}

type removal struct {
	r     engine.Registry
	until time.Time
}

// restorable is longer than the toast that offers it is seen.
const (
	restorable    = time.Minute
	maxRestorable = 100
)

func (m *removals) keep(r engine.Registry, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.list == nil {
		m.list = map[[2]string]removal{}
	}
	maps.DeleteFunc(m.list, func(_ [2]string, v removal) bool { return now.After(v.until) })
	if len(m.list) < maxRestorable {
		m.list[[2]string{r.Account, r.Name}] = removal{r, now.Add(restorable)}
	}
}

func (m *removals) take(account, name string, now time.Time) (engine.Registry, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := [2]string{account, name}
	v, ok := m.list[k]
	delete(m.list, k)
	return v.r, ok && !now.After(v.until)
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

// imageName reads the name of an image that a registry can be asked for.
func imageName(image string) (registry.Reference, error) {
	ref, err := registry.ParseReference(strings.TrimSpace(image))
	if err == nil && ref.Repository == "" {
		err = engine.Invalidf("%.80q is not the name of an image in a registry", image)
	}
	return ref, err
}
