package cli

import (
	"context"
	"errors"
	"net/http"
	"regexp"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

// passwordForm is what a new user's password must be like.
var passwordForm = regexp.MustCompile(`^.{6,128}$`)

func (a *app) accountUser() *cobra.Command {
	return a.group("user", "Users of an account", a.userAdd(), a.userDel(), a.userGet(), a.userList(), a.userSetPassword())
}

// ofAccount is a command on the users of an account: the caller's own unless
// another is named.
func (a *app) ofAccount(use, short string, do func(ctx context.Context, path string, me identity, args []string) error) *cobra.Command {
	var account string
	c := a.identified(use, short, func(ctx context.Context, me identity, args []string) (err error) {
		name := account
		if name == "" {
			if name, err = callerName(me.account, "name"); err != nil {
				return err
			}
		}
		return do(ctx, accountPath(name)+"/users", me, args)
	})
	c.Flags().StringVar(&account, "account", "", "the account, in place of your own")
	return c
}

func (a *app) userAdd() *cobra.Command {
	return a.ofAccount("add USER_NAME USER_PASSWORD", "Add a user", func(ctx context.Context, path string, _ identity, args []string) error {
		if !passwordForm.MatchString(args[1]) {
			return errors.New("the password must have 6 to 128 characters")
		}
		r, err := a.client.do(ctx, http.MethodPost, path, python.Dict("username", args[0], "password", args[1]))
		if err != nil {
			return err
		}
		return a.show(r, "account user add", userLines)
	})
}

func (a *app) userGet() *cobra.Command {
	return a.ofAccount("get USER_NAME", "Show a user", func(ctx context.Context, path string, _ identity, args []string) error {
		r, err := a.client.get(ctx, path+"/"+quote(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "account user get", userLines)
	})
}

func (a *app) userDel() *cobra.Command {
	return a.ofAccount("del USER_NAME", "Delete a user", func(ctx context.Context, path string, _ identity, args []string) error {
		r, err := a.client.delete(ctx, path+"/"+quote(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "account user del", success)
	})
}

func (a *app) userList() *cobra.Command {
	return a.ofAccount("list", "List users", func(ctx context.Context, path string, _ identity, _ []string) error {
		r, err := a.client.get(ctx, path)
		if err != nil {
			return err
		}
		return a.show(r, "account user list", func(r *reader, payload any) string {
			return a.byKeys(r, payload, "username,type,source,created_at", columns("Name", "Type", "Source", "Created"), 3, false) + "\n"
		})
	})
}

const passwordSet = "Password (re)set success\nNOTE: Be sure to change the password you're using for this client if you have reset your own password"

func (a *app) userSetPassword() *cobra.Command {
	var user string
	c := a.ofAccount("setpassword PASSWORD", "Set a user's password", func(ctx context.Context, path string, me identity, args []string) (err error) {
		if user == "" {
			if user, err = callerName(me.user, "username"); err != nil {
				return err
			}
		}
		r, err := a.client.do(ctx, http.MethodPost, path+"/"+quote(user)+"/credentials", python.Dict("type", "password", "value", args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "account user setpassword", func(*reader, any) string { return passwordSet })
	})
	c.Flags().StringVar(&user, "username", "", "the user, in place of yourself")
	return c
}

func userLines(r *reader, payload any) string {
	var l lines
	l.add("Name", r.at(payload, "username"))
	l.add("Type", r.at(payload, "type"))
	l.add("Source", r.at(payload, "source"))
	l.add("Created", r.at(payload, "created_at"))
	l.blank()
	return l.String()
}
