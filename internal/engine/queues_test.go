package engine

import (
	"strings"
	"testing"
	"time"
)

func TestWhyAMessageWaits(t *testing.T) {
	now := time.Date(2024, 5, 1, 12, 0, 0, 0, time.UTC)
	one := QueueWorker{ID: "host-a/1", Host: "host-a", Hands: 2}
	waiting := QueueMessage{State: MessageWaiting, Job: Job{Queue: QueueAnalyze, MaxAttempts: 5, AvailableAt: now.Add(-time.Minute)}}
	with := func(alter func(*QueueMessage)) QueueMessage {
		m := waiting
		alter(&m)
		return m
	}
	up := Queue{Name: QueueAnalyze, Workers: []QueueWorker{one}}
	busy := Queue{Name: QueueAnalyze, Workers: []QueueWorker{one}, Busy: 2}
	tests := map[string]struct {
		m     QueueMessage
		q     Queue
		code  string
		says  string
		until time.Time
		stuck bool
	}{
		"a worker is free": {m: waiting, q: up, code: "next"},
		"all are busy":     {m: with(func(m *QueueMessage) { m.Ahead = 3 }), q: busy, code: "busy", says: "All 2 workers are busy. 3 messages are ahead of it."},
		"nobody works":     {m: waiting, q: Queue{Name: QueueAnalyze}, code: "no_worker", says: "No analyzer is up", stuck: true},
		"a queue of the policy engine": {
			m: with(func(m *QueueMessage) { m.Queue = QueueMatch }), q: Queue{Name: QueueMatch}, code: "no_worker", says: "No policy_engine is up", stuck: true},
		"pinned to a host that is down": {m: with(func(m *QueueMessage) { m.Host = "host-b" }), q: up, code: "host_down", says: "host-b", stuck: true},
		"pinned to one that is up":      {m: with(func(m *QueueMessage) { m.Host = "host-a" }), q: up, code: "next"},
		"paused":                        {m: waiting, q: Queue{Paused: &QueuePause{By: "ann", Reason: "disk is full"}, Workers: []QueueWorker{one}}, code: "paused", says: "by ann: disk is full", stuck: true},
		"its attempt failed": {
			m: with(func(m *QueueMessage) {
				m.State, m.Attempt, m.AvailableAt, m.LastError = MessageDelayed, 2, now.Add(time.Minute), "the registry does not answer"
			}),
			q: up, code: "backoff", says: "Attempt 2 of 5 failed: the registry does not answer", until: now.Add(time.Minute)},
		"its last worker was lost": {m: with(func(m *QueueMessage) { m.Attempt = 5 }), q: up, code: "spent"},
		"it is worked on":          {m: with(func(m *QueueMessage) { m.State, m.LeasedBy = MessageRunning, one.ID }), q: busy, code: "running", says: "host-a"},
		"by a worker that is gone": {
			m: with(func(m *QueueMessage) {
				m.State, m.LeasedBy, m.LeasedUntil = MessageRunning, "host-c/9", now.Add(8*time.Second)
			}),
			q: busy, code: "worker_lost", says: "host-c", until: now.Add(8 * time.Second)},
		"a pause does not stop what runs": {
			m: with(func(m *QueueMessage) { m.State, m.LeasedBy = MessageRunning, one.ID }),
			q: Queue{Paused: &QueuePause{By: "ann"}, Workers: []QueueWorker{one}}, code: "running"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := tc.m.Why(tc.q, now)
			if got.Code != tc.code || !strings.Contains(got.Text, tc.says) || !got.Until.Equal(tc.until) || got.Stuck != tc.stuck {
				t.Errorf("Why = %+v, want %s, %q, until %v, stuck %v", got, tc.code, tc.says, tc.until, tc.stuck)
			}
		})
	}
}
