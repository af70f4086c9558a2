package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

func (a *app) policyDescribe() *cobra.Command {
	var all bool
	var gate, trigger string
	c := a.command("describe", "List gates, the triggers of a gate, or the parameters of a trigger", func(ctx context.Context, _ []string) error {
		if trigger != "" && gate == "" {
			return errors.New("--trigger needs --gate: triggers belong to a gate")
		}
		r, err := a.client.get(ctx, "/system/policy_spec")
		if err != nil {
			return err
		}
		path, err := specPath(r, gate, trigger)
		if err != nil {
			return err
		}
		return a.show(r, "policy describe", func(r *reader, payload any) string { return describe(r, payload, path, all) })
	})
	f := c.Flags()
	f.BoolVar(&all, "all", false, "also what is deprecated or at its end")
	f.StringVar(&gate, "gate", "", "the triggers of this gate")
	f.StringVar(&trigger, "trigger", "", "the parameters of this trigger of the gate")
	return c
}

// specPath is the way into the specification, once it is known to lead there.
func specPath(r *reply, gate, trigger string) ([]any, error) {
	var path []any
	if !r.ok() || gate == "" {
		return nil, nil
	}
	look := &reader{}
	i := named(look, r.body, gate)
	if i < 0 {
		return nil, fmt.Errorf("there is no gate %s", gate)
	}
	path = append(path, i, "triggers")
	if trigger == "" {
		return path, nil
	}
	if i = named(look, look.at(r.body, path...), trigger); i < 0 {
		return nil, fmt.Errorf("gate %s has no trigger %s", gate, trigger)
	}
	return append(path, i, "parameters"), nil
}

func named(r *reader, list any, name string) int {
	for i, e := range r.list(list) {
		if s, ok := r.opt(e, "name").(string); ok && strings.EqualFold(s, name) {
			return i
		}
	}
	return -1
}

// Widths at which the texts of the tables are wrapped.
const (
	gateText      = 60
	otherText     = 40
	parameterList = 20
)

func describe(r *reader, payload any, path []any, all bool) string {
	var t *table
	var row func(e any) []any
	superseded := "Superceded By"
	switch len(path) {
	case 0:
		t = columns("Gate", "Description")
		row = func(e any) []any { return []any{r.at(e, "name"), wrapped(r.at(e, "description"), gateText)} }
	case 2:
		t = columns("Trigger", "Description", "Parameters")
		row = func(e any) []any {
			var names []string
			for _, p := range r.list(r.at(e, "parameters")) {
				if all || active(r, p) {
					names = append(names, python.Str(r.at(p, "name")))
				}
			}
			return []any{r.at(e, "name"), wrapped(r.at(e, "description"), otherText), wrapped(strings.Join(names, ", "), parameterList)}
		}
	default:
		t, superseded = columns("Parameter", "Description", "Required", "Example"), "Supereceded By" // so it is spelled
		row = func(e any) []any {
			return []any{r.at(e, "name"), wrapped(r.at(e, "description"), otherText), isRequired(r, e), wrapped(r.opt(e, "example"), otherText)}
		}
	}
	if all {
		t.header = append(t.header, "State", superseded)
	}
	for _, e := range r.list(r.at(payload, path...)) {
		switch {
		case all:
			t.row(append(row(e), r.opt(e, "state"), r.opt(e, "superceded_by"))...)
		case active(r, e):
			t.row(row(e)...)
		}
	}
	t.sort(r, 0, false)
	return ruled(t)
}

func active(r *reader, e any) bool {
	state := r.opt(e, "state")
	return state == nil || state == "active"
}

// isRequired reads the key "required", which servers of this API do not send:
// theirs is called otherwise, and the column says True.
func isRequired(r *reader, parameter any) any {
	if v := r.opt(parameter, "required"); v != nil {
		return v
	}
	return true
}
