package apiv1

import (
	"context"
	"net/http"
	"strings"
	"time"

	"windlass/internal/engine"
)

// Auth is what authentication asks of the engine.
type Auth interface {
	// Authenticate checks a password: engine.ErrUnauthorized when it is wrong,
	// engine.ErrThrottled after too many wrong ones.
	Authenticate(ctx context.Context, user string, password engine.Secret) (engine.Identity, error)
	// VerifyToken checks a token of any kind: engine.ErrUnauthorized when it is
	// not valid.
	VerifyToken(ctx context.Context, token engine.Secret) (engine.Identity, error)
	// Enter notes which account a request begins in: what it writes is refused
	// once that one is being deleted.
	Enter(ctx context.Context, account string) (context.Context, error)
	// OAuthLifetime is how long tokens of OAuthToken last; 0: there are none.
	OAuthLifetime() time.Duration
	// OAuthToken makes a token for a client that has proven who.
	OAuthToken(ctx context.Context, who engine.Identity) (engine.Secret, error)
}

// errLess refuses a token that may do less than its user.
var errLess = engine.Forbiddenf("Not authorized. The API token is for less than this.")

// authorize finds out who asks and whether they may: steps 3 and 4.
func (s *Server) authorize(r *request, p perm) error {
	if p.class == classOpen {
		return nil
	}
	id, err := s.authenticate(r)
	if err != nil {
		return err
	}
	r.Identity, r.Account = id, id.Home()
	if named := r.Header.Get("X-Anchore-Account"); named != "" {
		r.Account = named
	}
	domain := r.Account
	switch p.class {
	case classPath:
		domain = r.param("accountname")
		r.Account = domain
		// What is altered there is who may log in, with how much: enough to
		// become somebody who may do more than the token.
		if id.Scoped() && r.method != http.MethodGet && id.May(domain, p.action) {
			return errLess
		}
	case classAdmin:
		domain = engine.SystemDomain
	case classAny:
		if id.Disabled {
			return id.Permit(id.Account, p.action)
		}
		if !id.Admin {
			r.Account = id.Home() // nobody has looked whether the named one is his
		}
		// Nothing is said of what these alter, so a token for less than the
		// user may do no more than look.
		if id.Scoped() && r.method != http.MethodGet {
			return errLess
		}
		return nil
	}
	if p.needs != "" && !id.May(domain, p.needs) {
		return engine.Forbiddenf("Not authorized. Requires permissions: domain=%s action=%s target=*", domain, p.action)
	}
	return id.Permit(domain, p.action)
}

func (s *Server) authenticate(r *request) (engine.Identity, error) {
	ctx := engine.WithPeer(r.Context(), peerHost(r.RemoteAddr))
	scheme, value, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	switch strings.ToLower(scheme) {
	case "basic":
		user, password, ok := r.BasicAuth()
		if !ok || user == "" {
			break
		}
		if strings.HasPrefix(password, engine.TokenPrefix) {
			id, err := s.backend.VerifyToken(ctx, engine.Secret(password))
			if user == engine.TokenUser || err == nil && user == id.User {
				return id, err
			}
			// It may be a password that looks like a token.
		}
		return s.backend.Authenticate(ctx, user, engine.Secret(password))
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
