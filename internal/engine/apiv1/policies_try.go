package apiv1

import (
	"encoding/json"
	"net/http"

	"windlass/internal/engine"
)

// trials is what came of a try on the wire.
type trials struct {
	Against  *string `json:"against"`
	Analyzed int     `json:"analyzed"`
	Left     int     `json:"left"`
	Changed  int     `json:"changed"`
	Images   []trial `json:"images"`
}

type trial struct {
	Digest  string        `json:"imageDigest"`
	Tag     string        `json:"tag"`
	Tried   trialVerdict  `json:"tried"`
	Against *trialVerdict `json:"against"`
	Same    int           `json:"same"`
	More    int           `json:"more_changes"`
	Changes []trialChange `json:"changes"`
}

type trialVerdict struct {
	Status   string `json:"status"`
	Action   string `json:"final_action"`
	Reason   string `json:"final_action_reason"`
	Mapping  string `json:"mapping"`
	Stop     int    `json:"stop"`
	Warn     int    `json:"warn"`
	Go       int    `json:"go"`
	Excepted int    `json:"excepted"`
	Fault    string `json:"fault"`
}

type trialChange struct {
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

// tryPolicy asks a bundle that need not be stored about images.
func (s *Server) tryPolicy(w http.ResponseWriter, r *request) error {
	var body struct {
		Bundle  json.RawMessage `json:"policybundle"`
		Against string          `json:"against"`
		Images  []string        `json:"images"`
		Newest  int             `json:"newest"`
		Tag     string          `json:"tag"`
	}
	if err := r.decode(&body); err != nil {
		return err
	}
	out, err := s.backend.TryPolicy(r.Context(), engine.PolicyTry{
		Account: r.Account, Document: body.Bundle, Against: body.Against, Images: body.Images, Newest: body.Newest, Tag: body.Tag,
	})
	if err != nil {
		return err
	}
	return reply(w, wireTrials(out))
}

func wireTrials(t engine.PolicyTrials) trials {
	out := trials{Against: orNil(t.Against), Analyzed: t.Analyzed, Left: t.Left, Images: []trial{}}
	for _, one := range t.Trials {
		w := trial{
			Digest: string(one.Image), Tag: one.Tag, Tried: wireTrial(&one.Tried, one.TriedRows, one.Fault), Same: one.Same, More: one.MoreChanges,
			Changes: []trialChange{},
		}
		if one.Now != nil || one.NowFault != "" {
			v := wireTrial(one.Now, one.NowRows, one.NowFault)
			w.Against = &v
			if v.Action != w.Tried.Action {
				out.Changed++
			}
		}
		for _, c := range one.Changes {
			w.Changes = append(w.Changes, wireChange(c))
		}
		out.Images = append(out.Images, w)
	}
	return out
}

func wireTrial(v *engine.Verdict, n engine.VerdictRows, fault string) trialVerdict {
	if fault != "" || v == nil {
		return trialVerdict{Fault: fault}
	}
	w := trialVerdict{
		Status: "pass", Action: v.Action, Reason: v.Reason, Mapping: v.Mapping, Stop: n.Stop, Warn: n.Warn, Go: n.Go, Excepted: n.Excepted,
	}
	if v.Action == engine.ActionStop {
		w.Status = "fail"
	}
	return w
}

func wireChange(c engine.VerdictChange) trialChange {
	r := c.Row
	w := trialChange{
		Change: c.Kind, TriggerID: r.TriggerID, Gate: r.Gate, Trigger: r.Trigger, Output: r.Output, Action: r.Action, Policy: r.PolicyID,
		Why: map[string]string{},
	}
	switch {
	case c.Kind == engine.RowGone:
		w.Was, w.Action = r.Action, ""
	case c.Was != nil:
		w.Was = c.Was.Action
	}
	if r.Exception != nil {
		w.Whitelist = r.Exception.WhitelistName
	}
	y := r.Why
	for name, text := range map[string]string{
		"rule_id": y.RuleID, "record": y.Record, "namespace": y.Namespace, "package": y.Package, "path": y.Path, "version": y.Version,
		"against": y.Against, "fix": y.Fix, "matcher": y.Matcher,
	} {
		if text != "" {
			w.Why[name] = text
		}
	}
	return w
}
