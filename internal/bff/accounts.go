package bff

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// Accounts is what the pages about accounts and users ask of an engine.
type Accounts interface {
	Sessions
	// Accounts lists one page by name, and the cursor of the next.
	Accounts(ctx context.Context, f engine.AccountFilter) ([]engine.Account, string, error)
	Account(ctx context.Context, name string) (engine.Account, error)
	AddAccount(ctx context.Context, a engine.Account) (engine.Account, error)
	SetAccountState(ctx context.Context, name string, to engine.AccountState) error
	// AccountLeft counts what an account in deletion still owns.
	AccountLeft(ctx context.Context, account string) (images, events int64, err error)

	Users(ctx context.Context, account string, f engine.UserFilter) ([]engine.Login, string, error)
	User(ctx context.Context, account, name string) (engine.Login, error)
	AddUser(ctx context.Context, account, name string, password engine.Secret) (engine.Login, error)
	RemoveUser(ctx context.Context, account, name, by string) error
	SetPassword(ctx context.Context, account, user string, password engine.Secret) error
	ClearPassword(ctx context.Context, account, user, by string) error

	// RoleGrants lists the roles given in an account, also to users of others.
	RoleGrants(ctx context.Context, account string) ([]engine.RoleGrant, error)
	UserRoles(ctx context.Context, account, user string, by engine.Identity) ([]engine.RoleGrant, error)
	SetRoles(ctx context.Context, account, user string, roles []engine.Role, by engine.Identity) ([]engine.RoleGrant, error)

	Tokens(ctx context.Context, account, user string) ([]engine.APIToken, error)
	// AddToken makes a token and returns its text, which nobody can read again.
	AddToken(ctx context.Context, account string, t engine.APIToken, by engine.Identity) (engine.APIToken, engine.Secret, error)
	RemoveToken(ctx context.Context, account, user, id string) error
}

// peoplePage is how many accounts, or users, stand on one page; maxLeft how
// many accounts in deletion are counted.
const (
	peoplePage = 100
	maxLeft    = 10
)

func (s *Server) accountsRoutes(r fiber.Router) {
	r.Get("/accounts", s.listAccounts)
	r.Post("/accounts", s.mayAdminister("createAccount"), s.addAccount)
	r.Get("/accounts/:name", s.showAccount)
	r.Post("/accounts/:name/state", s.mayAdminister("updateAccount"), s.moveAccount)
	s.usersRoutes(r)
}

// listAccounts shows administrators all accounts, and others their own.
func (s *Server) listAccounts(c *fiber.Ctx) error {
	if who := s.who(c); !who.May(engine.SystemDomain, "listAccounts") {
		return c.Redirect(present.AccountHref(who.Home()), fiber.StatusSeeOther)
	}
	return s.renderAccounts(c, view.AccountForm{Open: query(c).Get("add") != ""})
}

func (s *Server) renderAccounts(c *fiber.Ctx, form view.AccountForm) error {
	list, next, err := s.engine.Accounts(c.UserContext(), engine.AccountFilter{After: query(c).Get("after"), Limit: pageSize(c, peoplePage)})
	if err != nil {
		return err
	}
	left, err := s.leftOf(c, list...)
	if err != nil {
		return err
	}
	v := present.Accounts(list, left, s.who(c), query(c), next, form, c.BaseURL(), s.clock(c))
	return s.render(c, templates.Accounts(s.page(c, "Accounts", "accounts"), v))
}

// leftOf counts what those accounts still own that are being deleted.
func (s *Server) leftOf(c *fiber.Ctx, list ...engine.Account) (map[string]present.AccountLeft, error) {
	left := map[string]present.AccountLeft{}
	for _, a := range list {
		if a.State != engine.AccountDeleting || len(left) == maxLeft {
			continue
		}
		images, events, err := s.engine.AccountLeft(c.UserContext(), a.Name)
		if err != nil {
			return nil, err
		}
		left[a.Name] = present.AccountLeft{Images: images, Events: events}
	}
	return left, nil
}

func (s *Server) addAccount(c *fiber.Ctx) error {
	form := view.AccountForm{Open: true, Name: strings.TrimSpace(c.FormValue("name")), Email: strings.TrimSpace(c.FormValue("email"))}
	_, err := s.engine.AddAccount(c.UserContext(), engine.Account{Name: form.Name, Email: form.Email})
	if err == nil {
		return s.done(c, present.AccountHref(form.Name)+"?add=1", "Added the account "+form.Name+". Add its first user.", "")
	}
	var f *engine.Fault
	if !errors.As(err, &f) {
		return err
	}
	form.Fault = f.Message
	c.Status(http.StatusBadRequest)
	return s.renderAccounts(c, form)
}

func (s *Server) moveAccount(c *fiber.Ctx) error {
	name, to := param(c, "name"), engine.AccountState(c.FormValue("state"))
	if !slices.Contains([]engine.AccountState{engine.AccountEnabled, engine.AccountDisabled, engine.AccountDeleting}, to) {
		return engine.Invalidf("An account cannot be moved to the state %.40q.", to)
	}
	if err := s.engine.SetAccountState(c.UserContext(), name, to); err != nil {
		return err
	}
	text := map[engine.AccountState]string{
		engine.AccountEnabled: "Enabled the account ", engine.AccountDisabled: "Disabled the account ", engine.AccountDeleting: "Deleting the account ",
	}[to]
	return s.done(c, present.AccountsHref, text+name+".", "")
}

// mayLookInto reports why the user may not see an account that a path names.
func (s *Server) mayLookInto(c *fiber.Ctx, action string) error {
	if name := param(c, "name"); !s.who(c).May(name, action) {
		return engine.Forbiddenf("Your roles do not let you look into the account %s (%s).", name, action)
	}
	return nil
}

func (s *Server) showAccount(c *fiber.Ctx) error {
	return s.renderAccount(c, view.UserForm{Open: query(c).Get("add") != ""})
}

func (s *Server) renderAccount(c *fiber.Ctx, form view.UserForm) error {
	if err := s.mayLookInto(c, "listUsers"); err != nil {
		return err
	}
	name, who := param(c, "name"), s.who(c)
	a, err := s.engine.Account(c.UserContext(), name)
	if err != nil {
		return goneAccount(err, name)
	}
	users, next, err := s.engine.Users(c.UserContext(), name, engine.UserFilter{After: query(c).Get("after"), Limit: pageSize(c, peoplePage)})
	if err != nil {
		return goneAccount(err, name)
	}
	var grants []engine.RoleGrant
	if who.May(name, "listRoles") {
		if grants, err = s.engine.RoleGrants(c.UserContext(), name); err != nil {
			return goneAccount(err, name)
		}
	}
	left, err := s.leftOf(c, a)
	if err != nil {
		return err
	}
	v := present.AccountPage(a, users, next, query(c), grants, left, who, form, c.BaseURL(), s.clock(c))
	return s.render(c, templates.AccountPage(s.page(c, name, "accounts"), v))
}

func goneAccount(err error, name string) error {
	if errors.Is(err, engine.ErrNotFound) {
		return engine.NotFoundf("There is no account %s. It may have been deleted.", name)
	}
	return err
}
