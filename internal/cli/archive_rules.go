package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

// rule is the options of a new rule.
type rule struct {
	registry, repository, tag       string
	noRegistry, noRepository, noTag string
	expires, maxImages              int
	global                          bool
}

func (a *app) ruleAdd() *cobra.Command {
	var o rule
	c := a.command("add ANALYSIS_AGE_DAYS TAG_VERSIONS_NEWER TRANSITION", "Add a rule: what is that old and that far behind is archived, or deleted from the archive", func(ctx context.Context, args []string) error {
		body, unbounded, err := o.body(args)
		if err != nil {
			return err
		}
		if unbounded {
			yes, err := a.confirm(ctx, "\nWARNING: with both 0 the rule takes every image that it selects, at once.\n\nReally add it? (y/N)")
			if err != nil || !yes {
				return err
			}
		}
		r, err := a.client.do(ctx, http.MethodPost, "/archives/rules", body)
		if err != nil {
			return err
		}
		return a.show(r, "analysis-archive rules add", a.oneRule)
	})
	f := c.Flags()
	f.StringVar(&o.registry, "registry-selector", "*", "only this registry; may hold *")
	f.StringVar(&o.repository, "repository-selector", "*", "only this repository; may hold *")
	f.StringVar(&o.tag, "tag-selector", "*", "only this tag; may hold *")
	f.BoolVar(&o.global, "is-global", false, "for all accounts (administrators)")
	f.IntVar(&o.maxImages, "max-images-per-account", 0, "keep at most so many images in each account")
	f.StringVar(&o.noRegistry, "registry-exclude", "", "but not this registry")
	f.StringVar(&o.noRepository, "repository-exclude", "", "but not this repository")
	f.StringVar(&o.noTag, "tag-exclude", "", "but not this tag")
	f.IntVar(&o.expires, "exclude-expiration-days", -1, "days until the exclusion ends; -1 for never")
	args := c.Args
	c.Args = func(c *cobra.Command, given []string) error {
		if err := args(c, given); err != nil {
			return err
		}
		_, _, err := ageAndVersions(given)
		return err
	}
	return c
}

func ageAndVersions(args []string) (age, versions int, err error) {
	for i, into := range []*int{&age, &versions} {
		name := []string{"ANALYSIS_AGE_DAYS", "TAG_VERSIONS_NEWER"}[i]
		if *into, err = strconv.Atoi(args[i]); err != nil {
			return 0, 0, usageError(fmt.Sprintf("Invalid value for '%s': '%s' is not a valid integer.", name, args[i]))
		}
	}
	if t := args[2]; t != "archive" && t != "delete" {
		return 0, 0, usageError(fmt.Sprintf("Invalid value for 'TRANSITION': '%s' is not one of 'archive', 'delete'.", t))
	}
	return age, versions, nil
}

// body is the rule as sent. unbounded: it takes everything it selects.
func (o *rule) body(args []string) (body *python.Object, unbounded bool, err error) {
	age, versions, err := ageAndVersions(args)
	if err != nil {
		return nil, false, err
	}
	if age < 0 || versions < 0 {
		return nil, false, errors.New("ANALYSIS_AGE_DAYS and TAG_VERSIONS_NEWER must be 0 or more")
	}
	body = python.Dict("tag_versions_newer", versions, "analysis_age_days", age, "transition", args[2], "system_global", o.global)
	if o.maxImages != 0 {
		if !o.global || o.registry != "*" || o.repository != "*" || o.tag != "*" {
			return nil, false, errors.New("--max-images-per-account needs --is-global and takes no selectors")
		}
		body.Set("max_images_per_account", o.maxImages)
		return body, false, nil
	}
	body.Set("selector", python.Dict("registry", o.registry, "repository", o.repository, "tag", o.tag))
	body.Set("exclude", python.Dict("expiration_days", o.expires,
		"selector", python.Dict("registry", o.noRegistry, "repository", o.noRepository, "tag", o.noTag)))
	return body, age == 0 && versions == 0, nil
}

func (a *app) ruleList() *cobra.Command {
	return a.command("list", "List rules", func(ctx context.Context, _ []string) error {
		r, err := a.client.get(ctx, "/archives/rules")
		if err != nil {
			return err
		}
		return a.show(r, "analysis-archive rules list", a.ruleTable)
	})
}

func (a *app) ruleGet() *cobra.Command {
	return a.command("get RULE_ID", "Show a rule", func(ctx context.Context, args []string) error {
		r, err := a.client.get(ctx, "/archives/rules/"+segment(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "analysis-archive rules get", a.oneRule)
	})
}

func (a *app) ruleDel() *cobra.Command {
	return a.command("del RULE_ID", "Delete a rule", func(ctx context.Context, args []string) error {
		r, err := a.client.delete(ctx, "/archives/rules/"+segment(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "analysis-archive rules del", success)
	})
}

func (a *app) oneRule(r *reader, payload any) string { return a.ruleTable(r, []any{payload}) }

func (a *app) ruleTable(r *reader, payload any) string {
	t := columns("Rule Id", "Global", "Transition", "Analysis Age (Days)", "Tag Versions Newer", "Registry", "Repository", "Tag",
		"Max Images", "Registry Exclude", "Repo Exclude", "Tag Exclude", "Exclude Exp Days", "Last Updated")
	for _, e := range r.list(payload) {
		selector, exclude := r.at(e, "selector"), r.at(e, "exclude")
		not := r.at(exclude, "selector")
		t.row(r.at(e, "rule_id"), r.at(e, "system_global"), r.at(e, "transition"), r.at(e, "analysis_age_days"), r.at(e, "tag_versions_newer"),
			r.at(selector, "registry"), r.at(selector, "repository"), r.at(selector, "tag"), r.at(e, "max_images_per_account"),
			r.at(not, "registry"), r.at(not, "repository"), r.at(not, "tag"), r.at(exclude, "expiration_days"), r.at(e, "last_updated"))
	}
	t.sort(r, 13, true)
	return a.plain(t) + "\n"
}
