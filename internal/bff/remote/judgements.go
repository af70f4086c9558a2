package remote

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"windlass/internal/engine"
)

type wireEvaluation struct {
	Policy string `json:"policyId"`
	Status string `json:"status"`
	At     stamp  `json:"last_evaluation"`
	Detail struct {
		Result json.RawMessage `json:"result"`
		Policy json.RawMessage `json:"policy"`
	} `json:"detail"`
}

type wireResult struct {
	Action      string                    `json:"final_action"`
	Reason      string                    `json:"final_action_reason"`
	Mapping     json.RawMessage           `json:"matched_mapping_rule"`
	Whitelisted json.RawMessage           `json:"matched_whitelisted_images_rule"`
	Blacklisted json.RawMessage           `json:"matched_blacklisted_images_rule"`
	Problems    []wireProblem             `json:"evaluation_problems"`
	Result      map[string]wireImageTable `json:"result"`
}

type wireProblem struct {
	Severity string `json:"severity"`
	Type     string `json:"problem_type"`
	Details  string `json:"details"`
}

type wireImageTable struct {
	Result struct {
		Header []string `json:"header"`
		Rows   [][]any  `json:"rows"`
		Action string   `json:"final_action"`
	} `json:"result"`
}

type wireRule struct {
	ID         string   `json:"id"`
	Name       string   `json:"name"`
	Registry   string   `json:"registry"`
	Repository string   `json:"repository"`
	PolicyID   string   `json:"policy_id"`
	PolicyIDs  []string `json:"policy_ids"`
	Whitelists []string `json:"whitelist_ids"`
	Image      struct{ Type, Value string }
}

// bundleNames are the names within a bundle that its results do not repeat.
type bundleNames struct {
	Name       string           `json:"name"`
	Policies   []engine.NamedID `json:"policies"`
	Whitelists []engine.NamedID `json:"whitelists"`
}

func (b bundleNames) of(list []engine.NamedID, id string) engine.NamedID {
	for _, n := range list {
		if n.ID == id {
			return n
		}
	}
	return engine.NamedID{ID: id}
}

func ruleOf(raw json.RawMessage) (*wireRule, *engine.JudgementRule) {
	var w *wireRule
	if json.Unmarshal(raw, &w) != nil || w == nil || w.Registry == "" {
		return nil, nil
	}
	images := w.Registry + "/" + w.Repository
	switch w.Image.Type {
	case "digest":
		images += "@" + w.Image.Value
	case "id":
		images += ", id " + w.Image.Value
	default:
		images += ":" + w.Image.Value
	}
	return w, &engine.JudgementRule{ID: w.ID, Name: w.Name, Images: images}
}

// judgementOf reads an evaluation as v1 has it: it tells the rows and not which
// rule's parameters made them.
func judgementOf(w wireEvaluation, digest, tag string) engine.Judgement {
	j := engine.Judgement{Policy: w.Policy, Digest: engine.Digest(digest), Tag: tag, At: w.At.Time, Action: engine.ActionGo}
	if w.Status == "fail" {
		j.Action = engine.ActionStop
	}
	var r wireResult
	var b bundleNames
	if json.Unmarshal(w.Detail.Result, &r) != nil {
		return j
	}
	json.Unmarshal(w.Detail.Policy, &b)
	j.PolicyName, j.Action, j.Reason = b.Name, cmp.Or(r.Action, j.Action), r.Reason
	mapping, rule := ruleOf(r.Mapping)
	if j.Mapping = rule; mapping != nil {
		for _, id := range mapping.PolicyIDs {
			j.Policies = append(j.Policies, b.of(b.Policies, id))
		}
		if len(mapping.PolicyIDs) == 0 && mapping.PolicyID != "" {
			j.Policies = append(j.Policies, b.of(b.Policies, mapping.PolicyID))
		}
		for _, id := range mapping.Whitelists {
			j.Whitelists = append(j.Whitelists, b.of(b.Whitelists, id))
		}
	}
	_, j.Whitelisted = ruleOf(r.Whitelisted)
	_, j.Blacklisted = ruleOf(r.Blacklisted)
	for _, p := range r.Problems {
		j.Problems = append(j.Problems, engine.JudgementProblem(p))
	}
	for _, table := range r.Result {
		j.PolicyAction = table.Result.Action
		for _, row := range table.Result.Rows {
			j.Rows = append(j.Rows, rowOf(table.Result.Header, row, b))
		}
	}
	return j
}

// columns of an evaluation's table, where it has no header of its own.
var columns = []string{"Image_Id", "Repo_Tag", "Trigger_Id", "Gate", "Trigger", "Check_Output", "Gate_Action", "Whitelisted", "Policy_Id"}

func rowOf(header []string, row []any, b bundleNames) engine.JudgementRow {
	if len(header) == 0 {
		header = columns
	}
	at := func(name string) any {
		if n := slices.Index(header, name); n >= 0 && n < len(row) {
			return row[n]
		}
		return nil
	}
	cell := func(name string) string {
		if v := at(name); v != nil {
			return fmt.Sprint(v)
		}
		return ""
	}
	r := engine.JudgementRow{
		TriggerID: cell("Trigger_Id"), Gate: cell("Gate"), Trigger: cell("Trigger"), Message: clean(cell("Check_Output")),
		Action: cell("Gate_Action"), Ruled: cell("Gate_Action"), Policy: b.of(b.Policies, cell("Policy_Id")),
	}
	if w, ok := at("Whitelisted").(map[string]any); ok {
		said := func(name string) string { s, _ := w[name].(string); return s }
		r.Exception = &engine.JudgementException{
			List: engine.NamedID{ID: said("whitelist_id"), Name: said("whitelist_name")}, Item: said("matched_rule_id"),
		}
		r.Action = engine.ActionGo
	}
	return r
}

