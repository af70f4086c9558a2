package apiv1

import (
	"context"
	"fmt"
	"strings"

	"windlass/internal/engine"
)

// Auth is what authentication and the account operations ask of the engine.
type Auth interface {
	// Authenticate checks a password: engine.ErrUnauthorized when it is wrong,
	// engine.ErrThrottled after too many wrong ones.
	Authenticate(ctx context.Context, user string, password engine.Secret) (engine.Identity, error)
	// VerifyToken checks a token: engine.ErrUnauthorized when it is not valid.
	VerifyToken(ctx context.Context, token engine.Secret) (engine.Identity, error)
	Account(ctx context.Context, name string) (engine.Account, error)
	// User finds a user with its account; what it holds of the password is
	// not for anybody's eyes.
	User(ctx context.Context, name string) (engine.Login, error)
	// SetPassword replaces a user's password.
	SetPassword(ctx context.Context, user string, password engine.Secret) error
}

// forbiddenError is a permission that is missing.
type forbiddenError struct{ message string }

func (e *forbiddenError) Error() string { return e.message }

// authorize finds out who asks and whether they may: steps 3 and 4.
func (s *Server) authorize(r *request, p perm) error {
	if p.class == classOpen {
		return nil
	}
	id, err := s.authenticate(r)
	if err != nil {
		return err
	}
	r.Identity, r.Account = id, id.Account
	if named := r.Header.Get("X-Anchore-Account"); named != "" {
		r.Account = named
	}
	if p.class == classPath {
		r.Account = r.param("accountname")
	}
	if id.Disabled {
		return &forbiddenError{fmt.Sprintf("Not authorized. Account %s not enabled.", id.Account)}
	}
	domain := ""
	switch p.class {
	case classAny:
		return nil
	case classAcct, classPath:
		domain = r.Account
	case classAdmin:
		domain = "system"
	}
	if id.Admin || domain == id.Account && p.class != classAdmin {
		return nil
	}
	return &forbiddenError{fmt.Sprintf("Not authorized. Requires permissions: domain=%s action=%s target=*", domain, p.action)}
}

func (s *Server) authenticate(r *request) (engine.Identity, error) {
	ctx := engine.WithPeer(r.Context(), peerHost(r.RemoteAddr))
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "basic":
		if user, password, ok := r.BasicAuth(); ok && user != "" {
			return s.backend.Authenticate(ctx, user, engine.Secret(password))
		}
	case "bearer", "jwt":
		return s.backend.VerifyToken(ctx, engine.Secret(strings.TrimSpace(value)))
	}
	return engine.Identity{}, engine.ErrUnauthorized
}

// peerHost is an address without its port, which changes with each connection.
func peerHost(addr string) string {
	if i := strings.LastIndexByte(addr, ':'); i >= 0 {
		return addr[:i]
	}
	return addr
}
