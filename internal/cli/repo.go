package cli

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

// repoUpdate is the type of the subscriptions that watch repositories.
const repoUpdate = "repo_update"

func (a *app) repo() *cobra.Command {
	return a.group("repo", "Watched repositories",
		a.repoAdd(), a.repoList(), a.repoGet(),
		a.repoWatch("watch", "Watch a repository", true), a.repoWatch("unwatch", "Stop watching a repository", false), a.repoDel())
}

func (a *app) repoAdd() *cobra.Command {
	var noSubscribe, dryRun bool
	var tag string
	c := a.command("add REPO", "Watch a repository and add its tags", func(ctx context.Context, args []string) error {
		r, err := a.client.do(ctx, http.MethodPost, "/repositories"+query(given(
			param{"repository", repository(args[0])}, param{"autosubscribe", python.Str(!noSubscribe)},
			param{"dryrun", python.Str(dryRun)}, param{"lookuptag", tag})...), nil)
		if err != nil {
			return err
		}
		return a.show(r, "repo add", func(r *reader, payload any) string {
			if dryRun {
				return "DRY RUN: Repository not added\n\n" + a.repoTable(r, payload)
			}
			return a.repoTable(r, payload)
		})
	})
	f := c.Flags()
	f.BoolVar(&noSubscribe, "noautosubscribe", false, "do not watch the tags that are added")
	f.StringVar(&tag, "lookuptag", "", "a tag by which the repository is found to exist")
	f.BoolVar(&dryRun, "dryrun", false, "only say how many tags there are")
	return c
}

func (a *app) repoList() *cobra.Command {
	return a.command("list", "List watched repositories", func(ctx context.Context, _ []string) error {
		r, err := a.client.get(ctx, "/subscriptions?subscription_type="+repoUpdate)
		if err != nil {
			return err
		}
		return a.show(r, "repo list", a.repoTable)
	})
}

func (a *app) repoGet() *cobra.Command {
	return a.command("get REPO", "Show a watched repository", func(ctx context.Context, args []string) error {
		r, err := a.client.get(ctx, "/subscriptions?subscription_type="+repoUpdate)
		if err != nil {
			return err
		}
		if r.ok() {
			repo, look := repository(args[0]), &reader{}
			found := []any{}
			for _, s := range look.list(r.body) {
				if look.opt(s, "subscription_key") == repo {
					found = append(found, s)
				}
			}
			if len(found) == 0 && look.err == nil {
				return fmt.Errorf("repository %s is not among those added", repo)
			}
			if look.err == nil {
				r.body = found
			}
		}
		return a.show(r, "repo get", a.repoTable)
	})
}

func (a *app) repoWatch(verb, short string, active bool) *cobra.Command {
	return a.command(verb+" REPO", short, func(ctx context.Context, args []string) error {
		r, err := a.activate(ctx, repoUpdate, repository(args[0]), active)
		if err != nil {
			return err
		}
		return a.show(r, "repo "+verb, a.repoTable)
	})
}

func (a *app) repoDel() *cobra.Command {
	return a.command("del REPO", "Remove a repository; its images stay", func(ctx context.Context, args []string) error {
		id, r, err := a.subscriptionID(ctx, repoUpdate, repository(args[0]))
		if err != nil {
			return err
		}
		if r == nil {
			if r, err = a.client.delete(ctx, "/subscriptions/"+segment(id)); err != nil {
				return err
			}
		}
		return a.show(r, "repo del", success)
	})
}

// repository gives a repository its registry, the Docker Hub without one, and
// takes a tag or digest away.
func repository(name string) string {
	name, _, _ = strings.Cut(name, "@")
	host, rest, ok := strings.Cut(name, "/")
	if !ok || host != "localhost" && !strings.ContainsAny(host, ".:") {
		host, rest = "docker.io", name
	}
	rest, _, _ = strings.Cut(rest, ":")
	return host + "/" + rest
}

func (a *app) repoTable(r *reader, payload any) string {
	t := columns("Repository", "Watched", "TagCount")
	for _, s := range r.list(payload) {
		var count any = "N/A"
		if text := r.opt(s, "subscription_value"); python.Truthy(text) {
			value, err := python.Parse([]byte(r.text(text)))
			if err != nil {
				r.fault("%s", err)
			}
			if o, ok := value.(*python.Object); ok {
				if n, ok := o.Get("tagcount"); ok {
					count = n
				}
			}
		}
		t.row(r.at(s, "subscription_key"), r.at(s, "active"), python.Str(count))
	}
	t.sort(r, 0, false)
	return a.plain(t)
}
