package present

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// RetentionIn is what the page of how long events are kept is made of.
type RetentionIn struct {
	Rules []engine.RetentionRule
	May   bool
	Next  time.Time
	Runs  []engine.RetentionRun
	Asked []engine.RetentionRule // of a dry run; nil: none was asked for
	Plan  []engine.RetentionPlan // one for each of Asked
	User  string
	API   string
}

// Retention shapes the page.
func Retention(in RetentionIn, c Clock) view.EventRetention {
	v := view.EventRetention{May: in.May}
	path := "/console/events/retention"
	v.Same = view.SameBy{API: curl(in.User, in.API, path)}
	on := func(r engine.RetentionRule) bool { return r.Enabled }
	v.Anything = slices.ContainsFunc(in.Rules, on)
	form := in.Rules
	if in.Asked != nil {
		form = in.Asked
		v.Plan = retentionPlan(in, c)
	}
	for i, r := range in.Rules {
		rule := view.RetentionRule{
			Level: r.Level, Name: levelName(r.Level), Error: r.Level == engine.LevelError, Enabled: form[i].Enabled, Days: strconv.Itoa(form[i].Days),
			Says: retentionSays(r), By: r.UpdatedBy,
		}
		if r.UpdatedBy != "" {
			rule.At = c.Ago(r.UpdatedAt)
		}
		v.Rules = append(v.Rules, rule)
	}
	for _, r := range in.Runs {
		run := retentionRun(r, c)
		if r.Status == engine.RetentionRunning {
			v.Running = &run
		}
		v.Runs = append(v.Runs, run)
	}
	switch {
	case v.Running != nil:
		v.Next = "The rules are being applied now."
	case !v.Anything:
		v.Next = "No rule is on: events stay until somebody clears them."
	case !in.Next.After(c.Now):
		v.Next = "The rules are about to be applied."
	default:
		v.Next, v.NextAt = "The rules are next applied", c.Until(in.Next)
	}
	return v
}

func levelName(level string) string {
	if level == engine.LevelError {
		return "Errors"
	}
	return "Info"
}

func retentionSays(r engine.RetentionRule) string {
	if !r.Enabled {
		return "kept until somebody clears them"
	}
	return "kept for " + Plural(r.Days, "day", "days")
}

func retentionPlan(in RetentionIn, c Clock) *view.RetentionPlan {
	p := &view.RetentionPlan{Saved: true}
	var goes int64
	for i, r := range in.Asked {
		was, plan := in.Rules[i], in.Plan[i]
		p.Saved = p.Saved && was.Enabled == r.Enabled && was.Days == r.Days
		p.On = p.On || r.Enabled
		if r.Enabled {
			goes += plan.Events
		}
		row := view.RetentionPlanRow{
			Level: levelName(r.Level), Error: r.Level == engine.LevelError, Enabled: r.Enabled, Keeps: Plural(r.Days, "day", "days"),
			Events: Count(plan.Events), Before: c.Exact(plan.Before),
		}
		if !plan.Oldest.IsZero() {
			row.Oldest = c.Exact(plan.Oldest)
		}
		p.Rows = append(p.Rows, row)
	}
	switch {
	case !p.On:
		p.Title = "Nothing would be deleted: no rule is on"
	case goes == 0:
		p.Title = "Nothing would be deleted now: no event is that old"
	default:
		p.Title = Plural(goes, "event", "events") + " of all accounts would be deleted now"
	}
	return p
}

func retentionRun(r engine.RetentionRun, c Clock) view.RetentionRun {
	v := view.RetentionRun{ID: fmt.Sprint(r.ID), At: c.Exact(r.StartedAt), Host: r.Host, Why: "Daily", Deleted: Count(r.Deleted)}
	if r.Trigger == "request" {
		v.Why = "By " + r.By
	}
	var rules []string
	for _, p := range r.Rules {
		rules = append(rules, fmt.Sprintf("%s %s: %s", levelName(p.Level), Plural(p.Days, "day", "days"), Count(p.Deleted)))
	}
	v.Rules = strings.Join(rules, ", ")
	end := r.EndedAt
	switch r.Status {
	case engine.RetentionRunning:
		v.State, end = view.Pill{Tone: "run", Text: "Running"}, c.Now
		v.Cancel = "/events/retention/runs/" + v.ID + "/cancel"
		total := r.Total()
		v.Meter = view.Meter{Label: "Events deleted", Value: r.Deleted, Max: max(total, 1), Text: Count(r.Deleted) + " of " + Count(total)}
		if took := c.Now.Sub(r.StartedAt); took >= time.Second && r.Deleted > 0 {
			perSecond := float64(r.Deleted) / took.Seconds()
			left := time.Duration(float64(max(total-r.Deleted, 0)) / perSecond * float64(time.Second))
			v.Meter.Text += fmt.Sprintf(", %s a second, about %s left", Count(int64(perSecond)), Span(left))
		}
	case engine.RetentionCancelled:
		v.State = view.Pill{Tone: "warn", Text: "Stopped"}
	default:
		v.State = view.Pill{Tone: "ok", Text: "Done"}
	}
	v.Took = Span(end.Sub(r.StartedAt))
	return v
}
