package present

import (
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

const shownTransitions = 20

// serviceRecord is a service's record in the words of the v1 API.
type serviceRecord struct {
	BaseURL       string        `json:"base_url"`
	HostID        string        `json:"hostid"`
	Detail        serviceReport `json:"service_detail"`
	Name          string        `json:"servicename"`
	Status        bool          `json:"status"`
	StatusMessage string        `json:"status_message"`
	Version       string        `json:"version"`
}

type serviceReport struct {
	Available bool     `json:"available"`
	Busy      bool     `json:"busy"`
	DBVersion string   `json:"db_version"`
	Detail    struct{} `json:"detail"`
	Message   string   `json:"message"`
	Up        bool     `json:"up"`
	Version   string   `json:"version"`
}

func serviceDetail(s engine.Service, r view.ServiceRow, line []engine.HealthSpan, data ServicesData, c Clock) *view.ServiceDetail {
	q := url.Values{"service": {s.Name}, "host": {s.Host}}
	d := &view.ServiceDetail{
		Row: r, Since: c.Ago(s.Since), CSRF: data.CSRF,
		Back:       data.Query.with(func(q *ServiceQuery) { q.Name, q.At = "", "" }).Href(),
		EventsHref: "/events?" + q.Encode(), NoLog: data.NoLog,
		Day: History(line, Period24h, c), Long: History(line, Period90d, c),
		Same: view.SameBy{
			API: "GET /v1/system/services/" + s.Name + "/" + s.Host,
			CLI: "anchore-cli system status",
		},
	}
	d.Row.Removable = d.Row.Removable && data.Remove
	if data.Admin {
		d.LogHref = logAt(s.Name, s.Host, time.Time{})
	}
	record := serviceRecord{
		BaseURL: s.BaseURL, HostID: s.Host, Name: s.Name, Status: s.Up(), StatusMessage: string(s.State), Version: engine.APIVer,
		Detail: serviceReport{
			Available: s.Detail.Available, Busy: s.Detail.Busy, DBVersion: s.Detail.DBVersion,
			Message: s.Detail.Message, Up: s.Detail.Up, Version: s.Detail.Version,
		},
	}
	if raw, err := json.MarshalIndent(record, "", "  "); err == nil {
		d.Record = string(raw)
	}
	for i := len(data.History) - 1; i >= 0 && len(d.Transitions) < shownTransitions; i-- {
		t := data.History[i]
		if t.Name != s.Name || t.Host != s.Host {
			continue
		}
		m := view.Transition{From: ServicePill(t.From), To: ServicePill(t.To), Cause: t.Cause, At: c.Ago(t.At)}
		if t.To == "" && t.Cause == engine.CauseNotRun {
			m.To = view.Pill{Tone: "off", Text: "not running"}
		}
		if t.From == "" && t.To == engine.ServiceRegistered {
			m.From = view.Pill{Tone: "off", Text: "not running"}
		}
		if data.Admin {
			m.LogHref = logAt(s.Name, s.Host, t.At)
		}
		d.Transitions = append(d.Transitions, m)
	}
	for _, e := range data.Events {
		d.Events = append(d.Events, errorLine(e, c))
	}
	for _, l := range data.Lines {
		line := view.ServiceLine{At: c.Clock(l.At), Level: strings.ToLower(l.Level), Text: l.Text}
		d.Lines = append(d.Lines, line)
	}
	return d
}

// logAt is the log of an instance around a moment; now when it is zero.
func logAt(name, host string, at time.Time) string {
	q := url.Values{"service": {name}, "host": {host}}
	if !at.IsZero() {
		q.Set("at", at.UTC().Format(time.RFC3339))
	}
	return "/logs?" + q.Encode()
}
