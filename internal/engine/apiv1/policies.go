package apiv1

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"net/http"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// Policies is what the policy operations ask of the engine. Bundles are told
// apart by account and id.
type Policies interface {
	// EachPolicy calls each with every bundle of an account; with documents,
	// when they are asked for.
	EachPolicy(ctx context.Context, account string, documents bool, each func(engine.PolicyBundle) error) error
	Policy(ctx context.Context, account, id string) (engine.PolicyBundle, error)
	// AddPolicy stores a bundle, inactive, in place of the one of the same id.
	// A document that is no valid bundle is a Fault.
	AddPolicy(ctx context.Context, account string, document []byte) (engine.PolicyBundle, error)
	// UpdatePolicy replaces a bundle that exists and, with active, makes it
	// the active one. engine.ErrConflict when it would deactivate it.
	UpdatePolicy(ctx context.Context, account, id string, document []byte, active bool) (engine.PolicyBundle, error)
	// DeletePolicy is engine.ErrConflict for the active bundle.
	DeletePolicy(ctx context.Context, account, id string) error
	// TryPolicy asks a bundle that need not be stored about images, and the
	// active one, or another stored one, beside it. Nothing is kept of it.
	TryPolicy(ctx context.Context, q engine.PolicyTry) (engine.PolicyTrials, error)
}

func (s *Server) policiesOps() map[string]op {
	return map[string]op{
		"listPolicies":   {perm: acct("listPolicies"), call: s.listPolicies},
		"createPolicy":   {perm: acct("createPolicy"), call: s.createPolicy},
		"getPolicy":      {perm: acct("getPolicy"), call: s.getPolicy},
		"updatePolicy":   {perm: acct("updatePolicy"), call: s.updatePolicy},
		"deletePolicy":   {perm: acct("deletePolicy"), call: s.deletePolicy},
		"tryPolicy":      {perm: acct("tryPolicy"), call: s.tryPolicy, heavy: true},
		"describePolicy": {perm: anyo, call: describePolicy},
	}
}

// PolicyRecord is a stored bundle on the wire. Name and description are left
// out where the bundle has none.
type PolicyRecord struct {
	ID          string          `json:"policyId"`
	UserID      string          `json:"userId"`
	Active      bool            `json:"active"`
	Source      string          `json:"policy_source"`
	CreatedAt   string          `json:"created_at"`
	LastUpdated string          `json:"last_updated"`
	Bundle      json.RawMessage `json:"policybundle"`
	Meta        any             `json:"policybundlemeta"`
	Name        string          `json:"name,omitempty"`
	Description string          `json:"description,omitempty"`
}

// policyMeta tells of the stored document.
type policyMeta struct {
	Bucket      string `json:"bucket"`
	ArchiveID   string `json:"archiveId"`
	UserID      string `json:"userId"`
	Digest      string `json:"digest"`
	Size        int    `json:"size"`
	LastUpdated string `json:"last_updated"`
}

func wirePolicy(b engine.PolicyBundle, detail bool) PolicyRecord {
	r := PolicyRecord{
		ID: b.ID, UserID: b.Account, Active: b.Active, Source: b.Source,
		CreatedAt: stamp(b.CreatedAt), LastUpdated: stamp(b.UpdatedAt),
		Bundle: json.RawMessage(`{}`), Meta: struct{}{}, Name: b.Name, Description: b.Description,
	}
	if detail {
		r.Bundle = b.Document
		r.Meta = policyMeta{
			Bucket: "policy_bundles", ArchiveID: b.ID, UserID: b.Account,
			Digest: b.Digest, Size: len(b.Document), LastUpdated: stamp(b.DocumentAt),
		}
	}
	return r
}

// describePolicy answers from the table of gates that evaluation itself uses.
func describePolicy(w http.ResponseWriter, _ *request) error { return reply(w, policy.Spec()) }

const noPolicy = "policy not found in DB"

func (s *Server) listPolicies(w http.ResponseWriter, r *request) error {
	detail := r.queryBool("detail", false)
	var list iter.Seq2[PolicyRecord, error] = func(yield func(PolicyRecord, error) bool) {
		err := s.backend.EachPolicy(r.Context(), r.Account, detail, func(b engine.PolicyBundle) error {
			if !yield(wirePolicy(b, detail), nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && !errors.Is(err, errStopped) {
			yield(PolicyRecord{}, err)
		}
	}
	return replyList(w, list)
}

func (s *Server) getPolicy(w http.ResponseWriter, r *request) error {
	b, err := s.backend.Policy(r.Context(), r.Account, r.param("policyId"))
	if err != nil {
		return named(err, noPolicy, "")
	}
	return reply(w, []PolicyRecord{wirePolicy(b, r.queryBool("detail", true))})
}

func (s *Server) createPolicy(w http.ResponseWriter, r *request) error {
	document, err := io.ReadAll(r.Body)
	if err != nil {
		return bodyFault(err)
	}
	b, err := s.backend.AddPolicy(r.Context(), r.Account, document)
	if err != nil {
		return err
	}
	return reply(w, wirePolicy(b, r.queryBool("detail", true)))
}

func (s *Server) updatePolicy(w http.ResponseWriter, r *request) error {
	var body struct {
		ID     string          `json:"policyId"`
		Active bool            `json:"active"`
		Bundle json.RawMessage `json:"policybundle"`
	}
	if err := r.decode(&body); err != nil {
		return err
	}
	id := r.param("policyId")
	switch {
	case body.ID != id:
		return errorf(http.StatusInternalServerError, "policy id in the path is different from the policyId of the body")
	case body.Bundle == nil:
		return errorf(http.StatusInternalServerError, "body does not contain policybundle key")
	}
	active := r.queryBool("active", false) || body.Active
	b, err := s.backend.UpdatePolicy(r.Context(), r.Account, id, body.Bundle, active)
	switch {
	case errors.Is(err, engine.ErrConflict):
		return status(err, http.StatusInternalServerError)
	case err != nil:
		return named(err, noPolicy, "")
	}
	return reply(w, []PolicyRecord{wirePolicy(b, true)})
}

func (s *Server) deletePolicy(w http.ResponseWriter, r *request) error {
	err := s.backend.DeletePolicy(r.Context(), r.Account, r.param("policyId"))
	switch {
	case errors.Is(err, engine.ErrConflict):
		return status(err, http.StatusInternalServerError)
	case err != nil:
		return named(err, noPolicy, "")
	}
	return reply(w, "deleted")
}
