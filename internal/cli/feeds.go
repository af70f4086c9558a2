package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

func (a *app) feeds() *cobra.Command {
	return a.group("feeds", "Vulnerability feeds and their groups",
		a.feedsList(), a.feedsSync(), a.feedsConfig(), a.feedsDelete())
}

func (a *app) feedsList() *cobra.Command {
	return a.command("list", "List feeds and groups with their last sync", func(ctx context.Context, _ []string) error {
		r, err := a.client.get(ctx, "/system/feeds")
		if err != nil {
			return err
		}
		return a.show(r, "system feeds list", a.feedTable)
	})
}

const syncWarning = "\nWARNING: This operation should not normally need to be performed except when the anchore-engine operator is certain that it is required - the operation will take a long time (hours) to complete, and there may be an impact on anchore-engine performance during the re-sync/flush.\n\n"

func (a *app) feedsSync() *cobra.Command {
	var flush bool
	c := a.command("sync", "Sync the feeds now", func(ctx context.Context, _ []string) error {
		yes, err := a.confirm(ctx, syncWarning+"Really perform a manual feed data sync/flush? (y/N)")
		if err != nil || !yes {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, syncTimeout)
		defer cancel()
		r, err := a.client.do(ctx, http.MethodPost, "/system/feeds"+query(param{"flush", python.Str(flush)}), nil)
		if err != nil {
			return err
		}
		return a.show(r, "system feeds sync", a.syncTable)
	})
	c.Flags().BoolVar(&flush, "flush", false, "drop the data of all feeds first")
	return c
}

func (a *app) feedsConfig() *cobra.Command {
	var enable, disable bool
	var group string
	c := a.command("config FEED", "Enable or disable a feed or one of its groups", func(ctx context.Context, args []string) error {
		if enable == disable {
			return errors.New("one of --enable and --disable must be given")
		}
		r, err := a.client.do(ctx, http.MethodPut, feedPath(args[0], group)+query(param{"enabled", python.Str(enable)}), nil)
		if err != nil {
			return err
		}
		return a.show(r, "system feeds config", a.oneFeed(group))
	})
	c.Flags().BoolVar(&enable, "enable", false, "include in syncs and matching")
	c.Flags().BoolVar(&disable, "disable", false, "leave out of syncs and matching")
	c.Flags().StringVar(&group, "group", "", "only this group of the feed")
	return c
}

func (a *app) feedsDelete() *cobra.Command {
	var group string
	c := a.command("delete FEED", "Delete the data of a disabled feed or group", func(ctx context.Context, args []string) error {
		r, err := a.client.delete(ctx, feedPath(args[0], group))
		if err != nil {
			return err
		}
		return a.show(r, "system feeds delete", a.oneFeed(group))
	})
	c.Flags().StringVar(&group, "group", "", "only this group of the feed")
	return c
}

func feedPath(feed, group string) string {
	path := "/system/feeds/" + segment(feed)
	if group != "" {
		path += "/" + segment(group)
	}
	return path
}

func (a *app) feedTable(r *reader, payload any) string {
	t := columns("Feed", "Group", "LastSync", "RecordCount")
	for _, feed := range r.list(payload) {
		for _, group := range r.list(r.at(feed, "groups")) {
			t.row(switched(r, feed), switched(r, group), lastSync(r, group), r.opt(group, "record_count"))
		}
	}
	t.sort(r, 0, false)
	return a.plain(t) + "\n"
}

// oneFeed is the shape of a reply about one feed, or one group.
func (a *app) oneFeed(group string) shape {
	if group == "" {
		return func(r *reader, payload any) string { return a.feedTable(r, []any{payload}) }
	}
	return func(r *reader, payload any) string {
		t := columns("Group", "LastSync", "RecordCount")
		t.row(switched(r, payload), lastSync(r, payload), r.opt(payload, "record_count"))
		return a.plain(t) + "\n"
	}
}

// enabled: only what says that it is not is disabled.
func enabled(r *reader, v any) bool {
	on, ok := r.opt(v, "enabled").(bool)
	return on || !ok
}

func switched(r *reader, v any) string {
	name := python.Str(r.at(v, "name"))
	if !enabled(r, v) {
		name += "(disabled)"
	}
	return name
}

func lastSync(r *reader, group any) any {
	at := r.opt(group, "last_sync")
	switch {
	case python.Truthy(at):
		return at
	case enabled(r, group):
		return "pending"
	}
	return "-"
}

func (a *app) syncTable(r *reader, payload any) string {
	t := columns("Feed", "Group", "Status", "Records Updated", "Sync Duration")
	for _, feed := range r.list(payload) {
		for _, g := range r.list(r.at(feed, "groups")) {
			seconds, ok := python.Float(r.at(g, "total_time_seconds"))
			if !ok {
				r.fault("must be real number, not %s", python.TypeName(r.opt(g, "total_time_seconds")))
			}
			t.row(r.at(feed, "feed"), r.at(g, "group"), r.at(g, "status"), r.at(g, "updated_record_count"), fmt.Sprintf("%.2fs", seconds))
		}
	}
	t.sort(r, 0, false)
	return a.plain(t)
}
