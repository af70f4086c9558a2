package present

import (
	"net/url"
	"strconv"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// Services shapes the list of instances; open, when it is one of them, is
// shown in full.
func Services(list []engine.Service, history []engine.ServiceTransition, openName, openHost, csrf string, c Clock) view.Services {
	v := view.Services{CSRF: csrf}
	up := 0
	hosts := map[string]bool{}
	for _, s := range list {
		if s.Up() {
			up++
		}
		hosts[s.Host] = true
		r := serviceRow(s, history, c)
		if s.Name == openName && s.Host == openHost {
			r.Open = true
			v.Open = serviceDetail(s, r, history, csrf, c)
		}
		v.Rows = append(v.Rows, r)
	}
	v.Up = strconv.Itoa(up) + " of " + Plural(len(list), "instance", "instances") + " up"
	v.Hosts = Plural(len(hosts), "host", "hosts")
	return v
}

// ServiceHref is the address of an instance's drawer.
func ServiceHref(name, host string) string {
	return "/services/" + url.PathEscape(name) + "/" + url.PathEscape(host)
}

func serviceRow(s engine.Service, history []engine.ServiceTransition, c Clock) view.ServiceRow {
	r := view.ServiceRow{
		ID: "service-" + s.Name + "-" + s.Host, Name: s.Name, Host: s.Host, BaseURL: s.BaseURL, Href: ServiceHref(s.Name, s.Host),
		Pill: ServicePill(s.State), Message: s.Detail.Message, Version: s.Detail.Version,
		Heartbeat: c.Ago(s.HeartbeatAt), Restarts: Count(s.Restarts),
		History:   History([]engine.Service{s}, history, c.Now),
		Removable: !s.Up() && s.State != engine.ServiceRegistered,
	}
	if s.Up() {
		r.Started = c.since(s.StartedAt)
	} else {
		r.Started = view.Time{Text: "-"}
	}
	r.Remove = r.Href + "/remove"
	return r
}

// since shows a moment as the time that has passed, without "ago".
func (c Clock) since(t time.Time) view.Time { return c.time(t, "since", Span(c.Now.Sub(t))) }

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

const shownTransitions = 20

func serviceDetail(s engine.Service, r view.ServiceRow, history []engine.ServiceTransition, csrf string, c Clock) *view.ServiceDetail {
	q := url.Values{"service": {s.Name}, "host": {s.Host}}
	d := &view.ServiceDetail{
		Row: r, DBVersion: s.Detail.DBVersion, Since: c.Ago(s.Since), Busy: "no", CSRF: csrf,
		EventsHref: "/events?" + q.Encode(), LogHref: "/logs?" + url.Values{"service": {s.Name}}.Encode(),
		Same: view.SameBy{
			API: "GET /v1/system/services/" + s.Name + "/" + s.Host,
			CLI: "anchore-cli system status",
		},
	}
	if s.Detail.Busy {
		d.Busy = "yes"
	}
	for i := len(history) - 1; i >= 0 && len(d.Transitions) < shownTransitions; i-- {
		if t := history[i]; t.Name == s.Name && t.Host == s.Host {
			d.Transitions = append(d.Transitions, view.Transition{From: ServicePill(t.From), To: ServicePill(t.To), Cause: t.Cause, At: c.Ago(t.At)})
		}
	}
	return d
}
