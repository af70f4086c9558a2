package engine_test

import (
	"testing"
	"time"

	"windlass/internal/engine"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const (
	reg  = engine.ServiceRegistered
	up   = engine.ServiceAvailable
	down = engine.ServiceUnavailable
	orph = engine.ServiceOrphaned
)

// move is a transition some time before noon.
func move(host string, ago time.Duration, from, to engine.ServiceState, cause string) engine.ServiceTransition {
	return engine.ServiceTransition{Name: "catalog", Host: host, From: from, To: to, Cause: cause, At: noon.Add(-ago)}
}

func TestTimelines(t *testing.T) {
	h := time.Hour
	type span struct {
		hours  float64
		health engine.Health
	}
	tests := map[string]struct {
		record  *engine.Service
		history []engine.ServiceTransition
		want    []span
	}{
		"up since before": {history: []engine.ServiceTransition{move("a", 100*h, reg, up, "")}, want: []span{{24, "up"}}},
		"first start within the day": {
			history: []engine.ServiceTransition{move("a", 6*h, reg, up, "")}, want: []span{{18, ""}, {6, "up"}},
		},
		"never moved": {
			record: &engine.Service{Name: "catalog", Host: "a", State: reg, Since: noon.Add(-h)}, want: []span{{23, ""}, {1, "starting"}},
		},
		"restarts that nobody missed are no gap": {
			history: []engine.ServiceTransition{move("a", 30*h, reg, up, ""), move("a", 3*h, up, up, "restarted")}, want: []span{{24, "up"}},
		},
		"supervised restart": {
			history: []engine.ServiceTransition{move("a", 30*h, reg, up, ""), move("a", 12*h, up, down, "restarting after: boom"), move("a", 11*h, down, up, "")},
			want:    []span{{12, "up"}, {1, "down"}, {11, "up"}},
		},
		"orphaned is the same outage": {
			history: []engine.ServiceTransition{move("a", 30*h, reg, up, ""), move("a", 6*h, up, down, ""), move("a", 5*h, down, orph, "")},
			want:    []span{{18, "up"}, {6, "down"}},
		},
		"removed is unknown": {
			history: []engine.ServiceTransition{move("a", 30*h, up, down, ""), move("a", 6*h, orph, "", "removed by request")},
			want:    []span{{18, "down"}, {6, ""}},
		},
		"the process did not run": {
			history: []engine.ServiceTransition{move("a", 30*h, reg, up, ""), move("a", 8*h, up, "", engine.CauseNotRun), move("a", 5*h, "", reg, "started"), move("a", 4*h, reg, up, "")},
			want:    []span{{16, "up"}, {3, "off"}, {1, "starting"}, {4, "up"}},
		},
		"clocks that disagree cannot turn time back": {
			history: []engine.ServiceTransition{move("a", 30*h, reg, up, ""), move("a", -h, up, down, "")}, want: []span{{24, "up"}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			var records []engine.Service
			if tc.record != nil {
				records = append(records, *tc.record)
			}
			got := engine.Timelines(records, tc.history, noon.Add(-24*h), noon)[engine.Instance{Name: "catalog", Host: "a"}]
			at := noon.Add(-24 * h)
			if len(got) != len(tc.want) {
				t.Fatalf("got %+v, want %+v", got, tc.want)
			}
			for i, w := range tc.want {
				if got[i].Health != w.health || got[i].To.Sub(got[i].From).Hours() != w.hours || !got[i].From.Equal(at) {
					t.Errorf("span %d is %+v, want %+v", i, got[i], w)
				}
				at = got[i].To
			}
		})
	}
}

func TestHealthOfSeveralInstances(t *testing.T) {
	h := time.Hour
	lines := engine.Timelines(nil, []engine.ServiceTransition{
		move("a", 30*h, reg, up, ""), move("b", 12*h, reg, up, ""),
		move("b", 6*h, up, down, "gone"), move("a", 4*h, up, "", engine.CauseNotRun), move("a", 2*h, "", reg, "started"), move("a", h, reg, up, ""),
	}, noon.Add(-24*h), noon)
	got := engine.MergeHealth(lines[engine.Instance{Name: "catalog", Host: "a"}], lines[engine.Instance{Name: "catalog", Host: "b"}])
	want := []engine.Health{"up", "partly", "down", "starting", "partly"}
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i, w := range want {
		if got[i].Health != w {
			t.Errorf("span %d is %+v, want %s", i, got[i], w)
		}
	}
	b := engine.HealthBuckets(got, []time.Time{noon.Add(-24 * h), noon})[0]
	if share, ok := b.Share(); !ok || b.Up != 18*h || b.Partly != 3*h || b.Down != 2*h || b.Starting != h || share != 21.0/23 {
		t.Errorf("bucket %+v, share %v", b, share)
	}
}

func TestHealthBuckets(t *testing.T) {
	h := time.Hour
	line := []engine.HealthSpan{
		{From: noon.Add(-3 * h), To: noon.Add(-90 * time.Minute), Health: "up"},
		{From: noon.Add(-90 * time.Minute), To: noon.Add(-30 * time.Minute), Health: "off", Cause: engine.CauseNotRun},
		{From: noon.Add(-30 * time.Minute), To: noon, Health: "up"},
	}
	got := engine.HealthBuckets(line, []time.Time{noon.Add(-4 * h), noon.Add(-3 * h), noon.Add(-2 * h), noon.Add(-h), noon, noon.Add(h)})
	for i, want := range []engine.Health{"", "up", "off", "off", ""} {
		if got[i].Worst() != want {
			t.Errorf("bucket %d is %s, want %s", i, got[i].Worst(), want)
		}
	}
	if _, known := got[0].Share(); known {
		t.Error("an hour of which nothing is known has a share")
	}
	if share, _ := got[2].Share(); share != .5 || got[2].Outages != 1 || got[2].Cause != engine.CauseNotRun {
		t.Errorf("half an hour out = %v of %+v", share, got[2])
	}
}

func TestIncidents(t *testing.T) {
	m := time.Minute
	b := func(name string, ago time.Duration, from, to engine.ServiceState, cause string) engine.ServiceTransition {
		v := move("h", ago, from, to, cause)
		v.Name = name
		return v
	}
	lines := engine.Timelines(nil, []engine.ServiceTransition{
		b("catalog", 2000*m, reg, up, ""), b("analyzer", 2000*m, reg, up, ""), b("apiext", 2000*m, reg, up, ""),
		// The whole engine did not run.
		b("catalog", 1000*m, up, "", engine.CauseNotRun), b("analyzer", 1000*m, up, "", engine.CauseNotRun), b("apiext", 1000*m, up, "", engine.CauseNotRun),
		b("catalog", 900*m, "", reg, "started"), b("analyzer", 900*m, "", reg, "started"), b("apiext", 900*m, "", reg, "started"),
		b("catalog", 899*m, reg, up, ""), b("analyzer", 899*m, reg, up, ""), b("apiext", 899*m, reg, up, ""),
		// The analyzer falls over twice within a minute, and the catalog with it.
		b("analyzer", 500*m, up, down, "restarting after: boom"), b("analyzer", 499*m, down, up, ""),
		b("catalog", 498*m, up, down, "no database"), b("analyzer", 498*m, up, down, "restarting after: boom"),
		b("catalog", 490*m, down, up, ""), b("analyzer", 497*m, down, up, ""),
		// The API is down and stays so.
		b("apiext", 5*m, up, down, "no heartbeat"), b("apiext", 1*m, down, orph, "no heartbeat"),
	}, noon.Add(-1440*m), noon)
	got := engine.Incidents(lines, noon)
	if len(got) != 3 {
		t.Fatalf("%d incidents: %+v", len(got), got)
	}
	open, crash, off := got[0], got[1], got[2]
	if !open.End.IsZero() || open.Took(noon) != 5*m || len(open.Parts) != 1 || open.Cause() != "no heartbeat" {
		t.Errorf("what goes on: %+v", open)
	}
	if crash.Took(noon) != 10*m || len(crash.Parts) != 2 || crash.Parts[0].Times != 2 || crash.Parts[0].Out != 2*m || crash.Cause() != "restarting after: boom" || crash.Off() {
		t.Errorf("the crashes: %+v", crash)
	}
	if !off.Off() || off.Took(noon) != 101*m || len(off.Parts) != 3 || off.Cause() != engine.CauseNotRun {
		t.Errorf("the stop: %+v", off)
	}
}
