package enginetest

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"windlass/internal/engine"
)

// EventsKept are the saved filters of users and the rules by which events are
// kept, of a Fake. Runs end only when a test says so.
type EventsKept struct {
	Rules  []engine.RetentionRule
	Runs   []engine.RetentionRun // the newest first
	saved  map[string][]engine.SavedFilter
	lastID int64
}

func (f *Fake) SavedFilters(_ context.Context, account, user string) ([]engine.SavedFilter, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	list := slices.Clone(f.Kept.saved[account+"/"+user])
	slices.SortFunc(list, func(a, b engine.SavedFilter) int {
		return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
	})
	return list, nil
}

func (f *Fake) SaveFilter(_ context.Context, account, user, name, query string) (engine.SavedFilter, error) {
	name, err := engine.SavedFilterName(name)
	if err != nil {
		return engine.SavedFilter{}, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Kept.saved == nil {
		f.Kept.saved = map[string][]engine.SavedFilter{}
	}
	of := f.Kept.saved[account+"/"+user]
	for i := range of {
		if of[i].Name == name {
			of[i].Query = query
			return of[i], nil
		}
	}
	f.Kept.lastID++
	v := engine.SavedFilter{ID: f.Kept.lastID, Name: name, Query: query, CreatedAt: time.Now()}
	f.Kept.saved[account+"/"+user] = append(of, v)
	return v, nil
}

func (f *Fake) RenameFilter(_ context.Context, account, user string, id int64, name string) error {
	name, err := engine.SavedFilterName(name)
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, v := range f.Kept.saved[account+"/"+user] {
		if v.ID == id {
			f.Kept.saved[account+"/"+user][i].Name = name
			return nil
		}
	}
	return engine.NotFoundf("That filter is not saved any more.")
}

func (f *Fake) DeleteFilter(_ context.Context, account, user string, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	of := f.Kept.saved[account+"/"+user]
	i := slices.IndexFunc(of, func(v engine.SavedFilter) bool { return v.ID == id })
	if i < 0 {
		return engine.NotFoundf("That filter is not saved any more.")
	}
	f.Kept.saved[account+"/"+user] = slices.Delete(of, i, i+1)
	return nil
}

func (f *Fake) EventRetention(context.Context) ([]engine.RetentionRule, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Kept.Rules == nil {
		f.Kept.Rules = []engine.RetentionRule{{Level: engine.LevelError, Days: 365}, {Level: engine.LevelInfo, Days: 90}}
	}
	return slices.Clone(f.Kept.Rules), nil
}

func (f *Fake) NextRetention(context.Context) (time.Time, error) {
	return time.Now().Add(time.Hour), nil
}

func (f *Fake) SetEventRetention(ctx context.Context, rules []engine.RetentionRule, by string) error {
	if err := engine.CheckRetention(rules); err != nil {
		return err
	}
	f.mu.Lock()
	for i := range f.Kept.Rules {
		for _, r := range rules {
			if is := &f.Kept.Rules[i]; is.Level == r.Level {
				is.Enabled, is.Days, is.UpdatedBy, is.UpdatedAt = r.Enabled, r.Days, by, time.Now()
			}
		}
	}
	f.mu.Unlock()
	f.Change(engine.ChangeRetention, "", "")
	return nil
}

func (f *Fake) PlanRetention(_ context.Context, rules []engine.RetentionRule) ([]engine.RetentionPlan, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var plans []engine.RetentionPlan
	for _, r := range rules {
		p := engine.RetentionPlan{Level: r.Level, Days: r.Days, Before: time.Now().AddDate(0, 0, -r.Days)}
		for _, e := range f.Log.list {
			if e.Level == r.Level && e.At.Before(p.Before) {
				p.Events++
				if p.Oldest.IsZero() || e.At.Before(p.Oldest) {
					p.Oldest = e.At
				}
			}
		}
		plans = append(plans, p)
	}
	return plans, nil
}

func (f *Fake) StartRetention(_ context.Context, by string) (engine.RetentionRun, error) {
	f.mu.Lock()
	run := engine.RetentionRun{ID: int64(len(f.Kept.Runs) + 1), Trigger: "request", By: by, Status: engine.RetentionRunning, Host: "host-1", StartedAt: time.Now()}
	f.Kept.Runs = slices.Insert(f.Kept.Runs, 0, run)
	f.mu.Unlock()
	f.Change(engine.ChangeRetention, "", "1")
	return run, nil
}

func (f *Fake) CancelRetention(_ context.Context, id int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.Kept.Runs {
		if r := &f.Kept.Runs[i]; r.ID == id && r.Status == engine.RetentionRunning {
			r.Status, r.EndedAt = engine.RetentionCancelled, time.Now()
			return nil
		}
	}
	return engine.Conflictf("That run has already ended.")
}

func (f *Fake) RetentionRuns(_ context.Context, limit int) ([]engine.RetentionRun, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.Kept.Runs[:min(limit, len(f.Kept.Runs))]), nil
}
