package apiv1

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"

	"windlass/internal/engine"
	"windlass/internal/engine/evaluation"
)

// Evaluations is what the evaluation operations ask of the engine. Tags may be
// written as clients do; they need not be the image's.
type Evaluations interface {
	// CheckImage asks a bundle of the image's account, the active one when
	// policy is empty. Interactive checks leave no trace.
	CheckImage(ctx context.Context, i engine.Image, tag, policy string, interactive bool) (engine.Evaluation, error)
	// EachEvaluation calls each with every stored evaluation, newest first: by
	// one bundle, or by all when policy is empty.
	EachEvaluation(ctx context.Context, account, policy, digest, tag string, each func(engine.Evaluation) error) error
}

func (s *Server) evaluationsOps() map[string]op {
	return map[string]op{
		"checkImage":     {perm: acct("getImageEvaluation"), call: s.checkImage, heavy: true, writes: true},
		"checkImageById": {perm: acct("getImageEvaluation"), call: s.checkImage, heavy: true, writes: true},
	}
}

// Evaluation is one outcome on the wire.
type Evaluation struct {
	PolicyID string `json:"policyId"`
	Status   string `json:"status"`
	At       string `json:"last_evaluation"`
	Detail   any    `json:"detail"`
}

// evaluationDetail is the outcome whole, with the bundle that gave it.
type evaluationDetail struct {
	Result evaluation.Document `json:"result"`
	Policy json.RawMessage     `json:"policy"`
}

func wireEvaluation(e engine.Evaluation, detail bool) Evaluation {
	out := Evaluation{PolicyID: e.Policy, Status: "pass", At: stamp(e.At), Detail: struct{}{}}
	if e.Action == engine.ActionStop {
		out.Status = "fail"
	}
	if !detail {
		return out
	}
	d := evaluation.DocumentOf(e)
	out.Detail = evaluationDetail{Result: d, Policy: d.Bundle}
	return out
}

func (s *Server) checkImage(w http.ResponseWriter, r *request) error {
	i, err := s.imageOf(r)
	if err != nil {
		return err
	}
	if i.State != engine.Analyzed {
		return notAnalyzed(i)
	}
	policy, tag, detail := r.queryText("policyId"), r.queryText("tag"), r.queryBool("detail", true)
	interactive := r.queryBool("interactive", false)
	e, err := s.backend.CheckImage(r.Context(), i, tag, policy, interactive)
	if err != nil {
		return err
	}
	var list iter.Seq2[Evaluation, error] = func(yield func(Evaluation, error) bool) { yield(wireEvaluation(e, detail), nil) }
	// What was not stored is not in the history either.
	if r.queryBool("history", false) && !interactive {
		list = func(yield func(Evaluation, error) bool) {
			err := s.backend.EachEvaluation(r.Context(), r.Account, policy, string(i.Digest), tag, func(e engine.Evaluation) error {
				if !yield(wireEvaluation(e, detail), nil) {
					return errStopped
				}
				return nil
			})
			if err != nil && !errors.Is(err, errStopped) {
				yield(Evaluation{}, err)
			}
		}
	}
	return replyNested(w, []string{string(i.Digest), e.Tag}, list)
}
