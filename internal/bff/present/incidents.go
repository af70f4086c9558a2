package present

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

const (
	incidentsPage = 50
	// eventsAround is how much time before and after an incident its events
	// are looked for: what led to it, and what came of it.
	eventsAround = 2 * time.Minute
)

// goesOn counts the incidents that have not ended.
func goesOn(list []engine.Incident) string {
	n := 0
	for _, i := range list {
		if i.End.IsZero() {
			n++
		}
	}
	if n == 0 {
		return ""
	}
	return Count(n)
}

func incidentList(list []engine.Incident, d ServicesData, c Clock) view.Incidents {
	q := d.Query
	v := view.Incidents{Filtered: q.Text != "" || q.Service != "" || q.Host != ""}
	total := 0
	for _, i := range list {
		took := false
		for _, p := range i.Parts {
			took = took || q.takesPart(p)
		}
		if !took {
			continue
		}
		total++
		if !q.Before.IsZero() && !i.Start.Before(q.Before) {
			continue
		}
		if len(v.List) == incidentsPage {
			last := v.List[len(v.List)-1]
			v.Pager.Next = q.with(func(q *ServiceQuery) { q.Before = last.Start }).Href()
			break
		}
		v.List = append(v.List, Incident(i, d.List, d.Admin, c))
	}
	if !q.Before.IsZero() {
		v.Pager.First = q.with(func(q *ServiceQuery) { q.Before = time.Time{} }).Href()
	}
	v.Pager.Text = Plural(len(v.List), "incident", "incidents") + " of the last 90 days"
	return v
}

// Incident shapes what went wrong at one time.
func Incident(i engine.Incident, services []engine.Service, admin bool, c Clock) view.Incident {
	v := view.Incident{
		ID: "incident-" + strconv.FormatInt(i.Start.UnixMilli(), 10), Start: i.Start,
		At: c.Exact(i.Start), Ago: c.Ago(i.Start), Took: Span(i.Took(c.Now)),
		Pill: view.Pill{Tone: "off", Text: "ended"}, Cause: sentence(upper(i.Cause()), "No cause was given."),
	}
	end := c.Now
	if i.End.IsZero() {
		v.Pill = view.Pill{Tone: "bad", Text: "goes on"}
	} else {
		v.End, end = c.Exact(i.End), i.End
	}
	if i.Off() {
		v.Cause = "Did not run: it was stopped, or its host was."
		v.Pill.Title = "nobody saw it while it was so; its next start wrote it down"
	}
	records := map[engine.Instance]bool{}
	for _, s := range services {
		records[engine.Instance{Name: s.Name, Host: s.Host}] = true
	}
	names, kinds := map[string]bool{}, []string{}
	for _, p := range i.Parts {
		part := view.IncidentPart{Name: p.Name, Host: p.Host, Out: Span(p.Out)}
		if records[p.Instance] {
			part.Href = ServiceHref(p.Name, p.Host)
		}
		if p.Times > 1 {
			part.Out += " in " + Count(p.Times) + " outages"
		}
		switch {
		case p.Removed:
			part.Out += ", then its record was removed"
		case p.Off && !i.Off():
			part.Out += ", did not run"
		}
		v.Parts = append(v.Parts, part)
		if !names[p.Name] {
			names[p.Name] = true
			kinds = append(kinds, p.Name)
		}
	}
	v.What = strings.Join(kinds, ", ")
	if len(kinds) == len(engine.ServiceNames) {
		v.What = "all services"
	}
	e := url.Values{"since": {i.Start.Add(-eventsAround).UTC().Format(time.RFC3339)}}
	if !i.End.IsZero() {
		e.Set("before", end.Add(eventsAround).UTC().Format(time.RFC3339))
	}
	v.EventsHref = "/events?" + e.Encode()
	if admin {
		first := i.Parts[0]
		v.LogHref, v.LogText = logAt(first.Name, first.Host, i.Start), "Log of "+first.Name
	}
	return v
}

// upper begins a sentence.
func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
