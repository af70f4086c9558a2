package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

func (a *app) event() *cobra.Command {
	return a.group("event", "Events of the system", a.eventList(), a.eventGet(), a.eventDelete())
}

func (a *app) eventList() *cobra.Command {
	var since, before, service, host, eventType, resourceType string
	var all, full bool
	level := &choice{among: []string{"info", "error"}}
	c := a.command("list [RESOURCE]", "List events, the newest first", func(ctx context.Context, args []string) error {
		resource := ""
		if len(args) > 0 {
			resource = args[0]
		}
		r, err := a.events(ctx, all, given(
			param{"since", since}, param{"before", before}, param{"level", level.value},
			param{"source_servicename", service}, param{"source_hostid", host}, param{"resource_id", resource},
			param{"event_type", eventType}, param{"resource_type", resourceType},
		))
		if err != nil {
			return err
		}
		return a.show(r, "event list", a.eventTable(full))
	})
	f := c.Flags()
	f.StringVar(&since, "since", "", "only events since this time (ISO 8601)")
	f.StringVar(&before, "before", "", "only events before this time (ISO 8601)")
	f.Var(level, "level", "only events of this level")
	f.StringVar(&service, "service", "", "only events of this service")
	f.StringVar(&host, "host", "", "only events of this host id")
	f.StringVar(&resourceType, "resource_type", "", "only events about this kind of resource")
	f.StringVar(&eventType, "event_type", "", "only events of this type; it may end in a *")
	f.BoolVar(&all, "all", false, "all pages, not only the newest events")
	f.BoolVar(&full, "full", false, "more columns")
	return c
}

// maxPages bounds a list whose server never says that it ends.
const maxPages = 20_000

// events asks for a page of events, or for all pages as one.
func (a *app) events(ctx context.Context, all bool, filter []param) (*reply, error) {
	first, err := a.client.get(ctx, "/events"+query(filter...))
	if err != nil || !all || !first.ok() {
		return first, err
	}
	look := &reader{}
	results := look.list(look.at(first.body, "results"))
	last := first
	for n := 1; more(last.body) && look.err == nil; n++ {
		if n > maxPages {
			return nil, fmt.Errorf("the list of events has more than %d pages", maxPages)
		}
		page, err := nextPage(last.body)
		if err != nil {
			return nil, err
		}
		if last, err = a.client.get(ctx, "/events"+query(append(filter[:len(filter):len(filter)], param{"page", page})...)); err != nil || !last.ok() {
			return last, err
		}
		got := look.list(look.at(last.body, "results"))
		if len(got) == 0 {
			break // a server that promises a page and gives none would never end
		}
		results = append(results, got...)
	}
	if look.err != nil {
		return last, nil // shown as it came
	}
	whole := last.body.(*python.Object).Copy()
	whole.Set("results", results)
	return &reply{code: last.code, body: whole}, nil
}

// more: only true itself says that a page follows.
func more(page any) bool {
	next := (&reader{}).opt(page, "next_page")
	return next == true
}

func nextPage(page any) (string, error) {
	n, ok := (&reader{}).opt(page, "page").(json.Number)
	at, err := strconv.Atoi(string(n))
	if !ok || err != nil {
		return "", errors.New("the list of events gives no page number")
	}
	return strconv.Itoa(at + 1), nil
}

func (a *app) eventGet() *cobra.Command {
	return a.command("get EVENT_ID", "Show one event", func(ctx context.Context, args []string) error {
		r, err := a.client.get(ctx, "/events/"+segment(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "event get", func(r *reader, payload any) string { return python.YAML(r.at(payload, "event")) })
	})
}

func (a *app) eventDelete() *cobra.Command {
	var since, before string
	var all, dontAsk bool
	c := a.command("delete [EVENT_ID]", "Delete one event, or all of a time", func(ctx context.Context, args []string) error {
		switch {
		case len(args) > 0:
			_, err := a.client.delete(ctx, "/events/"+segment(args[0]))
			return err // the original says nothing, whatever the server answers
		case !all && since == "" && before == "":
			return verbatim("Must include either an event_id, --all, --since, or --before")
		case all && !dontAsk:
			yes, err := a.confirm(ctx, "Really delete (clear) all events? (y/N)")
			if err != nil || !yes {
				return err
			}
		}
		r, err := a.client.do(ctx, http.MethodDelete, "/events"+query(given(param{"since", since}, param{"before", before})...), nil)
		if err != nil {
			return err
		}
		return a.show(r, "event delete", deletedEvents)
	})
	f := c.Flags()
	f.StringVar(&since, "since", "", "only events since this time (ISO 8601)")
	f.StringVar(&before, "before", "", "only events before this time (ISO 8601)")
	f.BoolVar(&dontAsk, "dontask", false, "do not ask whether --all is meant")
	f.BoolVar(&all, "all", false, "all events")
	return c
}

func deletedEvents(r *reader, payload any) string {
	if !python.Truthy(payload) {
		return "No matching events found"
	}
	return fmt.Sprintf("Deleted %d events", len(r.list(payload)))
}

func (a *app) eventTable(full bool) shape {
	header := "Timestamp,Level,Event,Resource,ID"
	if full {
		header = "Timestamp,Level,Event,ResourceType,Resource,Service,Host,ID"
	}
	return func(r *reader, payload any) string {
		t := columns(strings.Split(header, ",")...)
		for _, record := range r.list(r.at(payload, "results")) {
			e := r.at(record, "event")
			id, resource := r.at(record, "generated_uuid"), r.at(e, "resource", "id")
			if full {
				t.row(r.at(e, "timestamp"), r.at(e, "level"), r.at(e, "type"), r.at(e, "resource", "type"), resource,
					r.at(e, "source", "servicename"), r.at(e, "source", "hostid"), id)
			} else {
				t.row(r.at(e, "timestamp"), r.at(e, "level"), r.at(e, "type"), resource, id)
			}
		}
		return a.plain(t)
	}
}