// evaluations asks for the check of an image; with history, for the stored ones
// too, newest first.
func (c *Client) evaluations(ctx context.Context, account, digest, tag, policy string, history, interactive bool) ([]engine.Judgement, error) {
	q := url.Values{"detail": {"true"}, "history": {strconv.FormatBool(history)}, "interactive": {strconv.FormatBool(interactive)}}
	if tag != "" {
		q.Set("tag", tag)
	}
	if policy != "" {
		q.Set("policyId", policy)
	}
	var all []map[string]map[string][]wireEvaluation
	if err := c.get(ctx, account, path("images", digest, "check"), q, &all); err != nil {
		return nil, err
	}
	var list []engine.Judgement
	for _, images := range all {
		for d, tags := range images {
			for t, evaluations := range tags {
				for _, w := range evaluations {
					list = append(list, judgementOf(w, d, t))
				}
			}
		}
	}
	return list, nil
}

// Judgement asks a bundle about an image.
func (c *Client) Judgement(ctx context.Context, i engine.Image, tag, policy string, store bool) (engine.Judgement, error) {
	if tag == "" && len(i.Tags) > 0 {
		tag = i.Tags[0].Full()
	}
	if tag == "" {
		return engine.Judgement{}, engine.Invalidf("The image has no tag under which it could be judged.")
	}
	list, err := c.evaluations(ctx, i.Account, string(i.Digest), tag, policy, false, !store)
	if err != nil {
		return engine.Judgement{}, err
	}
	if len(list) == 0 {
		return engine.Judgement{}, engine.NotFoundf("The engine gave no evaluation of this image.")
	}
	j := list[0]
	j.Active = policy == ""
	if store {
		c.altered(i.Account, engine.ChangeEvaluation, string(i.Digest))
	}
	return j, nil
}

// StoredJudgement is the stored evaluation of a moment.
func (c *Client) StoredJudgement(ctx context.Context, account, digest, tag string, at time.Time) (engine.Judgement, error) {
	list, err := c.evaluations(ctx, account, digest, tag, "", true, false)
	for _, j := range list {
		if j.At.Equal(at) {
			return j, nil
		}
	}
	if err == nil {
		err = engine.NotFoundf("There is no evaluation of that moment.")
	}
	return engine.Judgement{}, err
}

// JudgementHistory lists stored evaluations, newest first.
func (c *Client) JudgementHistory(ctx context.Context, account, digest, tag string, limit int) ([]engine.JudgementStep, bool, error) {
	list, err := c.evaluations(ctx, account, digest, tag, "", true, false)
	if err != nil {
		return nil, false, err
	}
	var steps []engine.JudgementStep
	for n, j := range list {
		if n == limit {
			return steps, true, nil
		}
		s := engine.JudgementStep{At: j.At, Policy: j.Policy, PolicyName: j.PolicyName, Action: j.Action, First: n == len(list)-1}
		for _, r := range j.Rows {
			if r.Exception != nil {
				continue
			}
			s.Rows++
			switch r.Action {
			case engine.ActionStop:
				s.Stop++
			case engine.ActionWarn:
				s.Warn++
			}
		}
		if !s.First {
			s.Came, s.More = beyond(j.Rows, list[n+1].Rows)
			s.Went, s.Fewer = beyond(list[n+1].Rows, j.Rows)
		}
		steps = append(steps, s)
	}
	return steps, false, nil
}

// shownRows is how many of the rows that came or went are listed.
const shownRows = 20

// beyond lists rows of a that b does not have, and counts them.
func beyond(a, b []engine.JudgementRow) (list []engine.JudgementRow, n int) {
	type key struct{ id, gate, trigger, action string }
	of := func(r engine.JudgementRow) key { return key{r.TriggerID, r.Gate, r.Trigger, r.Action} }
	known := map[key]bool{}
	for _, r := range b {
		known[of(r)] = true
	}
	for _, r := range a {
		if !known[of(r)] {
			if n++; len(list) < shownRows {
				list = append(list, r)
			}
		}
	}
	return list, n
}

// ImageVerdicts tells what the policy says of one image. Of a list it would be
// a question for each.
func (c *Client) ImageVerdicts(ctx context.Context, account string, digests []engine.Digest) ([]engine.ImageVerdict, error) {
	if len(digests) == 0 {
		return nil, nil
	}
	if len(digests) > 1 {
		return nil, lacks("ImageVerdicts")
	}
	return kept(ctx, c, account, "verdict "+string(digests[0]), contentLife, func(ctx context.Context) ([]engine.ImageVerdict, error) {
		i, err := c.Image(ctx, account, string(digests[0]))
		if err != nil || len(i.Tags) == 0 {
			return nil, err
		}
		j, err := c.Judgement(ctx, i, "", "", false)
		if err != nil {
			return nil, err
		}
		return []engine.ImageVerdict{{Digest: i.Digest, Tag: j.Tag, Action: j.Action, At: j.At, Current: true}}, nil
	})
}
