package cli

import (
	"context"
	"net/http"
	"strings"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

func (a *app) system() *cobra.Command {
	return a.group("system", "State of the services, feeds and webhooks",
		a.systemStatus(), a.systemErrorCodes(), a.systemWait(), a.systemDel(), a.feeds(),
		a.group("webhook", "Webhooks", a.webhookTest()),
	)
}

func (a *app) systemStatus() *cobra.Command {
	return a.command("status", "Show the state of all services", func(ctx context.Context, _ []string) error {
		r, err := a.client.get(ctx, "/system")
		if err != nil {
			return err
		}
		return a.show(r, "system status", statusLines)
	})
}

func (a *app) systemErrorCodes() *cobra.Command {
	return a.command("errorcodes", "List the codes that errors may carry", func(ctx context.Context, _ []string) error {
		r, err := a.client.get(ctx, "/system/error_codes")
		if err != nil {
			return err
		}
		return a.show(r, "system errorcodes", a.errorCodes)
	})
}

func (a *app) systemDel() *cobra.Command {
	return a.command("del HOST_ID SERVICENAME", "Remove the record of a service that is gone", func(ctx context.Context, args []string) error {
		r, err := a.client.delete(ctx, "/system/services/"+segment(args[1])+"/"+segment(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "system del", success)
	})
}

func (a *app) webhookTest() *cobra.Command {
	var kind string
	c := a.command("test [WEBHOOK_TYPE]", "Have a test notification sent to the configured webhook", func(ctx context.Context, args []string) error {
		webhook := "general"
		if len(args) > 0 {
			webhook = args[0]
		}
		r, err := a.client.do(ctx, http.MethodPost, "/system/webhooks/"+segment(webhook)+"/test"+query(param{"notification_type", kind}), nil)
		if err != nil {
			return err
		}
		return a.show(r, "system webhook test", success)
	})
	c.Flags().StringVar(&kind, "ntype", "tag_update", "kind of the notification")
	return c
}

func statusLines(r *reader, payload any) string {
	var b strings.Builder
	var db, code any
	for _, s := range r.list(r.at(payload, "service_states")) {
		up := python.Truthy(r.at(s, "status"))
		state := "up"
		if !up {
			state = "down (" + python.Str(r.opt(s, "status_message")) + ")"
		}
		name := python.Str(r.at(s, "servicename"))
		b.WriteString("Service " + name + " (" + python.Str(r.at(s, "hostid")) + ", " + python.Str(r.at(s, "base_url")) + "): " + state + "\n")
		detail, ok := r.opt(s, "service_detail").(*python.Object)
		if !ok {
			continue
		}
		own := name == "apiext" && up // the API's word counts before the others'
		if v, ok := detail.Get("db_version"); ok && python.Truthy(v) && (db == nil || own) {
			db = v
		}
		if v, ok := detail.Get("version"); ok && python.Truthy(v) && (code == nil || own) {
			code = v
		}
	}
	b.WriteString("\nEngine DB Version: " + found(db) + "\nEngine Code Version: " + found(code))
	return b.String()
}

func found(v any) string {
	if v == nil {
		return "Not Found"
	}
	return python.Str(v)
}

func (a *app) errorCodes(r *reader, payload any) string {
	t := columns("Error Code", "Description")
	for _, e := range r.list(payload) {
		t.row(r.at(e, "name"), wrapped(r.at(e, "description"), 60))
	}
	t.sort(r, 0, false)
	return a.plain(t) + "\n"
}
