package cli

import (
	"context"
	"errors"
	"net/http"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

func (a *app) policy() *cobra.Command {
	return a.group("policy", "Policy bundles",
		a.policyAdd(), a.policyGet(), a.policyList(), a.policyActivate(), a.policyDel(), a.policyDescribe(), a.hub())
}

func (a *app) policyAdd() *cobra.Command {
	return a.command("add INPUT_POLICY", "Add a policy bundle from a file", func(ctx context.Context, args []string) error {
		bundle, err := readJSON(args[0])
		if err != nil {
			return err
		}
		return a.postPolicy(ctx, bundle)
	})
}

func (a *app) postPolicy(ctx context.Context, bundle any) error {
	r, err := a.client.do(ctx, http.MethodPost, "/policies?detail=True", bundle)
	if err != nil {
		return err
	}
	return a.show(r, "policy add", policyLines)
}

func (a *app) policyGet() *cobra.Command {
	var detail bool
	c := a.command("get POLICYID", "Show a policy bundle", func(ctx context.Context, args []string) error {
		r, err := a.client.get(ctx, "/policies/"+segment(args[0])+query(param{"detail", python.Str(detail)}))
		if err != nil {
			return err
		}
		if !detail {
			return a.show(r, "policy get", policyLines)
		}
		return a.show(r, "policy get", func(r *reader, payload any) string {
			return python.JSON(r.at(payload, 0, "policybundle"))
		})
	})
	c.Flags().BoolVar(&detail, "detail", false, "the bundle itself, as JSON")
	return c
}

func (a *app) policyList() *cobra.Command {
	return a.command("list", "List policy bundles", func(ctx context.Context, _ []string) error {
		r, err := a.client.get(ctx, "/policies?detail=False")
		if err != nil {
			return err
		}
		return a.show(r, "policy list", func(r *reader, payload any) string {
			return a.byKeys(r, payload, "policyId,active,created_at,last_updated", columns("Policy ID", "Active", "Created", "Updated"), 1, true)
		})
	})
}

func (a *app) policyActivate() *cobra.Command {
	return a.command("activate POLICYID", "Make a bundle the one that evaluations use", func(ctx context.Context, args []string) error {
		path := "/policies/" + segment(args[0])
		r, err := a.client.get(ctx, path+"?detail=True")
		if err != nil {
			return err
		}
		if !r.ok() {
			return a.show(r, "policy activate", nil)
		}
		look := &reader{}
		record := look.object(look.at(r.body, 0))
		if look.err != nil {
			return errors.New("the reply holds no policy record")
		}
		record.Set("active", true)
		if r, err = a.client.do(ctx, http.MethodPut, path, record); err != nil {
			return err
		}
		return a.show(r, "policy activate", func(*reader, any) string { return "Success: " + args[0] + " activated" })
	})
}

func (a *app) policyDel() *cobra.Command {
	return a.command("del POLICYID", "Delete a policy bundle", func(ctx context.Context, args []string) error {
		r, err := a.client.delete(ctx, "/policies/"+segment(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "policy del", success)
	})
}

func policyLines(r *reader, payload any) string {
	var l lines
	if _, one := payload.(*python.Object); one { // an addition is answered with the record itself
		payload = []any{payload}
	}
	for _, p := range r.list(payload) {
		l.add("Policy ID", r.at(p, "policyId"))
		l.add("Active", r.at(p, "active"))
		l.add("Source", r.at(p, "policy_source"))
		l.add("Created", r.at(p, "created_at"))
		l.add("Updated", r.at(p, "last_updated"))
		l.blank()
	}
	return l.String()
}
