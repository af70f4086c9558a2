package remote

import (
	"context"
	"encoding/json"

	"windlass/internal/engine"
)

type wireTrialVerdict struct {
	Action   string `json:"final_action"`
	Reason   string `json:"final_action_reason"`
	Mapping  string `json:"mapping"`
	Stop     int    `json:"stop"`
	Warn     int    `json:"warn"`
	Go       int    `json:"go"`
	Excepted int    `json:"excepted"`
	Fault    string `json:"fault"`
}

func (w wireTrialVerdict) verdict() (engine.Verdict, engine.VerdictRows) {
	return engine.Verdict{Action: w.Action, PolicyAction: w.Action, Reason: w.Reason, Mapping: w.Mapping},
		engine.VerdictRows{Stop: w.Stop, Warn: w.Warn, Go: w.Go, Excepted: w.Excepted}
}

type wireTrialChange struct {
	Change    string            `json:"change"`
	TriggerID string            `json:"trigger_id"`
	Gate      string            `json:"gate"`
	Trigger   string            `json:"trigger"`
	Output    string            `json:"check_output"`
	Action    string            `json:"gate_action"`
	Was       string            `json:"was_action"`
	Whitelist string            `json:"whitelisted"`
	Policy    string            `json:"policy_id"`
	Why       map[string]string `json:"why"`
}

func trialChangeOf(w wireTrialChange) engine.VerdictChange {
	y := w.Why
	r := engine.VerdictRow{
		TriggerID: w.TriggerID, Gate: w.Gate, Trigger: w.Trigger, Output: clean(w.Output), Action: w.Action, PolicyID: w.Policy,
		Why: engine.VerdictWhy{
			RuleID: y["rule_id"], Record: y["record"], Namespace: y["namespace"], Package: y["package"], Path: y["path"], Version: y["version"],
			Against: y["against"], Fix: y["fix"], Matcher: y["matcher"],
		},
	}
	if w.Whitelist != "" {
		r.Exception = &engine.VerdictException{WhitelistName: w.Whitelist}
	}
	v := engine.VerdictChange{Kind: w.Change, Row: r}
	switch {
	case w.Change == engine.RowGone:
		v.Row.Action = w.Was
	case w.Was != "":
		was := r
		was.Action = w.Was
		v.Was = &was
	}
	return v
}

// TryPolicy asks a Windlass what a bundle would say.
func (c *Client) TryPolicy(ctx context.Context, q engine.PolicyTry) (engine.PolicyTrials, error) {
	body := map[string]any{"policybundle": json.RawMessage(q.Document)}
	if q.Against != "" {
		body["against"] = q.Against
	}
	if len(q.Images) > 0 {
		body["images"] = q.Images
	} else if q.Newest > 0 {
		body["newest"] = q.Newest
	}
	if q.Tag != "" {
		body["tag"] = q.Tag
	}
	var out struct {
		Against  *string `json:"against"`
		Analyzed int     `json:"analyzed"`
		Left     int     `json:"left"`
		Images   []struct {
			Digest  string            `json:"imageDigest"`
			Tag     string            `json:"tag"`
			Tried   wireTrialVerdict  `json:"tried"`
			Against *wireTrialVerdict `json:"against"`
			Same    int               `json:"same"`
			More    int               `json:"more_changes"`
			Changes []wireTrialChange `json:"changes"`
		} `json:"images"`
	}
	err := c.beyond(ctx, "POST /console/policies/try", call{body: body, account: q.Account, out: &out})
	t := engine.PolicyTrials{Against: text(out.Against), Left: out.Left, Analyzed: out.Analyzed}
	for _, w := range out.Images {
		one := engine.PolicyTrial{Image: engine.Digest(w.Digest), Tag: w.Tag, Fault: w.Tried.Fault, Same: w.Same, MoreChanges: w.More}
		one.Tried, one.TriedRows = w.Tried.verdict()
		if w.Against != nil {
			if one.NowFault = w.Against.Fault; one.NowFault == "" {
				now, rows := w.Against.verdict()
				one.Now, one.NowRows = &now, rows
			}
		}
		for _, ch := range w.Changes {
			one.Changes = append(one.Changes, trialChangeOf(ch))
		}
		t.Trials = append(t.Trials, one)
	}
	return t, err
}
