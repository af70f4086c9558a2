package bff

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

// Audit is what the page of the audit log asks of an engine.
type Audit interface {
	// Audit lists one page as somebody may see it, the newest first, and the
	// cursor of the next page; 0 when there is none.
	Audit(ctx context.Context, f engine.AuditFilter, by engine.Identity) ([]engine.AuditEntry, int64, error)
}

func (s *Server) auditRoutes(r fiber.Router) {
	r.Get("/audit", s.showAudit)
	r.Get("/audit/export.csv", s.exportAudit("audit.csv", "text/csv; charset=utf-8", auditCSV))
	r.Get("/audit/export.ndjson", s.exportAudit("audit.ndjson", "application/x-ndjson", auditNDJSON))
}

// auditFilter reads the page's query. Only administrators may ask for all
// accounts.
func auditFilter(q url.Values, who engine.Identity, zone *time.Location) (engine.AuditFilter, error) {
	get := func(k string) string { return strings.TrimSpace(q.Get(k)) }
	f := engine.AuditFilter{Account: who.Home(), User: get("user"), Action: get("action"), Subject: get("subject"), Limit: present.AuditPage}
	if who.Admin {
		f.Account = get("account")
	}
	switch yes, no := true, false; get("outcome") {
	case "done":
		f.Failed = &no
	case "failed":
		f.Failed = &yes
	}
	var err error
	for name, at := range map[string]*time.Time{"since": &f.Since, "before": &f.Before} {
		if get(name) == "" {
			continue
		}
		if *at, err = time.ParseInLocation("2006-01-02T15:04", get(name), zone); err != nil {
			return f, engine.Invalidf("%s: want a time such as 2030-01-31T12:00.", name)
		}
	}
	if after := get("after"); after != "" {
		if f.After, err = strconv.ParseInt(after, 10, 64); err != nil || f.After < 1 {
			return f, engine.Invalidf("%.40q is not a place in this list.", after)
		}
	}
	return f, nil
}

func (s *Server) showAudit(c *fiber.Ctx) error {
	who, q := s.who(c), query(c)
	f, err := auditFilter(q, who, location(c))
	if err != nil {
		return err
	}
	f.Limit = pageSize(c, f.Limit)
	list, next, err := s.engine.Audit(c.UserContext(), f, who)
	if err != nil {
		return err
	}
	return s.render(c, templates.Audit(s.page(c, "Audit log", "accounts"), present.Audit(list, next, q, who, c.BaseURL(), s.clock(c))))
}

// exportAudit sends exactly what the page's filter selects, a page of it in
// memory at a time.
func (s *Server) exportAudit(name, mime string, encode func(*bytes.Buffer, []engine.AuditEntry, bool) error) fiber.Handler {
	return func(c *fiber.Ctx) error {
		who := s.who(c)
		f, err := auditFilter(query(c), who, location(c))
		if err != nil {
			return err
		}
		f.After, f.Limit = 0, 500
		if f.Before.IsZero() {
			f.Before = time.Now() // the log grows while it is read
		}
		first := true
		return s.sendPages(c, mime, name, func(ctx context.Context, w *bytes.Buffer) (bool, error) {
			list, next, err := s.engine.Audit(ctx, f, who)
			if err != nil {
				return false, err
			}
			err = encode(w, list, first)
			first, f.After = false, next
			return next == 0, err
		})
	}
}

func auditCSV(w *bytes.Buffer, list []engine.AuditEntry, first bool) error {
	out := csv.NewWriter(w)
	if first {
		if err := out.Write([]string{"at", "user", "user_account", "token", "from", "account", "action", "subject", "outcome", "status", "request_id", "details"}); err != nil {
			return err
		}
	}
	for _, e := range list {
		details, err := json.Marshal(e.Details)
		if err != nil {
			return err
		}
		row := []string{e.At.UTC().Format(time.RFC3339Nano), e.User, e.UserAccount, e.Token, e.Peer, e.Account, e.Action, e.Subject,
			present.AuditOutcome(e.Status).Text, strconv.Itoa(e.Status), e.RequestID, string(details)}
		for n := range row {
			row[n] = engine.SheetCell(row[n])
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

func auditNDJSON(w *bytes.Buffer, list []engine.AuditEntry, _ bool) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, e := range list {
		err := enc.Encode(map[string]any{
			"id": e.ID, "at": e.At.UTC(), "user": e.User, "user_account": e.UserAccount, "token": e.Token, "from": e.Peer, "account": e.Account,
			"action": e.Action, "subject": e.Subject, "details": e.Details, "outcome": present.AuditOutcome(e.Status).Text, "status": e.Status, "request_id": e.RequestID,
		})
		if err != nil {
			return err
		}
	}
	return nil
}
