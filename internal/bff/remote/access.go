package remote

import (
	"context"
	"net/url"
	"strconv"

	"windlass/internal/engine"
)

type wireGrant struct {
	User        string `json:"username"`
	UserAccount string `json:"user_account"`
	Account     string `json:"account"`
	Role        string `json:"role"`
	GrantedBy   string `json:"granted_by"`
	CreatedAt   stamp  `json:"created_at"`
}

func grantsOf(all []wireGrant) []engine.RoleGrant {
	var list []engine.RoleGrant
	for _, w := range all {
		list = append(list, engine.RoleGrant{
			User: w.User, UserAccount: w.UserAccount, Account: w.Account, Role: engine.Role(w.Role), GrantedBy: w.GrantedBy, CreatedAt: w.CreatedAt.Time,
		})
	}
	return list
}

// RoleGrants lists the roles given in an account.
func (c *Client) RoleGrants(ctx context.Context, account string) ([]engine.RoleGrant, error) {
	var all []wireGrant
	err := c.beyond(ctx, "GET /console/accounts/{accountname}/roles", call{out: &all}, account)
	return grantsOf(all), err
}

// UserRoles lists those of a user.
func (c *Client) UserRoles(ctx context.Context, account, user string, _ engine.Identity) ([]engine.RoleGrant, error) {
	var all []wireGrant
	err := c.beyond(ctx, "GET /console/accounts/{accountname}/users/{username}/roles", call{out: &all}, account, user)
	return grantsOf(all), err
}

// SetRoles gives a user exactly these roles in an account.
func (c *Client) SetRoles(ctx context.Context, account, user string, roles []engine.Role, _ engine.Identity) ([]engine.RoleGrant, error) {
	if roles == nil {
		roles = []engine.Role{}
	}
	var all []wireGrant
	q := call{body: map[string]any{"roles": roles}, out: &all}
	err := c.changed(ctx, "PUT /console/accounts/{accountname}/users/{username}/roles", q, engine.ChangeAccount, user, account, user)
	return grantsOf(all), err
}

type wireToken struct {
	ID        string `json:"id"`
	User      string `json:"username"`
	Name      string `json:"name"`
	Role      string `json:"role"`
	Account   string `json:"account"`
	CreatedBy string `json:"created_by"`
	CreatedAt stamp  `json:"created_at"`
	ExpiresAt stamp  `json:"expires_at"`
	UsedAt    stamp  `json:"last_used_at"`
	Token     string `json:"token"`
}

func tokenOf(w wireToken) engine.APIToken {
	return engine.APIToken{
		ID: w.ID, User: w.User, Name: w.Name, Scope: engine.Scope{Role: engine.Role(w.Role), Account: w.Account}, CreatedBy: w.CreatedBy,
		CreatedAt: w.CreatedAt.Time, ExpiresAt: w.ExpiresAt.Time, UsedAt: w.UsedAt.Time,
	}
}

// ownTokens reports whether a question is about the tokens of the user who
// asks: those have operations of their own, which need no permission.
func (c *Client) ownTokens(ctx context.Context, user string) bool {
	who, err := c.sessions.who(ctx, "")
	return err == nil && who.user == user
}

// Tokens lists the API tokens of a user.
func (c *Client) Tokens(ctx context.Context, account, user string) ([]engine.APIToken, error) {
	var all []wireToken
	var err error
	if c.ownTokens(ctx, user) {
		err = c.beyond(ctx, "GET /console/tokens", call{out: &all})
	} else {
		err = c.beyond(ctx, "GET /console/accounts/{accountname}/users/{username}/tokens", call{out: &all}, account, user)
	}
	var list []engine.APIToken
	for _, w := range all {
		list = append(list, tokenOf(w))
	}
	return list, err
}

// AddToken makes one and returns its text.
func (c *Client) AddToken(ctx context.Context, account string, t engine.APIToken, _ engine.Identity) (engine.APIToken, engine.Secret, error) {
	body := map[string]any{"name": t.Name}
	if t.Scope.Role != "" {
		body["role"] = t.Scope.Role
	}
	if t.Scope.Account != "" {
		body["account"] = t.Scope.Account
	}
	if !t.ExpiresAt.IsZero() {
		body["expires_at"] = t.ExpiresAt.UTC().Format("2006-01-02T15:04:05Z")
	}
	var w wireToken
	var err error
	if c.ownTokens(ctx, t.User) {
		err = c.changed(ctx, "POST /console/tokens", call{body: body, out: &w}, engine.ChangeAccount, t.User)
	} else {
		err = c.changed(ctx, "POST /console/accounts/{accountname}/users/{username}/tokens", call{body: body, out: &w}, engine.ChangeAccount, t.User, account, t.User)
	}
	return tokenOf(w), engine.Secret(w.Token), err
}

// RemoveToken revokes one.
func (c *Client) RemoveToken(ctx context.Context, account, user, id string) error {
	if c.ownTokens(ctx, user) {
		return c.changed(ctx, "DELETE /console/tokens/{tokenId}", call{}, engine.ChangeAccount, user, id)
	}
	return c.changed(ctx, "DELETE /console/accounts/{accountname}/users/{username}/tokens/{tokenId}", call{}, engine.ChangeAccount, user, account, user, id)
}

// Audit lists one page of the log of administrative actions.
func (c *Client) Audit(ctx context.Context, f engine.AuditFilter, _ engine.Identity) ([]engine.AuditEntry, int64, error) {
	q := set(url.Values{}, "account", f.Account, "user", f.User, "action", f.Action, "subject", f.Subject)
	if f.Failed != nil {
		q.Set("failed", strconv.FormatBool(*f.Failed))
	}
	if !f.Since.IsZero() {
		q.Set("since", wireTime(f.Since))
	}
	if !f.Before.IsZero() {
		q.Set("before", wireTime(f.Before))
	}
	if f.After > 0 {
		q.Set("after", strconv.FormatInt(f.After, 10))
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(min(f.Limit, 1000)))
	}
	var page struct {
		Entries []struct {
			ID          int64          `json:"id"`
			At          stamp          `json:"at"`
			User        string         `json:"user"`
			UserAccount string         `json:"user_account"`
			Token       string         `json:"token"`
			Peer        string         `json:"peer"`
			Account     string         `json:"account"`
			Action      string         `json:"action"`
			Subject     string         `json:"subject"`
			Details     map[string]any `json:"details"`
			Status      int            `json:"status"`
			RequestID   string         `json:"request_id"`
		} `json:"entries"`
		Next *string `json:"next"`
	}
	err := c.beyond(ctx, "GET /console/audit", call{query: q, out: &page})
	var list []engine.AuditEntry
	for _, w := range page.Entries {
		list = append(list, engine.AuditEntry{
			ID: w.ID, At: w.At.Time, User: w.User, UserAccount: w.UserAccount, Token: w.Token, Peer: w.Peer, Account: w.Account,
			Action: w.Action, Subject: w.Subject, Details: w.Details, Status: w.Status, RequestID: w.RequestID,
		})
	}
	next, _ := strconv.ParseInt(text(page.Next), 10, 64)
	return list, next, err
}
