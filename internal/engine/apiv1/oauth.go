package apiv1

import (
	"errors"
	"net/http"

	"windlass/internal/engine"
)

func (s *Server) oauthOps() map[string]op {
	return map[string]op{
		"getOauthToken": {perm: open, call: s.getOauthToken, heavy: true, maxBody: 64 << 10},
	}
}

// oauthReply is a token on the wire; v1's document promises a key token that
// no client has seen.
type oauthReply struct {
	Type    string `json:"token_type"`
	Token   string `json:"access_token"`
	Expires int    `json:"expires_in"`
}

// anonymous is the one client that v1 knows: clients are nobody, users are.
const anonymous = "anonymous"

// getOauthToken trades a password for a token. It authenticates by itself: by
// the form, or with an empty body by the Basic header. Its own errors have the
// shape of OAuth.
func (s *Server) getOauthToken(w http.ResponseWriter, r *request) error {
	lifetime := s.backend.OAuthLifetime()
	if lifetime <= 0 {
		return engine.Forbiddenf("Oauth not enabled in configuration")
	}
	if err := r.ParseForm(); err != nil {
		return bodyFault(err)
	}
	form := func(name, otherwise string) string {
		if r.PostForm.Has(name) {
			return r.PostForm.Get(name)
		}
		return otherwise
	}
	user, password := form("username", ""), form("password", "")
	if len(r.PostForm) == 0 {
		user, password, _ = r.BasicAuth()
	}
	switch {
	case form("grant_type", "password") != "password":
		return oauthError(w, "unsupported_grant_type", "")
	case form("client_id", anonymous) != anonymous:
		return oauthError(w, "invalid_client", "")
	case user == "":
		return oauthError(w, "invalid_request", `Missing "username" in request.`)
	case password == "":
		return oauthError(w, "invalid_request", `Missing "password" in request.`)
	}
	ctx := engine.WithPeer(r.Context(), peerHost(r.RemoteAddr))
	id, err := s.backend.Authenticate(ctx, user, engine.Secret(password))
	if errors.Is(err, engine.ErrUnauthorized) {
		// v1 has no answer for this and fails, and clients have learned that.
		return &problem{status: http.StatusInternalServerError, detail: "The user could not be authenticated."}
	}
	if err != nil {
		return err
	}
	r.Identity = id
	token, err := s.backend.OAuthToken(ctx, id)
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	return reply(w, oauthReply{Type: "Bearer", Token: token.Reveal(), Expires: int(lifetime.Seconds())})
}

type oauthFault struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

func oauthError(w http.ResponseWriter, code, description string) error {
	w.Header().Set("Cache-Control", "no-store")
	writeJSON(w, http.StatusBadRequest, oauthFault{code, description})
	return nil
}
