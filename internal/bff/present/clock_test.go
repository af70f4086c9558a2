package present_test

import (
	"testing"
	"time"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates/view"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func TestAgoAndUntil(t *testing.T) {
	for in, want := range map[time.Duration]string{
		0: "just now", 41 * time.Second: "41 s ago", 3*time.Minute + 59*time.Second: "3 m ago",
		2*time.Hour + 5*time.Minute: "2 h 5 m ago", 3 * time.Hour: "3 h ago", 15*time.Hour + 30*time.Minute: "15 h ago", 50 * time.Hour: "2 d ago",
		-time.Minute: "just now",
	} {
		if got := present.Ago(in); got != want {
			t.Errorf("Ago(%s) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[time.Duration]string{-time.Second: "now", 90 * time.Second: "in 1 m", 6 * time.Hour: "in 6 h"} {
		if got := present.Until(in); got != want {
			t.Errorf("Until(%s) = %q, want %q", in, got, want)
		}
	}
}

func TestTimes(t *testing.T) {
	berlin := time.FixedZone("CET", 3600)
	c := present.Clock{Now: noon, Zone: berlin}
	want := view.Time{ISO: "2026-11-22T11:59:00.000Z", Text: "1 m ago", Style: "ago", Title: "2026-11-22 11:59:00 UTC\n2026-11-22 12:59:00 CET"}
	if got := c.Ago(noon.Add(-time.Minute)); got != want {
		t.Errorf("Ago\n got %+v\nwant %+v", got, want)
	}
	if got := c.Exact(noon).Text; got != "2026-11-22 13:00:00" {
		t.Errorf("Exact = %q", got)
	}
	if got := c.Ago(time.Time{}); got != (view.Time{Text: "never"}) {
		t.Errorf("no time = %+v", got)
	}
}

func TestNumbers(t *testing.T) {
	for in, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 148493: "148,493", -1234567: "-1,234,567"} {
		if got := present.Count(in); got != want {
			t.Errorf("Count(%d) = %q, want %q", in, got, want)
		}
	}
	for in, want := range map[int64]string{0: "0 B", 999: "999 B", 1000: "1.0 kB", 28_641_537: "28.6 MB", 5_000_000_000: "5.0 GB"} {
		if got := present.Bytes(in); got != want {
			t.Errorf("Bytes(%d) = %q, want %q", in, got, want)
		}
	}
}

func TestEngineStatus(t *testing.T) {
	all := func(alter func([]engine.Service)) []engine.Service {
		var list []engine.Service
		for _, name := range engine.ServiceNames {
			list = append(list, engine.Service{Name: name, Host: "h", State: engine.ServiceAvailable})
		}
		if alter != nil {
			alter(list)
		}
		return list
	}
	tests := map[string]struct {
		list []engine.Service
		err  error
		tone string
		text string
	}{
		"all up":          {list: all(nil), tone: "ok", text: "Ready"},
		"none registered": {tone: "bad", text: "Down: no service is up"},
		"does not answer": {err: engine.ErrUnavailable, tone: "bad", text: "Down: the engine does not answer"},
		"a kind is missing": {
			list: all(func(l []engine.Service) { l[3].State = engine.ServiceUnavailable }),
			tone: "bad", text: "Degraded: no simplequeue",
		},
		"one of two is down": {
			list: append(all(nil), engine.Service{Name: engine.Analyzer, Host: "h2", State: engine.ServiceOrphaned}),
			tone: "warn", text: "Degraded: analyzer on h2 is orphaned",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := present.EngineStatus(tc.list, tc.err); got.Tone != tc.tone || got.Text != tc.text {
				t.Errorf("got %s %q, want %s %q", got.Tone, got.Text, tc.tone, tc.text)
			}
		})
	}
}

func TestNoDataIsNotReady(t *testing.T) {
	ready := view.Pill{Tone: "ok", Text: "Ready"}
	for name, tc := range map[string]struct {
		feeds []engine.Feed
		text  string
	}{
		"no feed is known":  {nil, "Degraded: no vulnerability data"},
		"nothing is synced": {[]engine.Feed{{Name: "vulnerabilities", Enabled: true}}, "Degraded: no vulnerability data"},
		"one is synced":     {[]engine.Feed{{Name: "github"}, {Name: "vulnerabilities", LastSync: time.Unix(1e9, 0)}}, "Ready"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := present.StatusWithData(ready, tc.feeds); got.Text != tc.text {
				t.Errorf("got %q, want %q", got.Text, tc.text)
			}
		})
	}
}
