package catalog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

// AddRepository lists the tags of a repository and subscribes to it: its tags
// are added by the watcher, which looks at once. Of a repository that is
// subscribed to already only the wishes are stored. A dry run stores nothing.
func (c *Catalog) AddRepository(ctx context.Context, a engine.AddRepository) (engine.Subscription, error) {
	ref, err := parseRepository(a.Repository)
	if err != nil {
		return engine.Subscription{}, err
	}
	key := ref.Registry + "/" + ref.Repository
	creds, err := c.Credentials(ctx, a.Account)
	if err != nil {
		return engine.Subscription{}, err
	}
	listed, err := c.Registry.Tags(ctx, ref, creds)
	if err == nil && len(listed.Names) == 0 {
		err = &engine.Fault{Kind: engine.ErrNotFound, Message: key + ": the repository has no tags", Codes: []string{"REGISTRY_IMAGE_NOT_FOUND"}}
	}
	if err != nil {
		return engine.Subscription{}, c.noTags(ctx, a.Account, key, err)
	}
	v := engine.Subscription{
		Account: a.Account, Key: key, Type: engine.SubRepoUpdate, ID: engine.SubscriptionID(a.Account, key, engine.SubRepoUpdate),
	}
	slices.Sort(listed.Names)
	fresh := repoValue{AutoSubscribe: a.AutoSubscribe, LookupTag: defaultLookupTag, Tags: listed.Names}.text()
	if a.DryRun {
		v.Value = &fresh
		// The watcher looks now in any case; it may not know the repository.
		if _, err := c.Watches.CheckNow(ctx, a.Account, v.ID); err != nil && !errors.Is(err, engine.ErrNotFound) && !errors.Is(err, engine.ErrConflict) {
			return v, err
		}
		return v, nil
	}
	v, err = c.Watches.PutRepository(ctx, v, listed.Names, func(value *string) string {
		if value == nil {
			return fresh
		}
		old, err := parseRepoValue(value)
		if err != nil {
			return fresh // it was no value of a repository
		}
		old.AutoSubscribe, old.LookupTag = a.AutoSubscribe, defaultLookupTag
		return old.text()
	})
	if err != nil {
		return v, err
	}
	c.Log.InfoContext(ctx, "repository added", "account", a.Account, "repository", key, "tags", len(listed.Names), "active", v.Active)
	return v, nil
}

// noTags puts the failure of a listing in v1's words, and tells of it.
func (c *Catalog) noTags(ctx context.Context, account, key string, cause error) error {
	var f *engine.Fault
	if !errors.As(cause, &f) || ctx.Err() != nil {
		return cause
	}
	c.Log.WarnContext(ctx, "tags not listed", "account", account, "repository", key, "err", cause)
	if err := c.Store.AddEvent(ctx, c.listFailed(account, key, cause)); err != nil {
		return fmt.Errorf("%w (and the event was not stored: %w)", cause, err)
	}
	return &engine.Fault{
		Kind: engine.ErrNotFound, Message: "no tags could be added from input regrepo (" + key + ")",
		Codes: f.Codes, Detail: map[string]any{"raw_exception_message": f.Message}, Cause: cause,
	}
}

// parseRepository reads the name of a repository; a tag behind it does not
// matter.
func parseRepository(text string) (registry.Reference, error) {
	ref, err := registry.ParseReference(text)
	if err != nil {
		return ref, err
	}
	if ref.Repository == "" || ref.Digest != "" || strings.HasSuffix(ref.Repository, "/") {
		return ref, engine.Invalidf("%q is not the name of a repository", text)
	}
	return ref, nil
}
