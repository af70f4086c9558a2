package apiv1

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/evaluation"
	"windlass/internal/engine/policy"
)

// fakeEvaluations has one analyzed image, one that waits, and a bundle "std"
// that says warn now and said stop before.
type fakeEvaluations struct {
	testAuth
	asked []string
}

const (
	digestDone    = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	digestWaiting = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

func (*fakeEvaluations) Image(_ context.Context, account, digest string) (engine.Image, error) {
	i := engine.Image{Account: account, Digest: engine.Digest(digest), ID: strings.Repeat("3", 64), State: engine.Analyzed}
	switch digest {
	case digestDone, "sha256:parent":
		i.Digest = digestDone
		return i, nil
	case digestWaiting:
		i.State = engine.NotAnalyzed
		return i, nil
	}
	return i, engine.ErrNotFound
}

func (f *fakeEvaluations) ImageByID(ctx context.Context, account, id string) (engine.Image, error) {
	if id != strings.Repeat("3", 64) {
		return engine.Image{}, engine.ErrNotFound
	}
	return f.Image(ctx, account, digestDone)
}

func verdictOn(i engine.Image, tag string, action policy.Action) engine.Evaluation {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	raw, _ := json.Marshal(evaluation.Result{ImageID: i.ID, At: at, Verdict: policy.Verdict{
		Action: action, PolicyAction: action, Reason: policy.ReasonPolicy,
		Mapping: &policy.Mapping{Selector: policy.Selector{Raw: []byte(`{"name":"default","x-own":1}`)}},
		Rows: []policy.Row{
			{TriggerID: "always", Gate: "always", Trigger: "always", Output: "text", Action: policy.Warn, PolicyID: "p"},
			{TriggerID: "t", Gate: "always", Trigger: "always", Output: "<set aside>", Action: policy.Go, PolicyID: "p",
				Exception: &policy.Exception{WhitelistID: "w", WhitelistName: "W", ItemID: "i"}},
		},
	}})
	return engine.Evaluation{
		Account: i.Account, Policy: "std", Digest: i.Digest, Tag: tag, Action: string(action),
		Bundle: []byte(`{"id":"std","x-own":1.0}`), Result: raw, At: at.Add(time.Hour),
	}
}

func (f *fakeEvaluations) CheckImage(_ context.Context, i engine.Image, tag, policyID string, interactive bool) (engine.Evaluation, error) {
	switch {
	case policyID == "none":
		return engine.Evaluation{}, engine.NotFoundf("policy not found in DB")
	case tag == "bad":
		return engine.Evaluation{}, engine.NotFoundf("could not find any evaluations for input images")
	case tag == "@":
		return engine.Evaluation{}, engine.Invalidf("cannot handle image input string")
	}
	if interactive {
		f.asked = append(f.asked, "interactive")
	}
	return verdictOn(i, "docker.io/"+tag+":latest", policy.Warn), nil
}

func (f *fakeEvaluations) EachEvaluation(_ context.Context, account, _, digest, tag string, each func(engine.Evaluation) error) error {
	i := engine.Image{Account: account, Digest: engine.Digest(digest), ID: strings.Repeat("3", 64)}
	for _, action := range []policy.Action{policy.Warn, policy.Stop} {
		if err := each(verdictOn(i, "docker.io/"+tag+":latest", action)); err != nil {
			return err
		}
	}
	return nil
}

func TestCheckImage(t *testing.T) {
	path := "/v1/images/" + digestDone + "/check?"
	byID := "/v1/images/by_id/" + strings.Repeat("3", 64) + "/check?"
	const short = `{"policyId":"std","status":"pass","last_evaluation":"2026-01-02T04:04:05Z","detail":{}}`
	begin := `[{"` + digestDone + `":{"docker.io/alpine:latest":[`
	tests := map[string]struct {
		target string
		code   int
		says   string
	}{
		"short":               {path + "tag=alpine&detail=False", 200, begin + short + `]}}]`},
		"whole":               {path + "tag=alpine", 200, begin + `{"policyId":"std","status":"pass","last_evaluation":"2026-01-02T04:04:05Z","detail":{"result":{"user_id":"admin"`},
		"by id":               {byID + "tag=alpine&detail=false", 200, begin + short},
		"by the index":        {"/v1/images/sha256:parent/check?tag=alpine&detail=false", 200, begin + short},
		"history":             {path + "tag=alpine&detail=false&history=True", 200, short + `,{"policyId":"std","status":"fail"`},
		"history, left alone": {path + "tag=alpine&detail=false&history=true&interactive=true", 200, begin + short + `]}}]`},
		"no tag":              {path + "detail=false", 400, `"about:blank"`},
		"detail is no word":   {path + "tag=alpine&detail=1", 400, `"about:blank"`},
		"a tag that is none":  {path + "tag=%40", 400, `cannot handle image input string`},
		"no image":            {"/v1/images/sha256:00/check?tag=alpine", 404, "image not found in DB"},
		"no image of the id":  {"/v1/images/by_id/77/check?tag=alpine", 404, "image not found in DB"},
		"not analyzed":        {"/v1/images/" + digestWaiting + "/check?tag=alpine", 404, "image is not analyzed - analysis_status: not_analyzed"},
		"no policy":           {path + "tag=alpine&policyId=none", 404, "policy not found in DB"},
		"no result":           {path + "tag=bad", 404, "could not find any evaluations for input images"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			w := ask(t, &fakeEvaluations{}, http.MethodGet, tc.target, "", asAdmin)
			if w.Code != tc.code || !strings.Contains(w.Body.String(), tc.says) {
				t.Errorf("%d %s\nwant %d with %s", w.Code, w.Body, tc.code, tc.says)
			}
		})
	}
	w := ask(t, &fakeEvaluations{}, http.MethodGet, path+"tag=alpine", "", asBob)
	golden(t, "check", w.Body.Bytes())
	if w := ask(t, &fakeEvaluations{}, http.MethodGet, path+"tag=alpine", "", asNobody); w.Code != 401 {
		t.Errorf("without credentials: %d", w.Code)
	}
}
