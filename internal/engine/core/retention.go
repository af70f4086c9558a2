package core

import (
	"context"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/catalog"
)

// EventRetention lists how long events of each level are kept.
func (c *Core) EventRetention(ctx context.Context) ([]engine.RetentionRule, error) {
	return c.store.EventRetention(ctx)
}

// SetEventRetention alters that.
func (c *Core) SetEventRetention(ctx context.Context, rules []engine.RetentionRule, by string) error {
	err := c.store.SetEventRetention(ctx, rules, by)
	if err == nil {
		for _, r := range rules {
			c.log.InfoContext(ctx, "event retention set", "level", r.Level, "enabled", r.Enabled, "days", r.Days, "by", by)
		}
	}
	return err
}

// PlanRetention counts what rules would delete now.
func (c *Core) PlanRetention(ctx context.Context, rules []engine.RetentionRule) ([]engine.RetentionPlan, error) {
	return c.store.PlanRetention(ctx, rules)
}

// NextRetention is when they are next applied; zero: not at all, or right now.
func (c *Core) NextRetention(ctx context.Context) (time.Time, error) {
	return c.store.NextRetention(ctx)
}

// StartRetention applies the rules that are on now.
func (c *Core) StartRetention(ctx context.Context, by string) (engine.RetentionRun, error) {
	return c.store.StartRetention(ctx, by)
}

// CancelRetention ends a run; what is not deleted stays.
func (c *Core) CancelRetention(ctx context.Context, id int64) error {
	return c.store.CancelRetention(ctx, id)
}

// RetentionRuns lists the newest runs.
func (c *Core) RetentionRuns(ctx context.Context, limit int) ([]engine.RetentionRun, error) {
	return c.store.RetentionRuns(ctx, limit)
}

// RunRetention applies the rules once a day until ctx ends.
func (c *Core) RunRetention(ctx context.Context) error {
	return catalog.RunRetention(ctx, c.store, c.opts.Host, c.id)
}
