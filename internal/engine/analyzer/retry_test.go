package analyzer_test

import (
	"context"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// moody is a registry that can be told to answer with an error.
type moody struct {
	inner  http.Handler
	status atomic.Int32 // 0: answers as it should
	after  atomic.Value // string: its header Retry-After
}

func (m *moody) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	status := int(m.status.Load())
	if status == 0 {
		m.inner.ServeHTTP(w, r)
		return
	}
	if after, _ := m.after.Load().(string); after != "" {
		w.Header().Set("Retry-After", after)
	}
	w.WriteHeader(status)
}

func moodyBench(t *testing.T) (*bench, *moody, engine.Digest) {
	t.Helper()
	m := &moody{}
	b := benchWorker(t, enginetest.Registry(t, func(h http.Handler) http.Handler {
		m.inner = h
		return m
	}))
	return b, m, b.add(t, b.reg.Push(t, "demo/x:1", enginetest.DebianLike(t, map[string]string{"a": "1"})))
}

// attempt works the image's job off once, whatever its pause.
func (b *bench) attempt(t *testing.T, d engine.Digest) engine.Image {
	t.Helper()
	if _, err := b.store.Pool().Exec(t.Context(), `UPDATE jobs SET available_at = now() WHERE queue = $1`, engine.QueueAnalyze); err != nil {
		t.Fatal(err)
	}
	if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
		t.Fatal(err)
	}
	return b.image(t, d)
}

func TestRegistryThatFailsTwiceAndThenAnswers(t *testing.T) {
	b, m, d := moodyBench(t)
	m.status.Store(http.StatusBadGateway)
	for n := 1; n <= 2; n++ {
		i := b.attempt(t, d)
		if i.State != engine.NotAnalyzed || i.Failure == nil || i.Failure.Cause != engine.CauseRegistryUnavailable ||
			i.Failure.Attempt != n || i.Failure.Attempts != 5 || i.Failure.NextAt.IsZero() {
			t.Fatalf("after attempt %d: %s, %+v", n, i.State, i.Failure)
		}
	}
	if got := b.events(t); len(got) != 0 {
		t.Errorf("attempts that another follows told %q", got)
	}
	m.status.Store(0)
	if i := b.attempt(t, d); i.State != engine.Analyzed || i.Failure != nil {
		t.Errorf("after the third attempt: %s, %+v", i.State, i.Failure)
	}
	if got := b.events(t); len(got) != 1 {
		t.Errorf("events %q, want that it is analyzed", got)
	}
}

// What a registry answers decides whether another attempt is made, and when.
func TestAnswersThatCanPass(t *testing.T) {
	tests := map[string]struct {
		status int
		after  string
		cause  string
		pause  time.Duration // at least; 0: the image has failed
	}{
		"500":                            {500, "", engine.CauseRegistryUnavailable, 5 * time.Second},
		"503 that says when":             {503, "1800", engine.CauseRegistryUnavailable, 30 * time.Minute},
		"429":                            {429, "", engine.CauseRegistryRateLimit, 5 * time.Second},
		"429 that says when":             {429, "3600", engine.CauseRegistryRateLimit, time.Hour},
		"429 that says a year":           {429, "31536000", engine.CauseRegistryRateLimit, 6 * time.Hour},
		"401":                            {401, "3600", engine.CauseRegistryAuth, 0},
		"403":                            {403, "", engine.CauseRegistryAuth, 0},
		"404":                            {404, "", engine.CauseRegistryUnsupported, 0}, // not even /v2/
		"400, which is about us, not it": {400, "60", engine.CauseRegistryUnsupported, 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b, m, d := moodyBench(t)
			m.status.Store(int32(tc.status))
			m.after.Store(tc.after)
			began := time.Now()
			i := b.attempt(t, d)
			if i.Failure == nil || i.Failure.Cause != tc.cause {
				t.Fatalf("failure %+v, want the cause %s", i.Failure, tc.cause)
			}
			if tc.pause == 0 {
				if i.State != engine.Failed || !i.Failure.NextAt.IsZero() {
					t.Errorf("%s, next attempt at %v: want none", i.State, i.Failure.NextAt)
				}
				return
			}
			// Up to a quarter is added at random, and the attempt took time.
			pause := i.Failure.NextAt.Sub(began)
			if i.State != engine.NotAnalyzed || pause < tc.pause || pause > tc.pause+tc.pause/4+20*time.Second {
				t.Errorf("%s, next attempt in %v: want %v or a little more", i.State, pause, tc.pause)
			}
		})
	}
}

func TestWorkerThatWasKilledIsReplaced(t *testing.T) {
	b, _, d := moodyBench(t)
	if _, ok, err := b.store.BeginAnalysis(t.Context(), b.lease(t), "there"); err != nil || !ok {
		t.Fatal(ok, err)
	}
	// Nothing more is heard of it.
	if _, err := b.store.Pool().Exec(t.Context(), `UPDATE jobs SET leased_until = now() - interval '1 second'`); err != nil {
		t.Fatal(err)
	}
	if i := b.attempt(t, d); i.State != engine.Analyzed {
		t.Errorf("image %s, want analyzed by the second attempt", i.State)
	}
	list, err := b.store.Timeline(t.Context(), "admin", string(d))
	if err != nil {
		t.Fatal(err)
	}
	notes := ""
	for _, e := range list {
		notes += e.Note + "|"
	}
	if notes != "||its worker was lost|attempt 2||" {
		t.Errorf("timeline notes %q", notes)
	}
}

// Every cause that the table calls temporary is tried again and no other:
// this is the one place where that is decided.
func TestTemporaryCauses(t *testing.T) {
	want := map[string]bool{
		engine.CauseRegistryUnreachable: true, engine.CauseRegistrySlow: true, engine.CauseRegistryUnavailable: true,
		engine.CauseRegistryRateLimit: true, engine.CauseDisk: true, engine.CauseKilled: true, engine.CauseDatabase: true,
	}
	for _, c := range engine.Causes() {
		if c.Temporary != want[c.Code] {
			t.Errorf("cause %s: temporary %v, want %v", c.Code, c.Temporary, want[c.Code])
		}
		delete(want, c.Code)
	}
	if len(want) > 0 {
		t.Errorf("causes that there are not: %v", want)
	}
}

// A database that does not answer while an image is looked for is no fault of
// the image.
func TestDatabaseThatDoesNotAnswer(t *testing.T) {
	b, _, d := moodyBench(t)
	b.worker.Credentials = func(context.Context, string) ([]engine.Registry, error) {
		return nil, fmt.Errorf("registries: %w", engine.ErrUnavailable)
	}
	i := b.attempt(t, d)
	if i.State != engine.NotAnalyzed || i.Failure == nil || i.Failure.Cause != engine.CauseDatabase || i.Failure.NextAt.IsZero() {
		t.Errorf("%s, %+v", i.State, i.Failure)
	}
	b.worker.Credentials = func(context.Context, string) ([]engine.Registry, error) { return nil, nil }
	if i := b.attempt(t, d); i.State != engine.Analyzed {
		t.Errorf("%s, %+v", i.State, i.Failure)
	}
}
