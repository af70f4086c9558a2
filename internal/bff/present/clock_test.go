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

func TestHistory(t *testing.T) {
	svc := func(host string, s engine.ServiceState, since time.Duration) engine.Service {
		return engine.Service{Name: "analyzer", Host: host, State: s, Since: noon.Add(-since)}
	}
	move := func(host string, ago time.Duration, from, to engine.ServiceState) engine.ServiceTransition {
		return engine.ServiceTransition{Name: "analyzer", Host: host, From: from, To: to, At: noon.Add(-ago)}
	}
	up, down := engine.ServiceAvailable, engine.ServiceUnavailable
	tests := map[string]struct {
		list    []engine.Service
		history []engine.ServiceTransition
		want    map[int]string // some spans
		share   string
	}{
		"up for long": {
			list: []engine.Service{svc("a", up, 90*time.Hour)},
			want: map[int]string{0: "ok", 47: "ok"}, share: "100.00 %",
		},
		"began an hour ago": {
			list: []engine.Service{svc("a", up, time.Hour)},
			want: map[int]string{0: "none", 45: "none", 46: "ok", 47: "ok"}, share: "100.00 %",
		},
		"down for six hours": {
			list:    []engine.Service{svc("a", up, 6*time.Hour)},
			history: []engine.ServiceTransition{move("a", 12*time.Hour, up, down), move("a", 6*time.Hour, down, up)},
			want:    map[int]string{0: "ok", 23: "ok", 24: "c", 35: "c", 36: "ok", 47: "ok"}, share: "75.00 %",
		},
		"one of two is down": {
			list:    []engine.Service{svc("a", up, 90*time.Hour), svc("b", down, time.Hour)},
			history: []engine.ServiceTransition{move("b", time.Hour, up, down)},
			want:    map[int]string{45: "ok", 46: "m", 47: "m"}, share: "97.92 %",
		},
		"no instance": {want: map[int]string{0: "none", 47: "none"}, share: "no record"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := present.History(tc.list, tc.history, noon)
			for i, want := range tc.want {
				if got.Spans[i] != want {
					t.Errorf("span %d is %q, want %q", i, got.Spans[i], want)
				}
			}
			if got.Share != tc.share {
				t.Errorf("share %q, want %q", got.Share, tc.share)
			}
		})
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
