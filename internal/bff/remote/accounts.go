package remote

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"windlass/internal/engine"
)

type wireAccount struct {
	Name      string  `json:"name"`
	Email     *string `json:"email"`
	State     string  `json:"state"`
	Type      string  `json:"type"`
	CreatedAt stamp   `json:"created_at"`
	UpdatedAt stamp   `json:"last_updated"`
}

func accountOf(w wireAccount) engine.Account {
	return engine.Account{
		Name: w.Name, Email: text(w.Email), Type: cmp.Or(w.Type, engine.AccountUser), State: engine.AccountState(cmp.Or(w.State, string(engine.AccountEnabled))),
		CreatedAt: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time,
	}
}

type wireUser struct {
	Name      string `json:"username"`
	Type      string `json:"type"`
	CreatedAt stamp  `json:"created_at"`
	UpdatedAt stamp  `json:"last_updated"`
}

// Accounts lists one page by name, without those of the engine itself.
func (c *Client) Accounts(ctx context.Context, f engine.AccountFilter) ([]engine.Account, string, error) {
	var all []wireAccount
	if err := c.get(ctx, "", "/accounts", nil, &all); err != nil {
		return nil, "", err
	}
	var list []engine.Account
	for _, w := range all {
		if a := accountOf(w); a.Type != engine.AccountService && (f.State == "" || a.State == f.State) {
			list = append(list, a)
		}
	}
	list, next := byName(list, func(a engine.Account) string { return a.Name }, f.After, f.Limit)
	return list, next, nil
}

// byName cuts the page that follows a name out of a list.
func byName[T any](list []T, name func(T) string, after string, limit int) ([]T, string) {
	slices.SortFunc(list, func(a, b T) int { return strings.Compare(name(a), name(b)) })
	from := 0
	for from < len(list) && after != "" && name(list[from]) <= after {
		from++
	}
	list = list[from:]
	if limit < 1 {
		limit = 100
	}
	if len(list) <= limit {
		return list, ""
	}
	return list[:limit], name(list[limit-1])
}

// Account is one of them; the own account can be seen by each of its users.
func (c *Client) Account(ctx context.Context, name string) (engine.Account, error) {
	var w wireAccount
	err := c.get(ctx, "", path("accounts", name), nil, &w)
	return accountOf(w), absent(err, "There is no account %s.", clip(name, 128))
}

// AddAccount adds an account.
func (c *Client) AddAccount(ctx context.Context, a engine.Account) (engine.Account, error) {
	var w wireAccount
	body := map[string]string{"name": a.Name}
	if a.Email != "" {
		body["email"] = a.Email
	}
	err := c.call(ctx, call{method: http.MethodPost, path: "/accounts", body: body, out: &w})
	return accountOf(w), c.accountAltered(err, a.Name)
}

func (c *Client) accountAltered(err error, name string) error {
	if err == nil {
		c.altered("", engine.ChangeAccount, name)
	}
	return err
}

// SetAccountState moves an account; deleting has an operation of its own.
func (c *Client) SetAccountState(ctx context.Context, name string, to engine.AccountState) error {
	q := call{method: http.MethodPut, path: path("accounts", name, "state"), body: map[string]any{"state": to}}
	if to == engine.AccountDeleting {
		q = call{method: http.MethodDelete, path: path("accounts", name)}
	}
	return c.accountAltered(absent(c.call(ctx, q), "There is no account %s.", clip(name, 128)), name)
}

func loginOf(w wireUser, a engine.Account) engine.Login {
	l := engine.Login{Account: a, User: engine.User{Name: w.Name, Account: a.Name, CreatedAt: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time}}
	if w.Type != "native" && w.Type != "" {
		l.Account.Type = engine.AccountService
	} else {
		l.Hash = "*" // v1 does not say in a list who has a password: nearly all do
	}
	return l
}

// Users lists one page of an account's users by name.
func (c *Client) Users(ctx context.Context, account string, f engine.UserFilter) ([]engine.Login, string, error) {
	var all []wireUser
	err := c.get(ctx, "", path("accounts", account, "users"), nil, &all)
	if err != nil {
		return nil, "", absent(err, "There is no account %s.", clip(account, 128))
	}
	a, err := c.Account(ctx, account)
	if err != nil {
		return nil, "", err
	}
	list := make([]engine.Login, 0, len(all))
	for _, w := range all {
		list = append(list, loginOf(w, a))
	}
	list, next := byName(list, func(l engine.Login) string { return l.User.Name }, f.After, f.Limit)
	return list, next, nil
}

// User is one of them, and whether he can sign in by password.
func (c *Client) User(ctx context.Context, account, name string) (engine.Login, error) {
	var w wireUser
	if err := c.get(ctx, "", path("accounts", account, "users", name), nil, &w); err != nil {
		return engine.Login{}, absent(err, "There is no user %s in the account %s.", clip(name, 128), clip(account, 128))
	}
	a, err := c.Account(ctx, account)
	if err != nil {
		return engine.Login{}, err
	}
	l := loginOf(w, a)
	var credentials []struct{ Type, Value string }
	if err := c.get(ctx, "", path("accounts", account, "users", name, "credentials"), nil, &credentials); err == nil && len(credentials) == 0 {
		l.Hash = ""
	}
	return l, nil
}

// AddUser adds a user with a password.
func (c *Client) AddUser(ctx context.Context, account, name string, password engine.Secret) (engine.Login, error) {
	var w wireUser
	body := map[string]string{"username": name, "password": password.Reveal()}
	err := c.call(ctx, call{method: http.MethodPost, path: path("accounts", account, "users"), body: body, out: &w})
	if err = c.accountAltered(err, name); err != nil {
		return engine.Login{}, err
	}
	a, err := c.Account(ctx, account)
	return loginOf(w, a), err
}

// RemoveUser removes a user and ends his sessions here.
func (c *Client) RemoveUser(ctx context.Context, account, name, _ string) error {
	err := c.call(ctx, call{method: http.MethodDelete, path: path("accounts", account, "users", name)})
	if err == nil {
		_, err = c.EndUserSessions(ctx, name, nil)
	}
	return c.accountAltered(err, name)
}

// SetPassword replaces a password; sessions of the user go on with the new one.
func (c *Client) SetPassword(ctx context.Context, account, user string, password engine.Secret) error {
	who, err := c.sessions.who(ctx, account)
	if err != nil {
		return err
	}
	at := path("accounts", account, "users", user, "credentials")
	if who.user == user {
		at = "/user/credentials"
	}
	body := map[string]string{"type": "password", "value": password.Reveal()}
	if err := c.call(ctx, call{method: http.MethodPost, path: at, body: body}); err != nil {
		return err
	}
	c.sessions.renew(user, password)
	return c.accountAltered(nil, user)
}

// ClearPassword ends a user's logins by password.
func (c *Client) ClearPassword(ctx context.Context, account, user, _ string) error {
	err := c.call(ctx, call{method: http.MethodDelete, path: path("accounts", account, "users", user, "credentials")})
	if err == nil {
		_, err = c.EndUserSessions(ctx, user, nil)
	}
	return c.accountAltered(err, user)
}
