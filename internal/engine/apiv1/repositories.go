package apiv1

import (
	"context"
	"net/http"

	"windlass/internal/engine"
)

// Repositories is what the repository operations ask of the engine.
type Repositories interface {
	AddRepository(ctx context.Context, a engine.AddRepository) (engine.Subscription, error)
}

func (s *Server) repositoriesOps() map[string]op {
	return map[string]op{
		"createRepository": {perm: acct("createRepository"), call: s.createRepository},
	}
}

// createRepository answers with the subscription to the repository; what the
// registry does not give is a 404, whatever its trouble is.
func (s *Server) createRepository(w http.ResponseWriter, r *request) error {
	v, err := s.backend.AddRepository(r.Context(), engine.AddRepository{
		Account: r.Account, Repository: r.queryText("repository"),
		AutoSubscribe: r.queryBool("autosubscribe", false), DryRun: r.queryBool("dryrun", false),
	})
	if err != nil {
		return err
	}
	out := wireSubscription(v)
	if v.CreatedAt.IsZero() { // a dry run: it has never been stored
		out.CreatedAt, out.LastUpdated = 0, 0
	}
	return reply(w, []Subscription{out})
}
