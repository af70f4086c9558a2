package present_test

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

func TestHistory(t *testing.T) {
	h := time.Hour
	span := func(from, to time.Duration, health engine.Health, cause string) engine.HealthSpan {
		return engine.HealthSpan{From: noon.Add(-from), To: noon.Add(-to), Health: health, Cause: cause}
	}
	tests := map[string]struct {
		line    []engine.HealthSpan
		classes string // of the stretches
		share   string
		text    string
	}{
		"up for long":    {[]engine.HealthSpan{span(90*h, 0, "up", "")}, "ok", "100 %", "last 24 hours: up 100 %"},
		"no record":      {nil, "none", "no record", "last 24 hours: no record"},
		"began at eight": {[]engine.HealthSpan{span(4*h, 0, "up", "")}, "none ok", "100 %", "last 24 hours: up 100 %"},
		"a second is not rounded away": {
			[]engine.HealthSpan{span(90*h, h, "up", ""), span(h, h-time.Second, "down", "boom"), span(h-time.Second, 0, "up", "")},
			"ok c ok", "99.99 %", "last 24 hours: up 99.99 %, 1 outage, 1 s in all",
		},
		"did not run at night": {
			[]engine.HealthSpan{span(90*h, 12*h, "up", ""), span(12*h, 6*h, "off", "did not run"), span(6*h, 0, "up", "")},
			"ok off ok", "74.73 %", "last 24 hours: up 74.73 %, 1 outage, 6 h in all, not running",
		},
		"one of two down": {[]engine.HealthSpan{span(90*h, h, "up", ""), span(h, 0, "partly", "")}, "ok m", "100 %", "last 24 hours: up 100 %"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := present.History(tc.line, present.Period24h, present.Clock{Now: noon})
			var classes []string
			wide := 0
			for _, s := range got.Spans {
				classes = append(classes, s.Class)
				wide += s.W
			}
			// The quarter of an hour that has begun is not over.
			if strings.TrimSuffix(strings.Join(classes, " "), " none") != strings.TrimSuffix(tc.classes, " none") || wide != got.Wide {
				t.Errorf("stretches %v of %d", got.Spans, wide)
			}
			if got.Share != tc.share || got.Text != tc.text {
				t.Errorf("share %q, text %q; want %q, %q", got.Share, got.Text, tc.share, tc.text)
			}
		})
	}
}

// Ninety days are days of the calendar, also when the clocks are changed.
func TestHistoryOfDays(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	c := present.Clock{Now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), Zone: zone}
	since := present.HistorySince(present.Period90d, c)
	if want := time.Date(2026, 8, 25, 0, 0, 0, 0, zone); !since.Equal(want) {
		t.Errorf("since %s, want %s", since, want)
	}
	change := time.Date(2026, 10, 25, 0, 0, 0, 0, zone) // has 25 hours
	got := present.History([]engine.HealthSpan{
		{From: since, To: change, Health: engine.HealthUp}, {From: change, To: change.AddDate(0, 0, 1), Health: engine.HealthDown, Cause: "no heartbeat"},
		{From: change.AddDate(0, 0, 1), To: c.Now, Health: engine.HealthUp},
	}, present.Period90d, c)
	if len(got.Spans) != 90 {
		t.Fatalf("%d days", len(got.Spans))
	}
	for i, s := range got.Spans {
		if (s.Class == "c") != (i == 61) {
			t.Errorf("day %d is %+v", i, s)
		}
	}
	if want := "Sun 25 Oct: 0.00 % up, 1 outage, 1 d in all\nno heartbeat"; got.Spans[61].Title != want {
		t.Errorf("title %q, want %q", got.Spans[61].Title, want)
	}
}

func TestServicesFilterAndIncidents(t *testing.T) {
	c := present.Clock{Now: noon}
	svc := func(name, host string, s engine.ServiceState, beat time.Duration, message string) engine.Service {
		return engine.Service{Name: name, Host: host, State: s, HeartbeatAt: noon.Add(-beat), Since: noon.Add(-time.Hour), Detail: engine.ServiceDetail{Message: message}}
	}
	d := present.ServicesData{List: []engine.Service{
		svc(engine.Catalog, "a", engine.ServiceAvailable, time.Second, "all good"),
		svc(engine.Analyzer, "b", engine.ServiceUnavailable, time.Second, "own address does not answer: EOF"),
		svc(engine.Analyzer, "c", engine.ServiceUnavailable, 10*time.Minute, "no heartbeat"),
	}}
	for query, want := range map[string]string{
		"": "catalog/a analyzer/b analyzer/c", "state=unreachable": "analyzer/b", "state=down": "analyzer/c",
		"service=analyzer&host=b": "analyzer/b", "text=GOOD": "catalog/a", "text=nothing": "",
	} {
		d.Query = present.ParseServiceQuery(getterOf(query))
		v := present.Services(d, c)
		var got []string
		for _, r := range v.Rows {
			got = append(got, r.Name+"/"+r.Host)
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%q gives %v, want %s", query, got, want)
		}
	}
	d.Query = present.ServiceQuery{Tab: present.TabIncidents}
	v := present.Services(d, c)
	if len(v.Incidents.List) != 1 || v.Goes != "1" {
		t.Fatalf("incidents %+v", v.Incidents)
	}
	i := v.Incidents.List[0]
	if i.What != "analyzer" || len(i.Parts) != 2 || i.Took != "1 h" || i.Cause != "Own address does not answer: EOF." || i.LogHref != "" ||
		i.EventsHref != "/events?since=2026-11-22T10%3A58%3A00Z" {
		t.Errorf("incident %+v", i)
	}
}

func getterOf(query string) func(string) string {
	v, err := url.ParseQuery(query)
	if err != nil {
		panic(err)
	}
	return v.Get
}
