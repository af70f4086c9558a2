package apiv1

import (
	"context"
	"net/http"

	"windlass/internal/engine"
)

// Samples is what the operations on the built-in sample ask of the engine.
type Samples interface {
	SampleStatus(ctx context.Context, account string) (engine.SampleStatus, error)
	TrySample(ctx context.Context, account string) error
	RemoveSample(ctx context.Context, account string) error
}

func (s *Server) samplesOps() map[string]op {
	return map[string]op{
		"getSample":    {perm: acct("listImages"), call: s.getSample},
		"trySample":    {perm: acct("createImage"), call: s.trySample},
		"removeSample": {perm: acct("deleteImage"), call: s.removeSample},
	}
}

func (s *Server) getSample(w http.ResponseWriter, r *request) error {
	st, err := s.backend.SampleStatus(r.Context(), r.Account)
	if err != nil {
		return err
	}
	return reply(w, map[string]any{"images": st.Images, "running": st.Running, "starter_data": st.Starter})
}

func (s *Server) trySample(w http.ResponseWriter, r *request) error {
	if err := s.backend.TrySample(r.Context(), r.Account); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) removeSample(w http.ResponseWriter, r *request) error {
	if err := s.backend.RemoveSample(r.Context(), r.Account); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
