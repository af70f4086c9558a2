package bff

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

func (s *Server) usersRoutes(r fiber.Router) {
	const one = "/accounts/:name/users/:user"
	r.Get("/accounts/:name/users", s.showAccount) // the address of a page that shows a fault
	r.Post("/accounts/:name/users", s.mayIn("createUser"), s.addUser)
	r.Get(one, s.showUser)
	r.Get(one+"/password", s.showUser) // likewise
	r.Post(one+"/password", s.mayIn("updateUser"), s.resetPassword)
	r.Post(one+"/clear", s.mayIn("updateUser"), s.clearPassword)
	r.Post(one+"/roles", s.mayIn("updateRoles"), s.setRoles)
	r.Post(one+"/remove", s.mayIn("deleteUser"), s.removeUser)
	r.Post(one+"/tokens/:id/revoke", s.mayIn("deleteToken"), s.revokeToken)
}

func (s *Server) addUser(c *fiber.Ctx) error {
	account, form := param(c, "name"), view.UserForm{Open: true, Name: strings.TrimSpace(c.FormValue("user"))}
	_, err := s.engine.AddUser(c.UserContext(), account, form.Name, engine.Secret(c.FormValue("password")))
	if err == nil {
		return s.done(c, present.UserHref(account, form.Name), "Added "+form.Name+". Choose what they may do.", "")
	}
	var f *engine.Fault
	if !errors.As(err, &f) {
		return err
	}
	if strings.Contains(strings.ToLower(f.Message), "password") {
		form.WordsFault = f.Message
	} else {
		form.NameFault = f.Message
	}
	c.Status(http.StatusBadRequest)
	return s.renderAccount(c, form)
}

func (s *Server) showUser(c *fiber.Ctx) error { return s.renderUser(c, view.PasswordForm{}) }

// renderUser shows a user of the account, or one of another who was given a
// role in it.
func (s *Server) renderUser(c *fiber.Ctx, password view.PasswordForm) error {
	if err := s.mayLookInto(c, "getUser"); err != nil {
		return err
	}
	account, name, who := param(c, "name"), param(c, "user"), s.who(c)
	grants, err := s.engine.UserRoles(c.UserContext(), account, name, who)
	if err != nil {
		return goneUser(err, name)
	}
	l, err := s.engine.User(c.UserContext(), account, name)
	if errors.Is(err, engine.ErrNotFound) && len(grants) > 0 {
		l, err = engine.Login{User: engine.User{Name: name, Account: grants[0].UserAccount}, Account: engine.Account{Name: grants[0].UserAccount}}, nil
	}
	if err != nil {
		return goneUser(err, name)
	}
	v := present.UserPage(account, l, grants, who, s.clock(c))
	v.Password.Faults = password.Faults
	v.Same = view.SameBy{API: "curl -u " + who.User + " " + c.BaseURL() + "/v1/accounts/" + url.PathEscape(account) + "/users/" + url.PathEscape(name)}
	if l.Account.Name == account && who.May(account, "listTokens") {
		list, err := s.engine.Tokens(c.UserContext(), account, name)
		if err != nil {
			return goneUser(err, name)
		}
		tokens := present.Tokens(list, v.Base+"/tokens", view.TokenForm{}, s.clock(c))
		tokens.Revoke = who.May(account, "deleteToken")
		v.Tokens = &tokens
	}
	return s.render(c, templates.UserPage(s.page(c, name, "accounts"), v))
}

func (s *Server) resetPassword(c *fiber.Ctx) error {
	account, name := param(c, "name"), param(c, "user")
	next := engine.Secret(c.FormValue("new"))
	var err error
	switch {
	case next == "":
		err = engine.Invalidf("Give a new password.")
	case len(next) > 1024:
		err = engine.Invalidf("A password has at most 1024 bytes.")
	case name == s.who(c).User:
		err = engine.Invalidf("Change your own password on your own page.")
	default:
		err = s.engine.SetPassword(c.UserContext(), account, name, next)
	}
	if err == nil {
		return s.done(c, present.UserHref(account, name), "Set a new password for "+name+". They are signed out everywhere.", "")
	}
	var f *engine.Fault
	if !errors.As(err, &f) || errors.Is(err, engine.ErrNotFound) {
		return goneUser(err, name)
	}
	c.Status(http.StatusBadRequest)
	return s.renderUser(c, view.PasswordForm{Faults: map[string]string{"new": f.Message}})
}

func (s *Server) clearPassword(c *fiber.Ctx) error {
	account, name := param(c, "name"), param(c, "user")
	if err := s.engine.ClearPassword(c.UserContext(), account, name, s.who(c).User); err != nil {
		return goneUser(err, name)
	}
	return s.done(c, present.UserHref(account, name), name+" can no longer sign in by password.", "")
}

func (s *Server) setRoles(c *fiber.Ctx) error {
	account, name := param(c, "name"), param(c, "user")
	var roles []engine.Role
	for _, r := range formValues(c, "role") {
		roles = append(roles, engine.Role(r))
	}
	if _, err := s.engine.SetRoles(c.UserContext(), account, name, roles, s.who(c)); err != nil {
		return goneUser(err, name)
	}
	return s.done(c, present.UserHref(account, name), "Changed the roles of "+name+".", "")
}

func (s *Server) removeUser(c *fiber.Ctx) error {
	account, name := param(c, "name"), param(c, "user")
	if err := s.engine.RemoveUser(c.UserContext(), account, name, s.who(c).User); err != nil {
		return goneUser(err, name)
	}
	return s.done(c, present.AccountHref(account), "Removed "+name+".", "")
}

func (s *Server) revokeToken(c *fiber.Ctx) error {
	account, name := param(c, "name"), param(c, "user")
	if err := s.engine.RemoveToken(c.UserContext(), account, name, param(c, "id")); err != nil {
		return err
	}
	return s.done(c, present.UserHref(account, name), "Revoked the token. It is refused from now on.", "")
}

func goneUser(err error, name string) error {
	if errors.Is(err, engine.ErrNotFound) {
		return engine.NotFoundf("There is no user %s here. It may have been removed.", name)
	}
	return err
}
