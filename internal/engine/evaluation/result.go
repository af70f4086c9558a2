package evaluation

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// Result is what is kept of a verdict, as JSON.
type Result struct {
	ImageID string
	At      time.Time
	policy.Verdict
}

// ResultOf reads the result of an evaluation. Of one that cannot be read, as an
// archive from elsewhere may bring, the outcome is left.
func ResultOf(e engine.Evaluation) Result {
	r, ok := read(e)
	if !ok {
		a := policy.Action(e.Action)
		r = Result{At: e.At, Verdict: policy.Verdict{Action: a, PolicyAction: a, Reason: policy.ReasonPolicy, Problems: []policy.Problem{
			{Severity: "error", Type: policy.ProblemValidation, Details: "the stored result cannot be read"},
		}}}
	}
	return r
}

// read is false for a stored result that is not one this program wrote.
func read(e engine.Evaluation) (r Result, ok bool) {
	err := json.Unmarshal(e.Result, &r)
	return r, err == nil && string(r.Action) == e.Action
}

func put(out *engine.Evaluation, img engine.Image, v policy.Verdict) error {
	raw, err := json.Marshal(Result{ImageID: img.ID, At: out.At, Verdict: v})
	if err != nil {
		return fmt.Errorf("result: %w", err)
	}
	out.Action, out.Result = string(v.Action), raw
	return nil
}

// evalID is v1's id of an evaluation.
func evalID(e engine.Evaluation) string {
	sum := md5.Sum([]byte(strings.Join([]string{e.Policy, e.Account, string(e.Digest), e.Tag, strings.ToUpper(e.Action)}, ":")))
	return hex.EncodeToString(sum[:])
}

// Document is an evaluation as v1 shows it, in the reply to a check and in
// events alike.
type Document struct {
	UserID      string           `json:"user_id"`
	ImageID     string           `json:"image_id"`
	ImageDigest string           `json:"image_digest"`
	Tag         string           `json:"tag"`
	Status      string           `json:"status"`
	Bundle      json.RawMessage  `json:"bundle"`
	Mapping     any              `json:"matched_mapping_rule"` // the rule as written, or false; as the two that follow
	Whitelisted any              `json:"matched_whitelisted_images_rule"`
	Blacklisted any              `json:"matched_blacklisted_images_rule"`
	Action      policy.Action    `json:"final_action"`
	Reason      string           `json:"final_action_reason"`
	CreatedAt   int64            `json:"created_at"`
	ModifiedAt  int64            `json:"last_modified"`
	Problems    []policy.Problem `json:"evaluation_problems"`
	Result      map[string]table `json:"result"` // by image id
}

// table is the rows of a result with what v1 writes around them.
type table struct {
	Result struct {
		Header   []string      `json:"header"`
		RowCount int           `json:"row_count"`
		Rows     [][]any       `json:"rows"`
		Action   policy.Action `json:"final_action"` // of the policies, before the image lists
	} `json:"result"`
	PolicyData     []string `json:"policy_data"`
	WhitelistData  []string `json:"whitelist_data"`
	PolicyName     string   `json:"policy_name"`
	WhitelistNames []string `json:"whitelist_names"`
}

// DocumentOf writes an evaluation out.
func DocumentOf(e engine.Evaluation) Document {
	r := ResultOf(e)
	d := Document{
		UserID: e.Account, ImageID: r.ImageID, ImageDigest: string(e.Digest), Tag: e.Tag, Status: r.Status(),
		Bundle: e.Bundle, Mapping: false, Whitelisted: written(r.Whitelisted), Blacklisted: written(r.Blacklisted),
		Action: r.Action, Reason: r.Reason, CreatedAt: r.At.Unix(), ModifiedAt: e.At.Unix(), Problems: r.Problems,
	}
	if r.Mapping != nil {
		d.Mapping = written(&r.Mapping.Selector)
	}
	if d.Problems == nil {
		d.Problems = []policy.Problem{}
	}
	if d.Bundle == nil {
		d.Bundle = json.RawMessage(`{}`)
	}
	t := table{PolicyData: []string{}, WhitelistData: []string{}, WhitelistNames: []string{}}
	t.Result.Header, t.Result.RowCount, t.Result.Action = policy.Header, len(r.Rows), r.PolicyAction
	t.Result.Rows = make([][]any, len(r.Rows))
	for i := range r.Rows {
		t.Result.Rows[i] = r.Rows[i].Cells(r.ImageID, e.Tag)
	}
	d.Result = map[string]table{r.ImageID: t}
	return d
}

// written is a rule as it stands in the bundle, or false.
func written(s *policy.Selector) any {
	if s == nil {
		return false
	}
	return s.Raw
}

// event tells that a tag's evaluation is another than the last.
func (e *Evaluator) event(last, now engine.Evaluation, annotations map[string]any) (engine.Event, error) {
	was, err := plain(last)
	if err != nil {
		return engine.Event{}, err
	}
	is, err := plain(now)
	if err != nil {
		return engine.Event{}, err
	}
	details := map[string]any{"last_eval": was, "curr_eval": is, "subscription_type": string(engine.SubPolicyEval)}
	if len(annotations) > 0 {
		details["annotations"] = annotations
	}
	return engine.NewEvent(engine.EvPolicyEvalUpdate, now.Account, now.Tag, details, e.source), nil
}

// plain is the document of an evaluation as the details of an event hold it.
func plain(e engine.Evaluation) (map[string]any, error) {
	raw, err := json.Marshal(DocumentOf(e))
	if err != nil {
		return nil, fmt.Errorf("evaluation %s: %w", e.ID, err)
	}
	var m map[string]any
	err = json.Unmarshal(raw, &m)
	return m, err
}
