package cli

import (
	"context"
	"net/http"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

// identity is who the server takes the caller for.
type identity struct{ account, user any }

func (a *app) account() *cobra.Command {
	return a.group("account", "Accounts and their users",
		a.accountWhoami(), a.accountAdd(), a.accountGet(), a.accountDel(), a.accountList(),
		a.accountState("enable", "Let an account's users in again", "enabled"),
		a.accountState("disable", "Lock an account's users out", "disabled"),
		a.accountUser())
}

// identified is a command that first asks who the caller is: all of the group
// do, and end when either answer is a no.
func (a *app) identified(use, short string, do func(ctx context.Context, me identity, args []string) error) *cobra.Command {
	return a.command(use, short, func(ctx context.Context, args []string) error {
		var me identity
		for _, ask := range []struct {
			path string
			into *any
		}{{"/account", &me.account}, {"/user", &me.user}} {
			r, err := a.client.get(ctx, ask.path)
			if err != nil {
				return err
			}
			if !r.ok() {
				a.println(a.refusal("account", r))
				return exit(exitFault)
			}
			*ask.into = r.body
		}
		return do(ctx, me, args)
	})
}

// callerName is the caller's name in a reply about the caller.
func callerName(payload any, key string) (string, error) {
	r := &reader{}
	return r.text(r.at(payload, key)), r.err
}

func (a *app) accountWhoami() *cobra.Command {
	return a.identified("whoami", "Show account and user of these credentials", func(_ context.Context, me identity, _ []string) error {
		a.println(a.shaped(python.Dict("account", me.account, "user", me.user), func(r *reader, payload any) string {
			var l lines
			l.add("Username", r.at(payload, "user", "username"))
			l.add("AccountName", r.at(payload, "account", "name"))
			l.add("AccountEmail", r.at(payload, "account", "email"))
			l.add("AccountType", r.at(payload, "account", "type"))
			l.blank()
			return l.String()
		}))
		return nil
	})
}

func (a *app) accountAdd() *cobra.Command {
	var email string
	c := a.identified("add ACCOUNT_NAME", "Add an account", func(ctx context.Context, _ identity, args []string) error {
		body := python.Dict("name", args[0])
		if email != "" {
			body.Set("email", email)
		}
		r, err := a.client.do(ctx, http.MethodPost, "/accounts", body)
		if err != nil {
			return err
		}
		return a.show(r, "account add", accountLines)
	})
	c.Flags().StringVar(&email, "email", "", "an address kept with it")
	return c
}

func (a *app) accountGet() *cobra.Command {
	return a.identified("get ACCOUNT_NAME", "Show an account", func(ctx context.Context, _ identity, args []string) error {
		r, err := a.client.get(ctx, accountPath(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "account get", accountLines)
	})
}

func (a *app) accountDel() *cobra.Command {
	var dontAsk bool
	c := a.identified("del ACCOUNT_NAME", "Delete a disabled account with all it owns", func(ctx context.Context, _ identity, args []string) error {
		if !dontAsk {
			yes, err := a.confirm(ctx, "\nWARNING: all users, images, policies and events of the account go with it, for good.\n\nReally delete account "+printable(args[0])+"? (y/N)")
			if err != nil || !yes {
				return err
			}
		}
		r, err := a.client.delete(ctx, accountPath(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "account del", success)
	})
	c.Flags().BoolVar(&dontAsk, "dontask", false, "do not ask whether it is meant")
	return c
}

func (a *app) accountList() *cobra.Command {
	return a.identified("list", "List accounts", func(ctx context.Context, _ identity, _ []string) error {
		r, err := a.client.get(ctx, "/accounts")
		if err != nil {
			return err
		}
		return a.show(r, "account list", func(r *reader, payload any) string {
			return a.byKeys(r, payload, "name,email,type,state,created_at", columns("Name", "Email", "Type", "State", "Created"), 4, false) + "\n"
		})
	})
}

func (a *app) accountState(verb, short, state string) *cobra.Command {
	return a.identified(verb+" ACCOUNT_NAME", short, func(ctx context.Context, _ identity, args []string) error {
		r, err := a.client.do(ctx, http.MethodPut, accountPath(args[0])+"/state", python.Dict("state", state))
		if err != nil {
			return err
		}
		return a.show(r, "account "+verb, success)
	})
}

func accountPath(name string) string { return "/accounts/" + quote(name) }

func accountLines(r *reader, payload any) string {
	var l lines
	l.add("Name", r.at(payload, "name"))
	l.add("Email", r.at(payload, "email"))
	l.add("Type", r.at(payload, "type"))
	l.add("State", r.at(payload, "state"))
	l.add("Created", r.at(payload, "created_at"))
	l.blank()
	return l.String()
}
