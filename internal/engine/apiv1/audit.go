package apiv1

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"windlass/internal/engine"
)

// Audit is what the audit log asks of the engine.
type Audit interface {
	// Audit lists one page as somebody may see it, the newest first, and the
	// cursor of the next page; 0 when there is none.
	Audit(ctx context.Context, f engine.AuditFilter, by engine.Identity) ([]engine.AuditEntry, int64, error)
}

func (s *Server) auditOps() map[string]op {
	return map[string]op{
		"listAudit": {perm: acct("listAudit"), call: s.listAudit},
	}
}

type auditJSON struct {
	ID          int64          `json:"id"`
	At          string         `json:"at"`
	User        string         `json:"user"`
	UserAccount string         `json:"user_account"`
	Token       *string        `json:"token"`
	Peer        string         `json:"peer"`
	Account     string         `json:"account"`
	Action      string         `json:"action"`
	Subject     string         `json:"subject"`
	Details     map[string]any `json:"details"`
	Status      int            `json:"status"`
	Outcome     string         `json:"outcome"`
	RequestID   string         `json:"request_id"`
}

func auditOf(e engine.AuditEntry) auditJSON {
	outcome := "done"
	switch {
	case e.Status == http.StatusForbidden:
		outcome = "refused"
	case e.Status >= 400:
		outcome = "failed"
	}
	if e.Details == nil {
		e.Details = map[string]any{}
	}
	return auditJSON{
		ID: e.ID, At: stampMicro(e.At), User: e.User, UserAccount: e.UserAccount, Token: orNil(e.Token), Peer: e.Peer, Account: e.Account,
		Action: e.Action, Subject: e.Subject, Details: e.Details, Status: e.Status, Outcome: outcome, RequestID: e.RequestID,
	}
}

type auditPage struct {
	Entries []auditJSON `json:"entries"`
	Next    *string     `json:"next"`
}

// listAudit shows administrators everything, or the account they ask for, and
// others their account.
func (s *Server) listAudit(w http.ResponseWriter, r *request) error {
	f := engine.AuditFilter{
		Account: r.Account, User: r.queryText("user"), Action: r.queryText("action"), Subject: r.queryText("subject"),
		Limit: r.queryInt("limit", 100),
	}
	if r.Identity.Admin {
		f.Account = r.queryText("account")
	}
	if r.has("failed") {
		failed := r.queryBool("failed", false)
		f.Failed = &failed
	}
	for name, at := range map[string]*time.Time{"since": &f.Since, "before": &f.Before} {
		text := r.queryText(name)
		if text == "" {
			continue
		}
		var err error
		if *at, err = time.Parse(time.RFC3339, text); err != nil {
			return engine.Invalidf("%s: want a time such as 2030-01-31T12:00:00Z", name)
		}
	}
	if after := r.queryText("after"); after != "" {
		var err error
		if f.After, err = strconv.ParseInt(after, 10, 64); err != nil || f.After < 1 {
			return engine.Invalidf("after: want the next of the page before")
		}
	}
	list, next, err := s.backend.Audit(r.Context(), f, r.Identity)
	if err != nil {
		return err
	}
	page := auditPage{Entries: make([]auditJSON, 0, len(list))}
	for _, e := range list {
		page.Entries = append(page.Entries, auditOf(e))
	}
	if next > 0 {
		text := strconv.FormatInt(next, 10)
		page.Next = &text
	}
	return reply(w, page)
}
