package bff

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/bff/session"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// What everybody may do of himself: change the password, make and revoke
// tokens, sign out elsewhere. No role narrows it, and all of it is noted.
func (s *Server) accountRoutes(r fiber.Router) {
	r.Get("/account", s.ownAccount)
	for _, path := range []string{"/account/password", "/account/tokens", "/account/sessions/end"} {
		r.Get(path, s.ownAccount) // the addresses of a page that shows what came of a form
	}
	r.Post("/account/password", s.setOwnPassword)
	r.Post("/account/tokens", s.addOwnToken)
	r.Post("/account/tokens/:id/revoke", s.revokeOwnToken)
	r.Post("/account/sessions/end", s.endOtherSessions)
}

func (s *Server) ownAccount(c *fiber.Ctx) error {
	return s.renderOwn(c, view.PasswordForm{}, view.Tokens{Form: view.TokenForm{Open: query(c).Get("add") != ""}})
}

// renderOwn draws the page with a form as it was sent, or the token just made.
func (s *Server) renderOwn(c *fiber.Ctx, password view.PasswordForm, made view.Tokens) error {
	who := s.who(c)
	tokens, err := s.engine.Tokens(c.UserContext(), who.Account, who.User)
	if err != nil {
		return err
	}
	sessions, err := s.engine.UserSessions(c.UserContext(), who.User, session.Idle)
	if err != nil {
		return err
	}
	password.Action, password.Own = present.OwnHref+"/password", true
	v := view.Account{
		User: who.User, Account: who.Account, Tabs: present.AccountTabs(who), Roles: present.OwnRoles(who), Password: password,
		Tokens:      present.Tokens(tokens, present.OwnHref+"/tokens", made.Form, s.clock(c)),
		Preferences: present.PreferenceChoices(preferences(c)),
		Sessions:    present.Sessions(sessions, s.session(c).Hash, s.clock(c)),
		Same:        view.SameBy{API: "curl -u " + who.User + " " + c.BaseURL() + "/v1/console/tokens", CLI: "anchore-cli account whoami"},
	}
	v.Tokens.Made, v.Tokens.Name, v.Tokens.Add, v.Tokens.Revoke = made.Made, made.Name, true, true
	return s.render(c, templates.OwnAccount(s.page(c, "Yourself", "accounts"), v))
}

// setOwnPassword wants the old one too: whoever finds an open browser must not
// become its user. All other sessions end.
func (s *Server) setOwnPassword(c *fiber.Ctx) error {
	who := s.who(c)
	faults, err := s.changePassword(c, who)
	if err := s.noted(c, "updateUser", err); err != nil {
		var f *engine.Fault
		if len(faults) == 0 && !errors.As(err, &f) {
			return err
		}
		if len(faults) == 0 {
			faults = map[string]string{"new": f.Message}
		}
		c.Status(explain(err).Code)
		return s.renderOwn(c, view.PasswordForm{Faults: faults}, view.Tokens{})
	}
	return s.done(c, present.OwnHref, "Password changed. You are signed out everywhere else.", "")
}

func (s *Server) changePassword(c *fiber.Ctx, who engine.Identity) (map[string]string, error) {
	old, next := engine.Secret(c.FormValue("old")), engine.Secret(c.FormValue("new"))
	bad := func(field, text string) (map[string]string, error) {
		return map[string]string{field: text}, engine.Invalidf("%s", text)
	}
	key := who.User + "\x00" + c.IP()
	switch {
	case s.throttle.Wait(key) > 0:
		return bad("old", "Too many wrong passwords. Try again in a minute.")
	case next == "":
		return bad("new", "Give a new password.")
	case len(next) > 1024 || len(old) > 1024:
		return bad("new", "A password has at most 1024 bytes.")
	case next.Reveal() != c.FormValue("again"):
		return bad("again", "This is not the same password.")
	}
	_, err := s.engine.Authenticate(engine.WithPeer(c.UserContext(), c.IP()), who.User, old)
	switch {
	case errors.Is(err, engine.ErrUnauthorized):
		s.throttle.Wrong(key)
		return bad("old", "This is not the password you have now.")
	case errors.Is(err, engine.ErrThrottled):
		return bad("old", "Too many wrong passwords. Try again in a minute.")
	case err != nil:
		return nil, err
	}
	s.throttle.Right(key)
	if err := s.engine.SetPassword(c.UserContext(), who.Account, who.User, next); err != nil {
		return nil, err
	}
	// That has ended all sessions, with them the one of this browser.
	if _, err := s.engine.EndUserSessions(c.UserContext(), who.User, nil); err != nil {
		return nil, err
	}
	return nil, s.startSession(c, who, next)
}

