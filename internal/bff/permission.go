package bff

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/engine"
)

// may lets a request pass whose user may take an action in the own account: the
// same question that the API asks. What was done, or refused, goes into the
// audit log as the API's operations do.
func (s *Server) may(action string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		who := s.who(c)
		if !who.May(who.Home(), action) {
			return s.refuse(c, action, engine.Forbiddenf("Your role in the account %s does not allow this (%s).", who.Home(), action))
		}
		return s.noted(c, action, c.Next())
	}
}

// mayIn is may for the account that the address names.
func (s *Server) mayIn(action string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		account := param(c, "name")
		c.Locals(localAccount, account)
		if !s.who(c).May(account, action) {
			return s.refuse(c, action, engine.Forbiddenf("Your role in the account %s does not allow this (%s).", account, action))
		}
		return s.noted(c, action, c.Next())
	}
}

// localAccount holds the account that a request is about, if that is not the
// user's own.
const localAccount = "account"

// mayAdminister is may for what concerns all accounts.
func (s *Server) mayAdminister(action string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if !s.who(c).May(engine.SystemDomain, action) {
			return s.refuse(c, action, engine.Forbiddenf("This concerns all accounts and is for administrators (%s).", action))
		}
		return s.noted(c, action, c.Next())
	}
}

func (s *Server) refuse(c *fiber.Ctx, action string, err error) error {
	if c.Request().IsBodyStream() {
		c.Context().SetConnectionClose() // what is not read of the body stands in the way of the next request
	}
	return s.noted(c, action, err)
}

// auditWait bounds the writing of an entry: the browser is waiting.
const auditWait = 5 * time.Second

// auditFields are the fields of forms that may be kept; no other is looked at.
var auditFields = []string{"registry", "name", "digest", "enabled", "flush", "do", "force", "key", "repository", "active", "user", "state", "role", "token", "expires"}

// noted writes what became of a request into the audit log and gives its error
// back. Adding images is work and no administration.
func (s *Server) noted(c *fiber.Ctx, action string, err error) error {
	if s.opts.Audit == nil || action == "createImage" {
		return err
	}
	who := s.who(c)
	e := engine.AuditEntry{
		User: who.User, UserAccount: who.Account, Peer: c.IP(), Account: who.Home(), Action: action,
		Details: map[string]any{"page": c.Route().Path}, Status: http.StatusOK, RequestID: requestID(c),
	}
	if account, ok := c.Locals(localAccount).(string); ok {
		e.Account = account
	}
	if err != nil {
		e.Status = explain(err).Code
	}
	var subject []string
	for _, name := range c.Route().Params {
		subject = append(subject, param(c, name))
	}
	if strings.HasPrefix(c.Get(fiber.HeaderContentType), fiber.MIMEApplicationForm) {
		for _, name := range auditFields {
			if v := c.FormValue(name); v != "" {
				e.Details[name] = clip(v, 256)
			}
		}
	}
	if e.Subject = strings.Join(subject, "/"); e.Subject == "" {
		for _, name := range []string{"registry", "name", "digest", "key", "repository", "user", "token"} {
			if v, ok := e.Details[name].(string); ok && e.Subject == "" {
				e.Subject = v
			}
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), auditWait)
	defer cancel()
	if lost := s.opts.Audit(ctx, e); lost != nil {
		s.log.ErrorContext(ctx, "audit entry lost", "request", e.RequestID, "user", e.User, "action", action, "subject", e.Subject, "status", e.Status, "err", lost)
	}
	return err
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
