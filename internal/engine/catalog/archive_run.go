package catalog

import (
	"context"
	"errors"
	"iter"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/store"
	"windlass/internal/engine/supervise"
)

const (
	// archiveRulesEvery is how often the rules are applied.
	archiveRulesEvery = 12 * time.Hour
	// archiveRulesFirst leaves a start the time to be over.
	archiveRulesFirst = 5 * time.Second
	// maxBeyond bounds how many images one run takes because there are too many.
	maxBeyond = 100_000
)

// errRunning says that the rules are being applied already.
var errRunning = engine.Conflictf("the archive rules are being applied already")

// RunArchiveRules applies the archive rules to every enabled account until ctx
// ends.
func (c *Catalog) RunArchiveRules(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(archiveRulesFirst):
	}
	return supervise.Every(ctx, archiveRulesEvery, c.applyEverywhere)
}

func (c *Catalog) applyEverywhere(ctx context.Context) error {
	release, ok, err := c.Store.LockArchiveRules(ctx)
	if err != nil || !ok {
		return err // another does it
	}
	defer release()
	f := engine.AccountFilter{State: engine.AccountEnabled, Limit: 100}
	for {
		list, next, err := c.Store.Accounts(ctx, f)
		if err != nil {
			return err
		}
		for _, a := range list {
			if _, err := c.apply(ctx, a.Name, c.ArchiveDryRun); err != nil {
				return err
			}
		}
		if f.After = next; next == "" {
			return nil
		}
	}
}

// ApplyArchiveRules applies the rules to one account now. A dry run only says
// what would be done.
func (c *Catalog) ApplyArchiveRules(ctx context.Context, account string, dry bool) (engine.ArchiveRun, error) {
	if dry {
		return c.apply(ctx, account, true)
	}
	release, ok, err := c.Store.LockArchiveRules(ctx)
	if err != nil {
		return engine.ArchiveRun{}, err
	}
	if !ok {
		return engine.ArchiveRun{}, errRunning
	}
	defer release()
	return c.apply(ctx, account, false)
}

// apply does the groups of rules in their order: those for all accounts, the
// account's own, and its own that take images out of the archive.
func (c *Catalog) apply(ctx context.Context, account string, dry bool) (engine.ArchiveRun, error) {
	run := engine.ArchiveRun{Task: engine.NewID(), Account: account, DryRun: dry}
	rules, err := c.Store.ArchiveRules(ctx, account, true)
	if err != nil || len(rules) == 0 {
		return run, err
	}
	global, own, out := groups(rules, account)
	now := time.Now()
	gone := map[int64]bool{}
	for _, group := range [][]engine.ArchiveRule{global, own} {
		moves, err := c.applyGroup(ctx, account, group, gone, now, c.Store.TagRecords(ctx, account), func(digest string) error {
			return c.moveToArchive(ctx, account, digest, run.Task, dry)
		})
		if run.Archived = append(run.Archived, moves...); err != nil {
			return run, err
		}
	}
	moves, err := c.applyGroup(ctx, account, out, nil, now, c.Store.ArchivedTagRecords(ctx, account), func(digest string) error {
		if dry {
			return nil
		}
		return c.DeleteArchived(ctx, account, digest, "Deleted by task "+run.Task)
	})
	run.Deleted = moves
	if len(run.Archived)+len(run.Deleted) > 0 {
		c.Log.InfoContext(ctx, "archive rules applied", "account", account, "task", run.Task, "dry_run", dry,
			"archived", len(run.Archived), "deleted", len(run.Deleted))
	}
	return run, err
}

// groups sorts rules. One that takes images out of the archive is its owner's
// alone, also when it says that it is for all.
func groups(rules []engine.ArchiveRule, account string) (global, own, out []engine.ArchiveRule) {
	for _, r := range rules {
		switch {
		case r.Transition == engine.ToArchive && r.SystemGlobal:
			global = append(global, r)
		case r.Account != account:
		case r.Transition == engine.ToArchive:
			own = append(own, r)
		case r.MaxImages == 0:
			out = append(out, r)
		}
	}
	return global, own, out
}

// applyGroup moves the images that a group of rules selects, and adds them to
// gone. An image that cannot be moved stays, and the others go on.
func (c *Catalog) applyGroup(ctx context.Context, account string, rules []engine.ArchiveRule, gone map[int64]bool, now time.Time,
	tags iter.Seq2[store.TagRecord, error], move func(digest string) error,
) ([]engine.ArchiveMove, error) {
	if len(rules) == 0 {
		return nil, nil
	}
	beyond := map[int64]bool{}
	for _, r := range rules {
		if r.MaxImages == 0 {
			continue
		}
		list, err := c.Store.ImagesBeyond(ctx, account, r.MaxImages, maxBeyond)
		if err != nil {
			return nil, err
		}
		for _, image := range list {
			beyond[image] = true
		}
	}
	chosen, err := newSelection(rules, beyond, gone, now).choose(tags)
	if err != nil {
		return nil, err
	}
	moves := make([]engine.ArchiveMove, 0, len(chosen))
	for _, t := range chosen {
		m := engine.ArchiveMove{Digest: t.Digest}
		if err := move(t.Digest); err != nil {
			if ctx.Err() != nil || errors.Is(err, engine.ErrUnavailable) {
				return moves, err
			}
			m.Error = engine.MessageOf(err, "it could not be moved; the catalog's log says more")
			c.Log.WarnContext(ctx, "archive rule held up", "account", account, "digest", t.Digest, "err", err)
		} else if gone != nil {
			gone[t.Image] = true
		}
		moves = append(moves, m)
	}
	return moves, nil
}

// moveToArchive archives an image and then deletes it, whoever watches it. One
// that is in the archive already only goes.
func (c *Catalog) moveToArchive(ctx context.Context, account, digest, task string, dry bool) error {
	if dry {
		return c.canArchive(ctx, account, digest)
	}
	err := c.archive(ctx, account, digest, "Archived by task "+task)
	if err != nil && !errors.Is(err, engine.ErrConflict) {
		return err
	}
	r, err := c.Store.DeleteImage(ctx, account, digest, true)
	if err != nil {
		return err
	}
	if r.Status == "delete_failed" {
		return engine.Conflictf("%s", r.Detail)
	}
	return nil
}

// canArchive says what would keep an image from being archived.
func (c *Catalog) canArchive(ctx context.Context, account, digest string) error {
	i, err := c.Store.Image(ctx, account, digest)
	if err == nil && (i.State != engine.Analyzed || i.Status != engine.ImageActive) {
		err = engine.Invalidf("Invalid image state: %s, %s. Only analyzed and active images can be archived", i.State, i.Status)
	}
	return err
}
