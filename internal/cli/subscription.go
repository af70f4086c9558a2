package cli

import (
	"context"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

func (a *app) subscription() *cobra.Command {
	return a.group("subscription", "What is watched and notified of",
		a.subscriptionActivate("activate", "Switch a subscription on", true),
		a.subscriptionActivate("deactivate", "Switch a subscription off", false),
		a.subscriptionList(), a.subscriptionGet(), a.subscriptionDel())
}

func (a *app) subscriptionActivate(name, short string, active bool) *cobra.Command {
	c := a.command(name+" SUBSCRIPTION_TYPE SUBSCRIPTION_KEY", short, func(ctx context.Context, args []string) error {
		r, err := a.activate(ctx, args[0], args[1], active)
		if err != nil {
			return err
		}
		return a.show(r, "subscription "+name, success)
	})
	c.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return []string{"tag_update", "vuln_update", "policy_eval", "analysis_update", "repo_update"}, cobra.ShellCompDirectiveNoFileComp
	}
	return c
}

func (a *app) subscriptionList() *cobra.Command {
	var full bool
	c := a.command("list", "List subscriptions", func(ctx context.Context, _ []string) error {
		r, err := a.client.get(ctx, "/subscriptions")
		if err != nil {
			return err
		}
		keys, t := "subscription_key,subscription_type,active", columns("Tag", "Subscription Type", "Active")
		if full {
			keys, t.header = keys+",subscription_id", append(t.header, "Subscription ID")
		}
		return a.show(r, "subscription list", func(r *reader, payload any) string {
			return a.byKeys(r, ofTags(r, payload), keys, t, 0, false)
		})
	})
	c.Flags().BoolVar(&full, "full", false, "more columns")
	return c
}

// ofTags leaves out watched repositories, which the group repo lists.
func ofTags(r *reader, payload any) any {
	tags := []any{}
	for _, s := range r.list(payload) {
		if r.opt(s, "subscription_type") != repoUpdate {
			tags = append(tags, s)
		}
	}
	return tags
}

func (a *app) subscriptionGet() *cobra.Command {
	return a.command("get SUBSCRIPTION_ID", "Show a subscription", func(ctx context.Context, args []string) error {
		r, err := a.client.get(ctx, "/subscriptions/"+segment(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "subscription get", func(r *reader, payload any) string {
			return a.byKeys(r, payload, "subscription_key,subscription_type,active,subscription_id,userId",
				columns("Tag", "Subscription Type", "Active", "Subscription ID", "User ID"), 0, false)
		})
	})
}

func (a *app) subscriptionDel() *cobra.Command {
	return a.command("del SUBSCRIPTION_ID", "Delete a subscription", func(ctx context.Context, args []string) error {
		r, err := a.client.delete(ctx, "/subscriptions/"+segment(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "subscription del", success)
	})
}

// activate switches the subscription of a type and key.
func (a *app) activate(ctx context.Context, kind, key string, active bool) (*reply, error) {
	id, refused, err := a.subscriptionID(ctx, kind, key)
	if err != nil || refused != nil {
		return refused, err
	}
	return a.client.do(ctx, http.MethodPut, "/subscriptions/"+segment(id),
		python.Dict("active", active, "subscription_key", key, "subscription_type", kind))
}

// subscriptionID looks a subscription up; refused is the server's no.
func (a *app) subscriptionID(ctx context.Context, kind, key string) (id string, refused *reply, err error) {
	r, err := a.client.get(ctx, "/subscriptions"+query(param{"subscription_key", key}, param{"subscription_type", kind}))
	if err != nil {
		return "", nil, err
	}
	if !r.ok() {
		return "", r, nil
	}
	look := &reader{}
	id = look.text(look.at(r.body, 0, "subscription_id"))
	if look.err != nil {
		return "", nil, fmt.Errorf("there is no subscription of type %s for %s", kind, key)
	}
	return id, nil, nil
}
