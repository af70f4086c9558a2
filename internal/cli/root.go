package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// program is the name in usage texts.
const program = "anchore-cli"

// root is the whole command line.
func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:              program,
		Short:            "Command line client of the Anchore Engine v1 API",
		TraverseChildren: true,
		SilenceErrors:    true,
		SilenceUsage:     true,
	}
	a.options.register(root.Flags())
	bare(a, root)
	root.AddCommand(
		a.image(), a.evaluate(), a.policy(), a.subscription(), a.registry(), a.repo(), a.system(),
		a.event(), a.query(), a.account(), a.archive(), a.enterprise(),
	)
	return root
}

// bare makes a command that is only a group: alone or with "help" it explains
// itself; what follows is a command or a mistake. Options of commands are not
// looked for before the command is known.
func bare(a *app, c *cobra.Command) {
	c.Flags().SetInterspersed(false)
	c.Flags().SortFlags = false
	c.Args = cobra.ArbitraryArgs
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case a.options.version:
			a.println(program + ", version " + level)
			return nil
		case len(args) == 0 || args[0] == "help":
			return c.Help()
		}
		return noCommand(args[0])
	}
}

func (a *app) group(use, short string, commands ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short}
	bare(a, c)
	c.AddCommand(commands...)
	return c
}

// run is what a command does with its arguments.
type run func(ctx context.Context, args []string) error

// command is one that first checks that the server lets it in.
func (a *app) command(use, short string, do run) *cobra.Command {
	return a.unchecked(use, short, func(ctx context.Context, args []string) error {
		if err := a.access(ctx); err != nil {
			return err
		}
		return do(ctx, args)
	})
}

// unchecked is a command that does without the check. The usage line says what
// arguments there must be: NAME one, [NAME] perhaps one, NAME... one or more.
func (a *app) unchecked(use, short string, do run) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, DisableFlagsInUseLine: true}
	c.Flags().SortFlags = false
	c.Args = func(_ *cobra.Command, args []string) error { return checkArgs(use, args) }
	c.RunE = func(c *cobra.Command, args []string) error {
		if a.options.version {
			a.println(program + ", version " + level)
			return nil
		}
		ctx := c.Context()
		err := a.open()
		if err == nil {
			err = do(ctx, args)
		}
		if err != nil {
			return a.fail(ctx, err)
		}
		return nil
	}
	return c
}

// open settles the settings and makes the client.
func (a *app) open() (err error) {
	if a.settings, err = a.options.resolve(a.Env); err != nil {
		return err
	}
	a.style = newStyle(a.World)
	a.client, err = newClient(a.settings, a.World)
	return err
}

// access asks the base URL before anything else, so that a wrong address or
// password is told as such.
func (a *app) access(ctx context.Context) error {
	r, err := a.client.ping(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err == nil && r.ok() {
		return nil
	}
	user := "None"
	if a.settings.hasUser {
		user = a.settings.user
	}
	message := fmt.Sprintf("could not access anchore service (user=%s url=%s)", user, a.settings.url)
	switch {
	case !a.settings.debug:
	case err != nil:
		message += ": " + err.Error()
	default:
		message += ": " + r.message()
	}
	return errors.New(message)
}

func checkArgs(use string, args []string) error {
	names := strings.Fields(use)[1:]
	for i, name := range names {
		optional := strings.HasPrefix(name, "[")
		if i >= len(args) && !optional {
			return usageError("Missing argument '" + strings.TrimSuffix(name, "...") + "'.")
		}
		if strings.HasSuffix(strings.TrimSuffix(name, "]"), "...") {
			return nil
		}
	}
	switch extra := len(args) - len(names); {
	case extra == 1:
		return usageError("Got unexpected extra argument (" + args[len(args)-1] + ")")
	case extra > 1:
		return usageError("Got unexpected extra arguments (" + strings.Join(args[len(names):], " ") + ")")
	}
	return nil
}
