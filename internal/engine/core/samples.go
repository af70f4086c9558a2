package core

import (
	"context"
	"errors"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/feeds/starter"
	"windlass/internal/engine/sample"
)

// starterJob is the subject of the job that installs the starter data.
const starterJob = "starter"

// starterPause is how long the starter data waits for a feed sync that runs.
const starterPause = 2 * time.Second

// SampleStatus says what of the sample an account has.
func (c *Core) SampleStatus(ctx context.Context, account string) (engine.SampleStatus, error) {
	var st engine.SampleStatus
	yes := true
	n, err := c.store.CountImages(ctx, account, engine.ImageFilter{Sample: &yes})
	if err != nil {
		return st, err
	}
	st.Images = n
	for _, state := range []engine.AnalysisState{engine.NotAnalyzed, engine.Analyzing} {
		n, err := c.store.CountImages(ctx, account, engine.ImageFilter{Sample: &yes, State: state})
		if err != nil {
			return st, err
		}
		st.Running = st.Running || n > 0
	}
	active, err := c.store.ActiveFeedData(ctx)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return st, err
	}
	st.Starter = err == nil && active.Starter
	return st, nil
}

// TrySample adds the sample images, like any others, and has the starter data
// installed when no other is active. Images that are analyzed before the data
// is there are matched when it comes.
func (c *Core) TrySample(ctx context.Context, account string) error {
	if _, err := c.store.ActiveFeedData(ctx); errors.Is(err, engine.ErrNotFound) {
		if err := c.store.Enqueue(ctx, engine.Job{Queue: engine.QueueFeeds, Subject: starterJob, MaxAttempts: 5}); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	for _, tag := range sample.Tags() {
		if _, err := c.catalog.AddImage(ctx, engine.AddImage{Account: account, Tag: tag, Source: engine.FromSample}); err != nil {
			return err
		}
	}
	return c.store.Announce(ctx, engine.ChangeSample, "", "", nil)
}

// installStarter does the job that TrySample enqueued. A feed sync that runs
// is waited for: what it brings is better than the starter data.
func (c *Core) installStarter(ctx context.Context, j engine.Job) error {
	_, err := c.store.ActiveFeedData(ctx)
	if err == nil || !errors.Is(err, engine.ErrNotFound) {
		if err != nil {
			return err
		}
		return c.store.FinishJob(ctx, j)
	}
	if err := starter.Install(ctx, c.feeds); errors.Is(err, engine.ErrConflict) {
		return c.store.RetryJob(ctx, j, starterPause, "a feed sync is running")
	} else if err != nil {
		return err
	}
	if err := c.store.FinishJob(ctx, j); err != nil {
		return err
	}
	return c.store.Announce(ctx, engine.ChangeSample, "", "", nil)
}

// RemoveSample deletes the sample images of an account and takes the starter
// data out of use.
func (c *Core) RemoveSample(ctx context.Context, account string) error {
	yes := true
	if err := c.store.DropJob(ctx, engine.QueueFeeds, "", starterJob); err != nil {
		return err
	}
	for {
		list, _, err := c.store.Images(ctx, account, engine.ImageFilter{Sample: &yes})
		if err != nil {
			return err
		}
		if len(list) == 0 {
			break
		}
		for _, img := range list {
			if _, err := c.store.DeleteImage(ctx, account, string(img.Digest), true); err != nil {
				return err
			}
		}
	}
	active, err := c.store.ActiveFeedData(ctx)
	switch {
	case err == nil && active.Starter:
		if err := c.feeds.RemoveStarter(ctx); err != nil {
			return err
		}
	case err != nil && !errors.Is(err, engine.ErrNotFound):
		return err
	}
	return c.store.Announce(ctx, engine.ChangeSample, "", "", nil)
}
