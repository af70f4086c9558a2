package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

// The server of this project answers these with 404, as every open one does;
// they are here for those who point the client at another.

func (a *app) enterprise() *cobra.Command {
	return a.group("enterprise", "What only the commercial server has",
		a.group("corrections", "Corrections of found packages", a.correctionAdd(), a.correctionGet(), a.correctionList(), a.correctionDelete()))
}

func (a *app) correctionAdd() *cobra.Command {
	var match, replace []string
	var kind string
	c := a.command("add", "Add a correction", func(ctx context.Context, _ []string) error {
		matches, err := fields(match)
		if err != nil {
			return err
		}
		replaces, err := fields(replace)
		if err != nil {
			return err
		}
		r, err := a.client.do(ctx, http.MethodPost, "/enterprise/corrections", python.Dict(
			"type", "package", "match", python.Dict("type", kind, "field_matches", matches), "replace", replaces))
		if err != nil {
			return err
		}
		return a.show(r, "enterprise corrections add", correctionLines)
	})
	f := c.Flags()
	f.StringArrayVarP(&match, "match", "m", nil, "FIELD=VALUE that a package must have; may be repeated")
	f.StringVarP(&kind, "type", "p", "", "the packages' type, such as java")
	f.StringArrayVarP(&replace, "replace", "r", nil, "FIELD=VALUE that it gets; may be repeated")
	return required(c, "match", "type", "replace")
}

// fields reads FIELD=VALUE texts.
func fields(pairs []string) ([]any, error) {
	out := []any{}
	for _, p := range pairs {
		k, v, ok := strings.Cut(p, "=")
		if !ok || k == "" {
			return nil, fmt.Errorf("%q is not of the form FIELD=VALUE", p)
		}
		out = append(out, python.Dict("field_name", k, "field_value", v))
	}
	return out, nil
}

func (a *app) correctionGet() *cobra.Command {
	return a.command("get CORRECTION_ID", "Show a correction", func(ctx context.Context, args []string) error {
		r, err := a.client.get(ctx, correctionPath(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "enterprise corrections get", correctionLines)
	})
}

func (a *app) correctionList() *cobra.Command {
	return a.command("list", "List corrections", func(ctx context.Context, _ []string) error {
		r, err := a.client.get(ctx, "/enterprise/corrections")
		if err != nil {
			return err
		}
		return a.show(r, "enterprise corrections list", func(r *reader, payload any) string {
			t := columns("ID", "Match", "Replace", "Created At", "Description")
			for _, e := range r.list(payload) {
				t.row(r.at(e, "uuid"), python.Str(r.at(e, "match")), python.Str(r.at(e, "replace")), r.at(e, "created_at"), r.opt(e, "description"))
			}
			t.sort(r, 3, true)
			return a.plain(t)
		})
	})
}

func (a *app) correctionDelete() *cobra.Command {
	return a.command("delete CORRECTION_ID", "Delete a correction", func(ctx context.Context, args []string) error {
		r, err := a.client.delete(ctx, correctionPath(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "enterprise corrections delete", success)
	})
}

func correctionPath(id string) string { return "/enterprise/corrections/" + segment(id) }

func correctionLines(r *reader, payload any) string {
	var l lines
	l.add("UUID", r.at(payload, "uuid"))
	l.add("Match", r.at(payload, "match"))
	l.add("Replace", r.at(payload, "replace"))
	l.add("Created At", r.at(payload, "created_at"))
	l.add("Description", r.opt(payload, "description"))
	return l.String()
}
