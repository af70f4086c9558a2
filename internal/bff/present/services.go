package present

import (
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// ServicesData is what the services page is drawn from.
type ServicesData struct {
	Query   ServiceQuery
	List    []engine.Service
	History []engine.ServiceTransition // of the last 90 days
	CSRF    string
	Admin   bool
	Remove  bool // may remove records

	// Of the open instance.
	Events []engine.Event
	Lines  []engine.LogLine
	NoLog  string // why there are no lines
}

// Services shapes the list of instances and the incidents; the open instance
// is shown in full.
func Services(d ServicesData, c Clock) view.Services {
	q := d.Query
	lines := engine.Timelines(d.List, d.History, HistorySince(Period90d, c), c.Now)
	incidents := engine.Incidents(lines, c.Now)
	v := view.Services{
		CSRF: d.CSRF, Tab: q.Tab, Long: q.Range == Period90d, Period: "Last 24 hours",
		Filter: servicesFilter(d, c), Filtered: q.Filtered(),
		Back:      q.with(func(q *ServiceQuery) { q.Name, q.At = "", "" }).Href(),
		None:      len(d.List) == 0,
		Instances: q.with(func(q *ServiceQuery) { q.Tab, q.Name, q.Before = "", "", time.Time{} }).Href(),
		Troubles:  q.with(func(q *ServiceQuery) { q.Tab, q.Name, q.State, q.Range = TabIncidents, "", "", "" }).Href(),
		Short:     q.with(func(q *ServiceQuery) { q.Range = "" }).Href(),
		Longer:    q.with(func(q *ServiceQuery) { q.Range = Period90d }).Href(),
		Clear:     ServiceQuery{Tab: q.Tab, Range: q.Range}.Href(),
		Same:      view.SameBy{API: "GET /v1/system/services", CLI: "anchore-cli system status"},
	}
	if v.Long {
		v.Period = "Last 90 days"
	}
	up, hosts := 0, map[string]bool{}
	for _, s := range d.List {
		if s.Up() {
			up++
		}
		hosts[s.Host] = true
		open := s.Name == q.Name && s.Host == q.At
		line := lines[engine.Instance{Name: s.Name, Host: s.Host}]
		r := serviceRow(s, line, q, c)
		r.Open = open
		if open {
			v.Open = serviceDetail(s, r, line, d, c)
		}
		if q.takes(s, c) {
			v.Rows = append(v.Rows, r)
		}
	}
	v.Up = strconv.Itoa(up) + " of " + Plural(len(d.List), "instance", "instances") + " up"
	v.Hosts = Plural(len(hosts), "host", "hosts")
	v.Count = Plural(len(v.Rows), "instance", "instances")
	v.Goes = goesOn(incidents)
	if q.Tab == TabIncidents {
		v.Incidents = incidentList(incidents, d, c)
	}
	return v
}

func serviceRow(s engine.Service, line []engine.HealthSpan, q ServiceQuery, c Clock) view.ServiceRow {
	q.Name, q.At = s.Name, s.Host
	r := view.ServiceRow{
		ID: "service-" + s.Name + "-" + s.Host, Name: s.Name, Host: s.Host, BaseURL: s.BaseURL, Href: q.Href(),
		Pill: servicePill(s, c), Message: s.Detail.Message, Version: s.Detail.Version, DBVersion: s.Detail.DBVersion,
		Address:   strings.TrimPrefix(strings.TrimPrefix(s.BaseURL, "http://"), "https://"),
		Heartbeat: c.Ago(s.HeartbeatAt), Restarts: Count(s.Restarts),
		History:   History(line, q.Period(), c),
		Removable: !s.Up() && s.State != engine.ServiceRegistered,
		Started:   view.Time{Text: "-"},
		Remove:    ServiceHref(s.Name, s.Host) + "/remove",
	}
	if s.Up() {
		r.Started = c.since(s.StartedAt)
	}
	return r
}

// since shows a moment as the time that has passed, without "ago".
func (c Clock) since(t time.Time) view.Time { return c.time(t, "since", Span(c.Now.Sub(t))) }

// fresh is how old the heartbeat of a service is at most that still speaks.
const fresh = 30 * time.Second

// servicePill tells, beyond the state, a service that speaks and cannot be
// reached from one that is silent.
func servicePill(s engine.Service, c Clock) view.Pill {
	if s.State == engine.ServiceUnavailable && c.Now.Sub(s.HeartbeatAt) < fresh && strings.Contains(s.Detail.Message, "address does not answer") {
		return view.Pill{Tone: "bad", Text: "unreachable", Title: "heartbeats arrive, but its address does not answer"}
	}
	return ServicePill(s.State)
}

// ServicePill is a service's state in a word and a tone.
func ServicePill(s engine.ServiceState) view.Pill {
	switch s {
	case engine.ServiceAvailable:
		return view.Pill{Tone: "ok", Text: "up", Title: "available: heartbeats arrive and its address answers"}
	case engine.ServiceRegistered:
		return view.Pill{Tone: "run", Text: "starting", Title: "registered, not yet available"}
	case engine.ServiceUnavailable:
		return view.Pill{Tone: "bad", Text: "down", Title: "unavailable: it does not answer"}
	case engine.ServiceOrphaned:
		return view.Pill{Tone: "warn", Text: "orphaned", Title: "no heartbeat for a long time: its host is gone"}
	case "":
		return view.Pill{Tone: "off", Text: "no record"}
	}
	return view.Pill{Text: string(s)}
}

func servicesFilter(d ServicesData, c Clock) view.ServicesFilter {
	q := d.Query
	var hosts []string
	seen := map[string]bool{}
	for _, s := range d.List {
		if !seen[s.Host] {
			seen[s.Host] = true
			hosts = append(hosts, s.Host)
		}
	}
	return view.ServicesFilter{
		Tab: q.Tab, Range: q.Range, Text: q.Text,
		States:   names(q.State, "Any state", []string{"up", "starting", "down", "unreachable", "orphaned"}),
		Services: names(q.Service, "All services", engine.ServiceNames),
		Hosts:    names(q.Host, "All hosts", hosts),
	}
}
