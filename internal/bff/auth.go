package bff

import (
	"context"

	"windlass/internal/engine"
)

// Auth is what login and sessions ask of an engine.
type Auth interface {
	// Authenticate checks a password; engine.ErrUnauthorized when it is wrong.
	Authenticate(ctx context.Context, user string, password engine.Secret) (engine.Identity, error)
}
