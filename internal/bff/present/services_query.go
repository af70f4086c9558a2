package present

import (
	"net/url"
	"strings"
	"time"

	"windlass/internal/engine"
)

// ServiceQuery is what the services page is asked for, as its address says it.
type ServiceQuery struct {
	Tab     string // incidents; empty: instances
	Range   string // Period90d; empty: Period24h
	Text    string
	State   string // the word of a state's pill
	Service string
	Host    string
	Before  time.Time // incidents that began before it
	// The instance whose drawer is open.
	Name, At string
}

// TabIncidents is the list of what went wrong.
const TabIncidents = "incidents"

// ParseServiceQuery reads an address; what makes no sense selects nothing.
func ParseServiceQuery(get func(string) string) ServiceQuery {
	q := ServiceQuery{
		Text: strings.TrimSpace(get("text")), State: get("state"), Service: get("service"), Host: strings.TrimSpace(get("host")),
	}
	if get("tab") == TabIncidents {
		q.Tab = TabIncidents
	}
	if get("range") == Period90d {
		q.Range = Period90d
	}
	if t, err := time.Parse(time.RFC3339, get("before")); err == nil {
		q.Before = t.UTC()
	}
	return q
}

// Period is the period of the bars.
func (q ServiceQuery) Period() string {
	if q.Range == "" {
		return Period24h
	}
	return q.Range
}

// Href is the address of the page.
func (q ServiceQuery) Href() string {
	v := url.Values{}
	for name, value := range map[string]string{
		"tab": q.Tab, "range": q.Range, "text": q.Text, "state": q.State, "service": q.Service, "host": q.Host,
	} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if !q.Before.IsZero() {
		v.Set("before", q.Before.UTC().Format(time.RFC3339Nano))
	}
	path := "/services"
	if q.Name != "" {
		path = ServiceHref(q.Name, q.At)
	}
	if len(v) > 0 {
		path += "?" + v.Encode()
	}
	return path
}

func (q ServiceQuery) with(alter func(*ServiceQuery)) ServiceQuery {
	alter(&q)
	return q
}

// Filtered reports whether any instance may be left out.
func (q ServiceQuery) Filtered() bool {
	return q.Text != "" || q.State != "" || q.Service != "" || q.Host != ""
}

func (q ServiceQuery) takes(s engine.Service, c Clock) bool {
	if q.Service != "" && q.Service != s.Name || q.Host != "" && q.Host != s.Host || q.State != "" && q.State != servicePill(s, c).Text {
		return false
	}
	text := strings.ToLower(strings.Join([]string{s.Name, s.Host, s.BaseURL, s.Detail.Message, s.Detail.Version}, "\n"))
	return strings.Contains(text, strings.ToLower(q.Text))
}

func (q ServiceQuery) takesPart(p engine.IncidentPart) bool {
	return (q.Service == "" || q.Service == p.Name) && (q.Host == "" || q.Host == p.Host) &&
		strings.Contains(strings.ToLower(p.Name+"\n"+p.Host+"\n"+p.Cause), strings.ToLower(q.Text))
}

// ServiceHref is the address of an instance's drawer.
func ServiceHref(name, host string) string {
	return "/services/" + url.PathEscape(name) + "/" + url.PathEscape(host)
}
