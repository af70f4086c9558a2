package bff

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/session"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// Auth is what login and sessions ask of an engine.
type Auth interface {
	// Authenticate checks a password; engine.ErrUnauthorized when it is wrong.
	Authenticate(ctx context.Context, user string, password engine.Secret) (engine.Identity, error)
	// Authorization is the header of that name with which the console calls the
	// v1 API for the user who is signed in, in the session of ctx.
	Authorization(ctx context.Context, who engine.Identity) (engine.Secret, error)

	AddSession(ctx context.Context, s engine.Session) error
	// Session finds the live session of a hash and, when seen, marks it as used
	// now; engine.ErrNotFound when it has ended, was idle too long, or its user
	// or account may not sign in any more.
	Session(ctx context.Context, hash []byte, idle time.Duration, seen bool) (engine.Session, error)
	EndSession(ctx context.Context, hash []byte) error
	// SetPreferences keeps how a user likes the console drawn; what change
	// leaves open stays as it is. The user's sessions tell of them.
	SetPreferences(ctx context.Context, user string, change engine.Preferences) error
}

func (s *Server) authRoutes(r fiber.Router) {
	r.Get("/login", s.loginPage)
	r.Post("/login", s.login)
	r.Post("/logout", s.signedIn, s.logout)
}

func (s *Server) loginPage(c *fiber.Ctx) error {
	if _, err := s.findSession(c); err == nil {
		return c.Redirect(localPath(c.Query("next")), fiber.StatusSeeOther)
	}
	return s.renderLogin(c, view.Login{Next: c.Query("next")})
}

func (s *Server) renderLogin(c *fiber.Ctx, v view.Login) error {
	v.Theme, v.Zone = theme(c), zone(c)
	return s.render(c, templates.Login(v))
}

func (s *Server) login(c *fiber.Ctx) error {
	if !sameOrigin(c) {
		return fiber.NewError(http.StatusForbidden, "This form came from another site.")
	}
	user, password := strings.TrimSpace(c.FormValue("user")), engine.Secret(c.FormValue("password"))
	v := view.Login{User: user, Next: c.FormValue("next")}
	if user == "" || password == "" || len(user) > 128 || len(password) > 1024 {
		v.Fault = "Give a user and a password."
		c.Status(http.StatusBadRequest)
		return s.renderLogin(c, v)
	}
	key := user + "\x00" + c.IP()
	if wait := s.throttle.Wait(key); wait > 0 {
		c.Set(fiber.HeaderRetryAfter, fmt.Sprint(int(wait.Seconds())+1))
		v.Fault = fmt.Sprintf("Too many wrong passwords. Try again in %s.", wait.Round(time.Second)+time.Second)
		c.Status(http.StatusTooManyRequests)
		return s.renderLogin(c, v)
	}
	who, err := s.engine.Authenticate(engine.WithPeer(c.UserContext(), c.IP()), user, password)
	if errors.Is(err, engine.ErrThrottled) {
		v.Fault = "Too many wrong passwords. Try again in a minute."
		c.Status(http.StatusTooManyRequests)
		return s.renderLogin(c, v)
	}
	if errors.Is(err, engine.ErrUnauthorized) {
		s.throttle.Wrong(key)
		s.log.Warn("login refused", "user", user, "from", c.IP())
		v.Fault = "User or password is wrong."
		c.Status(http.StatusUnauthorized)
		return s.renderLogin(c, v)
	}
	if errors.Is(err, engine.ErrThrottled) {
		v.Fault = "Too many wrong passwords for this user. Try again in a few minutes."
		c.Status(http.StatusTooManyRequests)
		return s.renderLogin(c, v)
	}
	if err != nil {
		return err
	}
	s.throttle.Right(key)
	if err := s.startSession(c, who, password); err != nil {
		return err
	}
	s.log.Info("login done", "user", who.User, "account", who.Account, "from", c.IP())
	return c.Redirect(localPath(v.Next), fiber.StatusSeeOther)
}

// maxAgent is how much is kept of what a browser calls itself.
const maxAgent = 400

