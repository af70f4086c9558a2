package apiv1

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"windlass/internal/engine"
)

// Retention is what the operations on how long events are kept ask of the
// engine. It concerns all accounts.
type Retention interface {
	EventRetention(ctx context.Context) ([]engine.RetentionRule, error)
	NextRetention(ctx context.Context) (time.Time, error)
	SetEventRetention(ctx context.Context, rules []engine.RetentionRule, by string) error
	PlanRetention(ctx context.Context, rules []engine.RetentionRule) ([]engine.RetentionPlan, error)
	StartRetention(ctx context.Context, by string) (engine.RetentionRun, error)
	CancelRetention(ctx context.Context, id int64) error
	RetentionRuns(ctx context.Context, limit int) ([]engine.RetentionRun, error)
}

func (s *Server) retentionOps() map[string]op {
	return map[string]op{
		"getEventRetention":      {perm: acct("listEvents"), call: s.getRetention},
		"updateEventRetention":   {perm: admin("updateEventRetention"), call: s.updateRetention},
		"planEventRetention":     {perm: admin("updateEventRetention"), call: s.planRetention, heavy: true},
		"listEventRetentionRuns": {perm: admin("updateEventRetention"), call: s.listRetentionRuns},
		"startEventRetention":    {perm: admin("updateEventRetention"), call: s.startRetention},
		"cancelEventRetention":   {perm: admin("updateEventRetention"), call: s.cancelRetention},
	}
}

// wireRetentionRule is a rule as it is given and asked for.
type wireRetentionRule struct {
	Level     string  `json:"level"`
	Enabled   bool    `json:"enabled"`
	Days      int     `json:"days"`
	UpdatedAt string  `json:"updated_at"`
	UpdatedBy *string `json:"updated_by"`
}

func (s *Server) replyRetention(w http.ResponseWriter, r *request) error {
	rules, err := s.backend.EventRetention(r.Context())
	if err != nil {
		return err
	}
	next, err := s.backend.NextRetention(r.Context())
	if err != nil {
		return err
	}
	out := make([]wireRetentionRule, len(rules))
	for i, v := range rules {
		out[i] = wireRetentionRule{Level: v.Level, Enabled: v.Enabled, Days: v.Days, UpdatedAt: stamp(v.UpdatedAt), UpdatedBy: orNil(v.UpdatedBy)}
	}
	return reply(w, map[string]any{"rules": out, "next_run": stampOrNil(next)})
}

func (s *Server) getRetention(w http.ResponseWriter, r *request) error {
	return s.replyRetention(w, r)
}

// retentionRules reads the rules of a body; without any those that are stored.
func (s *Server) retentionRules(r *request) ([]engine.RetentionRule, error) {
	var body struct {
		Rules []struct {
			Level   string `json:"level"`
			Enabled bool   `json:"enabled"`
			Days    int    `json:"days"`
		} `json:"rules"`
	}
	if err := r.decode(&body); err != nil {
		return nil, err
	}
	if len(body.Rules) == 0 {
		return s.backend.EventRetention(r.Context())
	}
	var rules []engine.RetentionRule
	for _, v := range body.Rules {
		rules = append(rules, engine.RetentionRule{Level: v.Level, Enabled: v.Enabled, Days: v.Days})
	}
	return rules, nil
}

func (s *Server) updateRetention(w http.ResponseWriter, r *request) error {
	rules, err := s.retentionRules(r)
	if err == nil {
		err = s.backend.SetEventRetention(r.Context(), rules, r.Identity.User)
	}
	if err != nil {
		return err
	}
	return s.replyRetention(w, r)
}

type wireRetentionPlan struct {
	Level  string  `json:"level"`
	Days   int     `json:"days"`
	Before string  `json:"before"`
	Events int64   `json:"events"`
	Oldest *string `json:"oldest_at"`
}

func (s *Server) planRetention(w http.ResponseWriter, r *request) error {
	rules, err := s.retentionRules(r)
	if err != nil {
		return err
	}
	plans, err := s.backend.PlanRetention(r.Context(), rules)
	if err != nil {
		return err
	}
	out := make([]wireRetentionPlan, len(plans))
	for i, p := range plans {
		out[i] = wireRetentionPlan{Level: p.Level, Days: p.Days, Before: stamp(p.Before), Events: p.Events, Oldest: stampOrNil(p.Oldest)}
	}
	return reply(w, map[string]any{"plans": out})
}

type wireRetentionRun struct {
	ID        int64               `json:"id"`
	Trigger   string              `json:"trigger"`
	By        *string             `json:"by"`
	Status    string              `json:"status"`
	Deleted   int64               `json:"deleted"`
	Total     int64               `json:"total"`
	Rules     []wireRetentionPart `json:"rules"`
	Host      *string             `json:"host"`
	StartedAt string              `json:"started_at"`
	EndedAt   *string             `json:"ended_at"`
}

type wireRetentionPart struct {
	Level   string `json:"level"`
	Days    int    `json:"days"`
	Before  string `json:"before"`
	Total   int64  `json:"total"`
	Deleted int64  `json:"deleted"`
}

func wireRetentionRunOf(v engine.RetentionRun) wireRetentionRun {
	out := wireRetentionRun{
		ID: v.ID, Trigger: v.Trigger, By: orNil(v.By), Status: v.Status, Deleted: v.Deleted, Total: v.Total(), Rules: []wireRetentionPart{},
		Host: orNil(v.Host), StartedAt: stamp(v.StartedAt), EndedAt: stampOrNil(v.EndedAt),
	}
	for _, p := range v.Rules {
		out.Rules = append(out.Rules, wireRetentionPart{Level: p.Level, Days: p.Days, Before: stamp(p.Before), Total: p.Total, Deleted: p.Deleted})
	}
	return out
}

func (s *Server) listRetentionRuns(w http.ResponseWriter, r *request) error {
	runs, err := s.backend.RetentionRuns(r.Context(), r.queryInt("limit", 50))
	if err != nil {
		return err
	}
	out := make([]wireRetentionRun, len(runs))
	for i, v := range runs {
		out[i] = wireRetentionRunOf(v)
	}
	return reply(w, map[string]any{"runs": out})
}

func (s *Server) startRetention(w http.ResponseWriter, r *request) error {
	run, err := s.backend.StartRetention(r.Context(), r.Identity.User)
	if err != nil {
		return err
	}
	return reply(w, wireRetentionRunOf(run))
}

func (s *Server) cancelRetention(w http.ResponseWriter, r *request) error {
	id, err := strconv.ParseInt(r.param("runId"), 10, 64)
	if err != nil {
		return engine.NotFoundf("There is no run %s.", r.param("runId"))
	}
	if err := s.backend.CancelRetention(r.Context(), id); err != nil {
		return err
	}
	return reply(w, nil)
}
