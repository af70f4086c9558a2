package apiv1

import (
	"context"
	"time"

	"windlass/internal/engine"
)

// admit lets a heavy request in, or makes it wait a little. Beyond that it is
// told to come back: a queue that only grows serves nobody.
func (s *Server) admit(ctx context.Context) (release func(), err error) {
	release = func() { <-s.heavy }
	select {
	case s.heavy <- struct{}{}:
		return release, nil
	default:
	}
	wait := time.NewTimer(s.opts.HeavyWait)
	defer wait.Stop()
	select {
	case s.heavy <- struct{}{}:
		return release, nil
	case <-wait.C:
		return nil, &engine.Fault{Kind: engine.ErrUnavailable, Message: "Too many expensive requests are running. Try again shortly."}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Uploads are laid on disk as they come, for as long as a client takes: their
// number bounds what they fill, all of them and those of one account.
const (
	uploadsOfAll = 32
	uploadsOfOne = 6
)

// admitUpload is admit for what is laid on disk.
func (s *Server) admitUpload(r *request) (release func(), err error) {
	ctx, cancel := context.WithTimeout(r.Context(), s.opts.HeavyWait)
	defer cancel()
	release, err = s.uploads.take(ctx, r.Identity.Account)
	if err != nil && r.Context().Err() == nil {
		return nil, &engine.Fault{Kind: engine.ErrUnavailable, Message: "Too many uploads are under way. Try again shortly."}
	}
	return release, err
}

// A body takes some fifty times its bytes of memory while it is checked against
// the document, which comes before anybody is asked who he is. So that a
// handful of strangers cannot take all there is, a large one is looked into only
// for somebody who has proven who he is, and few at once.
const (
	largeBody  = 256 << 10
	largeHands = 2
)

// validate checks a request against the document.
func (s *Server) validate(r *request, b *bound) error {
	if len(r.held) > largeBody {
		if b.perm.class != classOpen {
			if _, err := s.authenticate(r); err != nil {
				return err
			}
		}
		select {
		case s.large <- struct{}{}:
			defer func() { <-s.large }()
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
	return b.endpoint.validate(r)
}