func (s *Server) startSession(c *fiber.Ctx, who engine.Identity, password engine.Secret) error {
	token, now := session.NewToken(), time.Now()
	err := s.engine.AddSession(c.UserContext(), engine.Session{
		Identity: who, Hash: session.Hash(token), CSRF: session.NewToken(),
		CreatedAt: now, SeenAt: now, ExpiresAt: now.Add(session.Absolute), Password: password,
		Address: c.IP(), Agent: engine.Text(c.Get(fiber.HeaderUserAgent), maxAgent),
	})
	if err != nil {
		return fmt.Errorf("start session: %w", err)
	}
	c.Cookie(&fiber.Cookie{Name: session.Cookie, Value: token, Path: "/", HTTPOnly: true, SameSite: "Lax",
		Secure: s.secure(c), MaxAge: int(session.Absolute.Seconds())})
	return nil
}

func (s *Server) secure(c *fiber.Ctx) bool { return s.opts.Secure || c.Context().IsTLS() }

func (s *Server) logout(c *fiber.Ctx) error {
	hash := s.session(c).Hash
	if err := s.engine.EndSession(c.UserContext(), hash); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	s.endSockets(hash)
	c.Cookie(&fiber.Cookie{Name: session.Cookie, Path: "/", HTTPOnly: true, SameSite: "Lax", Secure: s.secure(c), Expires: time.Unix(0, 0), MaxAge: -1})
	return c.Redirect("/login", fiber.StatusSeeOther)
}

// signedIn lets only requests with a session pass and, when they change
// something, only with its token and from the console's own pages.
func (s *Server) signedIn(c *fiber.Ctx) error {
	found, err := s.findSession(c)
	if errors.Is(err, engine.ErrNotFound) {
		return engine.ErrUnauthorized
	}
	if err != nil {
		return err
	}
	c.Locals(localSession, found)
	page := s.lacking()
	c.Locals(localLacks, page)
	c.SetUserContext(asking(c.UserContext(), found, page))
	c.Locals(localSeq, s.live.seq()) // before anything is read for the page: see page
	if err := checkCSRF(c, found.CSRF); err != nil {
		return err
	}
	return c.Next()
}

// findSession is the session of the request's cookie; engine.ErrNotFound
// without one.
func (s *Server) findSession(c *fiber.Ctx) (engine.Session, error) {
	token := c.Cookies(session.Cookie)
	if token == "" || len(token) > 128 {
		return engine.Session{}, engine.ErrNotFound
	}
	// A page that refreshes itself, or connects again, is not a person at work.
	atWork := c.Query("fragment") == "" && !strings.HasPrefix(c.Path(), "/ws/")
	return s.engine.Session(c.UserContext(), session.Hash(token), session.Idle, atWork)
}

// session is the session signedIn found; the zero one on public pages.
func (s *Server) session(c *fiber.Ctx) engine.Session {
	v, _ := c.Locals(localSession).(engine.Session)
	return v
}

// checkCSRF wants the session's token with whatever is not a mere look: as a
// header from scripts, as a field from forms, in the address from multipart
// forms, whose body is read late.
func checkCSRF(c *fiber.Ctx, want string) error {
	switch c.Method() {
	case fiber.MethodGet, fiber.MethodHead, fiber.MethodOptions:
		return nil
	}
	got := c.Get("X-CSRF-Token")
	if got == "" {
		kind := c.Get(fiber.HeaderContentType)
		if strings.HasPrefix(kind, fiber.MIMEApplicationForm) && !isUpload(c) && !isAPI(c) {
			got = string(c.Context().PostArgs().Peek("csrf"))
		} else {
			got = c.Query("csrf")
		}
	}
	if !sameOrigin(c) || !session.Same(got, want) {
		return fiber.NewError(http.StatusForbidden, "This form is out of date or came from another site. Load the page again and repeat what you wanted.")
	}
	return nil
}

// sameOrigin refuses requests that a browser says come from another site.
// Programs send neither header and are not what this is against.
func sameOrigin(c *fiber.Ctx) bool {
	if site := c.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return false
	}
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && strings.EqualFold(u.Host, string(c.Request().Host()))
}
