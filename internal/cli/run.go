// Package cli is the command line client of the v1 API: the drop-in for the
// original anchore-cli 0.9.4. Its commands make the same calls, print the same
// bytes and end with the same codes, so that a script written for the original
// notices no difference; what is more than the original (shell completion,
// colour, progress) appears only on a terminal or under a command of its own.
//
// It knows the wire alone: replies are foreign values (package python), never
// the engine's types, so it works against any server of this API and builds in
// seconds. Everything it reads is bounded, and a reply of the wrong shape ends
// in the raw reply with a warning, never in a crash.
//
// The parser is cobra. Global options stand before the group only, which is
// cobra's TraverseChildren with options local to the root; options of a command
// mix with its arguments; and it writes the completion scripts of bash, zsh and
// fish itself, which kong leaves to others. The texts of usage errors, which
// differ from the original's, are put right in usage.go.
//
// The files are one a group (image.go, event.go, ...), each with its commands
// first and the shaping of their replies after; settings.go, client.go,
// reply.go and table.go carry what is common.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"windlass/internal/cli/python"
)

// level is the original's version whose behaviour this is.
const level = "0.9.4"

// World is what the program is started in.
type World struct {
	Env                      func(string) (string, bool)
	In                       io.Reader
	Out, Err                 io.Writer
	OutTerminal, ErrTerminal bool
	Transport                http.RoundTripper // nil is the network
}

// exit ends the program with a code, all being said.
type exit int

func (e exit) Error() string { return fmt.Sprintf("exit %d", int(e)) }

// verbatim is a fault in the original's words, which scripts may look for.
type verbatim string

func (v verbatim) Error() string { return string(v) }

// Exit codes.
const (
	exitOK          = 0
	exitRefused     = 1   // the server said no
	exitFault       = 2   // wrong usage, no access, an error on either side
	exitInterrupted = 130 // the shell's code for Ctrl-C
)

// app is one run of the program.
type app struct {
	World
	options  options
	settings settings
	client   *client
	style    style
}

// Run does what the arguments say and returns the exit code.
func Run(ctx context.Context, args []string, w World) int {
	a := &app{World: w}
	root := a.root()
	root.SetArgs(joined(root, args))
	root.SetIn(w.In)
	root.SetOut(w.Out)
	root.SetErr(w.Err)
	cmd, err := root.ExecuteContextC(ctx)
	var code exit
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &code):
		return int(code)
	case errors.Is(err, pflag.ErrHelp):
		_ = cmd.Help()
		return exitOK
	}
	fmt.Fprint(a.Err, usageText(cmd, err))
	return exitFault
}

// joined ties each global option to its value with a =, so that a password that
// begins with a - is not taken for an option when the group is looked for.
func joined(root *cobra.Command, args []string) []string {
	var out []string
	for i := 0; i < len(args); i++ {
		name, ok := strings.CutPrefix(args[i], "--")
		if !ok || name == "" {
			return append(out, args[i:]...)
		}
		if f := root.Flags().Lookup(name); f != nil && f.NoOptDefVal == "" && i+1 < len(args) {
			i++
			out = append(out, "--"+name+"="+args[i])
			continue
		}
		out = append(out, args[i])
	}
	return out
}

// println writes a text and a newline in one piece.
func (a *app) println(s string) {
	_, _ = io.WriteString(a.Out, a.style.calm(s)+"\n")
}

// fail says what went wrong on this side and ends with the code of faults.
func (a *app) fail(ctx context.Context, err error) error {
	var code exit
	if errors.As(err, &code) {
		return err
	}
	if ctx.Err() != nil {
		return exit(exitInterrupted)
	}
	a.println(a.faultText("", err.Error()))
	return exit(exitFault)
}

// show prints a reply, shaped when it is a success, and ends with its code.
func (a *app) show(r *reply, op string, shape shape) error {
	if r.ok() {
		a.println(a.shaped(r.body, shape))
	} else {
		a.println(a.refusal(op, r))
	}
	return a.end(r)
}

// end is the exit code that a reply stands for.
func (a *app) end(r *reply) error {
	a.client.trace.replied(r.code)
	if c := r.exitCode(); c != exitOK {
		return exit(c)
	}
	return nil
}

// shape makes text of a payload.
type shape func(r *reader, payload any) string

// success is the shape of replies that say no more than that.
func success(*reader, any) string { return "Success" }

func (a *app) shaped(payload any, shape shape) string {
	if a.settings.json {
		return python.JSON(payload)
	}
	r := &reader{}
	text := shape(r, payload)
	if r.err == nil {
		return text
	}
	a.println("WARNING: failed to format output (returning raw output) - exception: " + r.err.Error())
	return python.JSON(payload)
}
