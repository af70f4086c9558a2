package catalog

import (
	"context"
	"fmt"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/store"
	"windlass/internal/engine/supervise"
)

// When a silent service counts as down, orphaned and gone. Heartbeats come
// every five seconds. v1 waited 300 s before it said down; an operator should
// not have to.
const (
	suspectAfter = 3 * supervise.HeartbeatEvery
	downAfter    = 60 * time.Second
	orphanAfter  = time.Hour
	removeAfter  = 24 * time.Hour
)

// How often each loop runs.
const (
	watchEvery   = 5 * time.Second
	collectEvery = 10 * time.Second
	repairEvery  = 15 * time.Second
	trimEvery    = 10 * time.Minute
	drawEvery    = time.Minute
	historyEvery = time.Hour
	keepChanges  = 24 * time.Hour
	collectBatch = 20
)

// WatchServices marks services that have fallen silent until ctx ends. It does
// not begin at once: after all processes were away nobody has been heard of,
// and those that start with this one must have had the time to say so.
func (c *Catalog) WatchServices(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(suspectAfter):
	}
	return supervise.Every(ctx, watchEvery, c.watchOnce)
}

// watchOnce judges every silent service. One that missed heartbeats but still
// answers at its address is given until downAfter: its database connection may
// be what fails.
func (c *Catalog) watchOnce(ctx context.Context) error {
	silent, err := c.Store.SilentServices(ctx, suspectAfter)
	if err != nil {
		return err
	}
	for _, v := range silent {
		if err := c.judge(ctx, v); err != nil {
			return err
		}
	}
	return nil
}

func (c *Catalog) judge(ctx context.Context, v store.SilentService) error {
	cause := fmt.Sprintf("no heartbeat from service in (%d) seconds", int(v.Age.Seconds()))
	switch {
	case v.Age > removeAfter:
		return c.Store.RemoveService(ctx, v.Name, v.Host, cause, c.Source)
	case v.Age > orphanAfter && v.State != engine.ServiceOrphaned:
		return c.mark(ctx, v, engine.ServiceOrphaned, cause)
	case v.State == engine.ServiceOrphaned || v.State == engine.ServiceUnavailable:
		return nil
	}
	if err := supervise.Probe(ctx, v.BaseURL); err != nil {
		return c.mark(ctx, v, engine.ServiceUnavailable, cause+"; its address does not answer: "+err.Error())
	}
	if v.Age > downAfter {
		return c.mark(ctx, v, engine.ServiceUnavailable, cause+"; its address still answers")
	}
	return nil
}

func (c *Catalog) mark(ctx context.Context, v store.SilentService, to engine.ServiceState, cause string) error {
	c.Log.WarnContext(ctx, "service silent", "service", v.Name, "host", v.Host, "state", to, "cause", cause)
	return c.Store.MarkService(ctx, v.Service, to, v.HeartbeatAt, cause, c.Source)
}

// CollectImages removes the data of deleted images until ctx ends.
func (c *Catalog) CollectImages(ctx context.Context) error {
	return supervise.Every(ctx, collectEvery, func(ctx context.Context) error {
		for {
			n, err := c.Store.CollectImages(ctx, collectBatch)
			if err != nil || n == 0 {
				return err
			}
			c.Log.InfoContext(ctx, "images collected", "n", n)
		}
	})
}

// RepairImages finds images that nothing works on until ctx ends.
func (c *Catalog) RepairImages(ctx context.Context) error {
	return supervise.Every(ctx, repairEvery, func(ctx context.Context) error {
		n, err := c.Store.RepairImages(ctx, c.Source)
		if n > 0 {
			c.Log.WarnContext(ctx, "images repaired", "n", n)
		}
		return err
	})
}

// TrimChanges forgets old announcements until ctx ends.
func (c *Catalog) TrimChanges(ctx context.Context) error {
	return supervise.Every(ctx, trimEvery, func(ctx context.Context) error { return c.Store.TrimChanges(ctx, keepChanges) })
}

// TrimServiceHistory forgets what services did long ago until ctx ends.
func (c *Catalog) TrimServiceHistory(ctx context.Context) error {
	return supervise.Every(ctx, historyEvery, func(ctx context.Context) error {
		n, err := c.Store.TrimServiceHistory(ctx)
		if n > 0 {
			c.Log.InfoContext(ctx, "service history trimmed", "n", n)
		}
		return err
	})
}

// DrawCounts keeps the rows that count images few until ctx ends.
func (c *Catalog) DrawCounts(ctx context.Context) error {
	return supervise.Every(ctx, drawEvery, c.Store.DrawCounts)
}
