package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

// maxDownload bounds what a policy hub sends.
const maxDownload = 32 << 20

func (a *app) hub() *cobra.Command {
	return a.group("hub", "Policy bundles of a policy hub", a.hubList(), a.hubGet(), a.hubInstall())
}

func (a *app) hubList() *cobra.Command {
	return a.unchecked("list", "List the bundles of the hub", func(ctx context.Context, _ []string) error {
		index, err := a.download(ctx, "index.json")
		if err != nil {
			return err
		}
		return a.show(index, "policy hub list", a.hubTable)
	})
}

func (a *app) hubGet() *cobra.Command {
	return a.unchecked("get BUNDLENAME", "Show a bundle of the hub", func(ctx context.Context, args []string) error {
		bundle, err := a.hubBundle(ctx, args[0])
		if err != nil {
			return err
		}
		return a.show(bundle, "policy hub get", bundleLines)
	})
}

func (a *app) hubInstall() *cobra.Command {
	var target string
	var force bool
	c := a.unchecked("install BUNDLENAME", "Add a bundle of the hub to the policies", func(ctx context.Context, args []string) error {
		found, err := a.hubBundle(ctx, args[0])
		if err != nil {
			return err
		}
		if !found.ok() {
			return a.show(found, "policy hub install", nil)
		}
		bundle, ok := found.body.(*python.Object)
		if !ok {
			return fmt.Errorf("bundle %s is no JSON object", args[0])
		}
		look := &reader{}
		id := target
		if id == "" {
			if id = look.text(look.at(bundle, "name")); look.err != nil {
				return fmt.Errorf("bundle %s has no name", args[0])
			}
		}
		bundle.Set("id", id)
		if !force {
			if err := a.unused(ctx, id); err != nil {
				return err
			}
		}
		return a.postPolicy(ctx, bundle)
	})
	c.Flags().StringVar(&target, "target-id", "", "the id it gets, in place of its name")
	c.Flags().BoolVar(&force, "force", false, "also over a policy of that id")
	return c
}

// unused: no policy has the id.
func (a *app) unused(ctx context.Context, id string) error {
	r, err := a.client.get(ctx, "/policies")
	if err != nil {
		return err
	}
	if !r.ok() {
		return a.show(r, "policy hub install", nil)
	}
	look := &reader{}
	for _, p := range look.list(r.body) {
		if look.opt(p, "policyId") == id {
			return fmt.Errorf("a policy with id %s exists: --force replaces it, --target-id gives another", id)
		}
	}
	return look.err
}

// hubBundle looks a bundle up in the index and fetches it.
func (a *app) hubBundle(ctx context.Context, name string) (*reply, error) {
	index, err := a.download(ctx, "index.json")
	if err != nil || !index.ok() {
		return index, err
	}
	look := &reader{}
	for _, e := range bundles(look, index.body) {
		if look.opt(e, "name") == name {
			location := look.text(look.at(e, "location"))
			if look.err != nil {
				break
			}
			return a.download(ctx, location)
		}
	}
	return nil, fmt.Errorf("the policy hub has no bundle %s", name)
}

func bundles(r *reader, index any) []any {
	var found []any
	for _, e := range r.list(r.at(index, "content")) {
		if r.opt(e, "type") == "bundle" {
			found = append(found, e)
		}
	}
	return found
}

// download fetches from the hub, which gets no password of ours.
func (a *app) download(ctx context.Context, location string) (*reply, error) {
	ctx, cancel := limited(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(a.settings.hubURL, "/")+"/"+strings.TrimPrefix(location, "/"), nil)
	if err != nil {
		return nil, err
	}
	a.client.trace.connect(req.URL)
	resp, err := a.client.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	a.client.trace.answered(req, resp)
	text, err := bounded(resp.Body, maxDownload)
	if err != nil {
		return nil, err
	}
	r := &reply{code: resp.StatusCode, body: decode(resp.StatusCode, text)}
	if _, text := r.body.(string); text && r.ok() {
		return nil, errors.New("the policy hub's answer is not JSON")
	}
	return r, nil
}

func (a *app) hubTable(r *reader, index any) string {
	t := columns("Name", "Description")
	for _, e := range bundles(r, index) {
		t.row(wrapped(r.at(e, "name"), otherText), wrapped(r.at(e, "description"), gateText))
	}
	t.sort(r, 0, true)
	return a.plain(t)
}

// bundleLines shows a bundle's parts by name.
func bundleLines(r *reader, bundle any) string {
	var l lines
	l.add("Policy Bundle ID", r.at(bundle, "id"))
	l.add("Name", r.at(bundle, "name"))
	l.add("Description", r.opt(bundle, "description"))
	l.blank()
	names := map[string]string{}
	for _, part := range []struct{ key, label string }{{"policies", "Policy"}, {"whitelists", "Whitelist"}} {
		for _, e := range r.list(r.at(bundle, part.key)) {
			name := r.at(e, "name")
			names[python.Str(r.at(e, "id"))] = python.Str(name)
			l.add(part.label+" Name", name)
			l.add(part.label+" Description", r.opt(e, "description"))
			l.blank()
		}
	}
	for _, m := range r.list(r.at(bundle, "mappings")) {
		policies := r.opt(m, "policy_ids")
		if one := r.opt(m, "policy_id"); !python.Truthy(policies) && one != nil {
			policies = []any{one}
		}
		l.add("Mapping Name", r.at(m, "name"))
		l.add("Mapping Rule", python.Str(r.at(m, "registry"))+"/"+python.Str(r.at(m, "repository"))+":"+python.Str(r.at(m, "image", "value")))
		l.add("Mapping Policies", called(r, policies, names))
		l.add("Mapping Whitelists", called(r, r.opt(m, "whitelist_ids"), names))
		l.blank()
	}
	return l.String()
}

// called gives the names of ids.
func called(r *reader, ids any, names map[string]string) string {
	if ids == nil {
		return ""
	}
	var out []string
	for _, id := range r.list(ids) {
		name, ok := names[python.Str(id)]
		if !ok {
			name = python.Str(id)
		}
		out = append(out, name)
	}
	return strings.Join(out, ",")
}