// tokenForm reads a token to be made; of its term only those offered count.
func tokenForm(value func(string, ...string) string, now time.Time) (engine.APIToken, view.TokenForm, error) {
	get := func(k string) string { return strings.TrimSpace(value(k)) }
	f := view.TokenForm{Open: true, Name: get("token"), Account: get("account"),
		Roles: []view.Option{{Value: get("role")}}, Expires: []view.Option{{Value: get("expires")}}}
	t := engine.APIToken{Name: f.Name, Scope: engine.Scope{Role: engine.Role(get("role")), Account: f.Account}}
	days, err := strconv.Atoi(get("expires"))
	if err != nil || days < 1 || days > int(engine.MaxTokenLife.Hours()/24) {
		return t, f, engine.Invalidf("expires_at: choose how long it lasts")
	}
	t.ExpiresAt = now.Add(time.Duration(days) * 24 * time.Hour)
	return t, f, nil
}

// addOwnToken makes a token and shows its text, this once.
func (s *Server) addOwnToken(c *fiber.Ctx) error {
	who := s.who(c)
	t, form, err := tokenForm(c.FormValue, time.Now())
	t.User = who.User
	var text engine.Secret
	if err == nil {
		t, text, err = s.engine.AddToken(c.UserContext(), who.Account, t, who)
	}
	if err := s.noted(c, "createToken", err); err != nil {
		var f *engine.Fault
		if !errors.As(err, &f) {
			return err
		}
		form.Fault, form.Faults = atField(f.Message, "name", "role", "account", "expires_at")
		c.Status(http.StatusBadRequest)
		return s.renderOwn(c, view.PasswordForm{}, view.Tokens{Form: form})
	}
	return s.renderOwn(c, view.PasswordForm{}, view.Tokens{Made: text.Reveal(), Name: t.Name})
}

func (s *Server) revokeOwnToken(c *fiber.Ctx) error {
	who := s.who(c)
	err := s.engine.RemoveToken(c.UserContext(), who.Account, who.User, param(c, "id"))
	if err := s.noted(c, "deleteToken", err); err != nil {
		return err
	}
	return s.done(c, present.OwnHref, "Revoked the token. It is refused from now on.", "")
}

// endOtherSessions signs the user out everywhere but here.
func (s *Server) endOtherSessions(c *fiber.Ctx) error {
	ended, err := s.engine.EndUserSessions(c.UserContext(), s.who(c).User, s.session(c).Hash)
	if err := s.noted(c, "deleteSession", err); err != nil {
		return err
	}
	for _, hash := range ended {
		s.endSockets(hash)
	}
	return s.done(c, present.OwnHref, "Signed out elsewhere: "+present.Plural(len(ended), "session", "sessions")+".", "")
}

// Sessions is what the own page asks of an engine.
type Sessions interface {
	// UserSessions lists the live logins of a user.
	UserSessions(ctx context.Context, user string, idle time.Duration) ([]engine.Session, error)
	// EndUserSessions ends all but the one of a hash, and gives their hashes.
	EndUserSessions(ctx context.Context, user string, keep []byte) ([][]byte, error)
}
