package core

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

// ExplainImage tells where an image would be asked for, with which of the
// stored registries, and why.
func (c *Core) ExplainImage(ctx context.Context, account, image string) (engine.RegistryRoute, error) {
	ref, creds, err := c.asked(ctx, account, image)
	if err != nil {
		return engine.RegistryRoute{}, err
	}
	return c.registry.Explain(ref, creds), nil
}

// TryImage asks for an image as an analysis does, and tells what each address
// answered.
func (c *Core) TryImage(ctx context.Context, account, image string) (engine.RegistryRoute, error) {
	ref, creds, err := c.asked(ctx, account, image)
	if err != nil {
		return engine.RegistryRoute{}, err
	}
	return c.registry.Try(ctx, ref, creds)
}

func (c *Core) asked(ctx context.Context, account, image string) (registry.Reference, []engine.Registry, error) {
	ref, err := imageName(image)
	if err != nil {
		return ref, nil, err
	}
	creds, err := c.store.Registries(ctx, account)
	return ref, creds, err
}

// RegistryUses tells, by the names of the stored registries, what is asked for
// with each.
func (c *Core) RegistryUses(ctx context.Context, account string) (map[string]engine.RegistryUse, error) {
	uses := map[string]engine.RegistryUse{}
	creds, err := c.store.Registries(ctx, account)
	if err != nil || len(creds) == 0 {
		return uses, err
	}
	list, err := c.store.RepositoryUses(ctx, account)
	if err != nil {
		return nil, err
	}
	for _, u := range list {
		names := c.registry.Records(registry.Reference{Registry: u.Registry, Repository: u.Repository, Tag: "latest"}, creds)
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			v := uses[name]
			v.Tags, v.Subscriptions = v.Tags+u.Tags, v.Subscriptions+u.Subscriptions
			if u.Tags > 0 {
				v.Repositories++
			}
			uses[name] = v
		}
	}
	return uses, nil
}

// registryUsed notes when a stored registry was of use, once a minute at most:
// a watcher asks many times a second.
type registryUsed struct {
	mu   sync.Mutex
	last map[[2]string]time.Time
}

const usedEvery = time.Minute

func (u *registryUsed) due(r engine.Registry, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		u.last = map[[2]string]time.Time{}
	}
	k := [2]string{r.Account, r.Name}
	if now.Sub(u.last[k]) < usedEvery {
		return false
	}
	if len(u.last) > 10_000 {
		maps.DeleteFunc(u.last, func(_ [2]string, at time.Time) bool { return now.Sub(at) >= usedEvery })
	}
	u.last[k] = now
	return true
}

func (c *Core) noteUse(ctx context.Context, r engine.Registry, what string) {
	if !c.used.due(r, time.Now()) {
		return
	}
	if err := c.store.NoteRegistryUse(ctx, r.Account, r.Name, what); err != nil {
		c.log.WarnContext(ctx, "registry use not noted", "registry", r.Name, "error", err)
	}
}
