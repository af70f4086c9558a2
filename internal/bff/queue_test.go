package bff_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/bff/session"
	"windlass/internal/engine"
)

// queueEngine is a fake engine with messages of two accounts.
type queueEngine struct {
	*enginetest.Fake
	mu    sync.Mutex
	board engine.QueueBoard
	list  []engine.QueueMessage
	acts  []string
}

func newQueueEngine() *queueEngine {
	now := time.Now()
	e := &queueEngine{Fake: enginetest.New()}
	one := engine.QueueWorker{ID: "host-1/a", Host: "host-1", Hands: 2, Since: now.Add(-5 * time.Hour), Seen: now}
	policy := engine.QueueWorker{ID: "host-1/a", Host: "host-1", Hands: 1, Since: now.Add(-5 * time.Hour), Seen: now}
	for _, name := range engine.QueueNames {
		q := engine.Queue{Name: name, Workers: []engine.QueueWorker{policy}, DoneHour: 4}
		if name == engine.QueueAnalyze {
			q.Workers, q.Busy, q.DoneHour, q.FailDay = []engine.QueueWorker{one}, 2, 38, 3
		}
		e.board.Queues = append(e.board.Queues, q)
	}
	add := func(account, name string, alter func(*engine.QueueMessage)) {
		id := int64(len(e.list) + 1)
		m := engine.QueueMessage{State: engine.MessageWaiting, Name: name, Job: engine.Job{
			ID: id, Queue: engine.QueueAnalyze, Account: account, Subject: string(bff.ImageDigest(int(id))), Payload: []byte(`{"pull":"` + name + `"}`),
			MaxAttempts: 5, AvailableAt: now.Add(-time.Minute), CreatedAt: now.Add(-time.Duration(20-id) * time.Minute)}}
		if alter != nil {
			alter(&m)
		}
		e.list = append(e.list, m)
	}
	running := func(worker string, stage engine.Stage) func(*engine.QueueMessage) {
		return func(m *engine.QueueMessage) {
			m.State, m.LeasedBy, m.LeasedUntil, m.Attempt = engine.MessageRunning, worker, now.Add(12*time.Second), 1
			m.Progress = &engine.Progress{Stage: stage, Done: 1, Total: 4, Since: now.Add(-8 * time.Second)}
			if stage == engine.StagePull {
				m.Progress.Done, m.Progress.Total = 41<<20, 96<<20
			}
		}
	}
	add("admin", "docker.io/library/debian:12", running("host-1/a", engine.StagePull))
	add("team", "registry.example.com/team/app:2.4.1", running("host-1/a", engine.StageMatch))
	add("admin", "docker.io/library/node:22", running("host-9/x", engine.StageSBOM))
	add("admin", "docker.io/library/nginx:1.27", nil)
	add("team", "registry.example.com/a-rather-long-team-name/with-a-rather-long-repository:2024.11.3-alpine", func(m *engine.QueueMessage) {
		m.State, m.Attempt, m.AvailableAt = engine.MessageDelayed, 2, now.Add(4*time.Minute)
		m.LastError = "registry.example.com: the registry asks to come back later (429 Too Many Requests)."
	})
	add("admin", "local/upload:1", func(m *engine.QueueMessage) { m.Host = "host-7" })
	add("admin", "docker.io/library/alpine:3.20", func(m *engine.QueueMessage) { m.Queue, m.MaxAttempts = engine.QueueEvaluate, 1 })
	return e
}

func (e *queueEngine) Queues(_ context.Context, account string) (engine.QueueBoard, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b := engine.QueueBoard{Now: time.Now(), Queues: slices.Clone(e.board.Queues)}
	for i := range b.Queues {
		q := &b.Queues[i]
		for _, m := range e.list {
			if m.Queue != q.Name || account != "" && m.Account != account {
				continue
			}
			switch m.State {
			case engine.MessageRunning:
				q.Running++
				continue
			case engine.MessageDelayed:
				q.Delayed++
				q.Troubled++
			default:
				q.Waiting++
			}
			if q.Oldest.IsZero() {
				q.Oldest = m.CreatedAt
			}
		}
	}
	return b, nil
}

func (e *queueEngine) QueueHistory(_ context.Context, queue string, since time.Time, span time.Duration) ([]engine.QueueSample, error) {
	var list []engine.QueueSample
	for i := range int64(48) {
		list = append(list, engine.QueueSample{Queue: queue, At: since.Add(time.Duration(i) * span), Waiting: (i * i * 7) % 60, Done: 5 + (i*13)%30, Failed: i % 5 / 4 * 6})
	}
	return list, nil
}

func (e *queueEngine) PauseQueue(_ context.Context, queue, by, reason string) error {
	return e.act(fmt.Sprintf("pause %s: %s", queue, reason), func() {
		for i, q := range e.board.Queues {
			if q.Name == queue {
				e.board.Queues[i].Paused = &engine.QueuePause{By: by, Reason: reason, At: time.Now().Add(-time.Minute)}
			}
		}
	})
}

func (e *queueEngine) ResumeQueue(_ context.Context, queue string) error {
	return e.act("resume "+queue, func() {
		for i := range e.board.Queues {
			e.board.Queues[i].Paused = nil
		}
	})
}

func (e *queueEngine) act(what string, do func()) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.acts = append(e.acts, what)
	do()
	return nil
}

func (e *queueEngine) Messages(_ context.Context, f engine.MessageFilter) ([]engine.QueueMessage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []engine.QueueMessage
	for _, m := range e.list {
		state := f.State == "" || m.State == f.State || f.State == engine.MessageTroubled && m.LastError != ""
		if state && m.ID > f.After && (f.Account == "" || m.Account == f.Account) && (f.Queue == "" || m.Queue == f.Queue) &&
			(f.IDs == nil || slices.Contains(f.IDs, m.ID)) && strings.Contains(m.Name+m.Subject, f.Text) && (f.Limit == 0 || len(out) < f.Limit) {
			out = append(out, m)
		}
	}
	return out, nil
}

func (e *queueEngine) CountMessages(ctx context.Context, f engine.MessageFilter) (int, error) {
	f.Limit, f.After = 0, 0
	list, err := e.Messages(ctx, f)
	return len(list), err
}

func (e *queueEngine) Message(ctx context.Context, account string, id int64) (engine.QueueMessage, error) {
	list, _ := e.Messages(ctx, engine.MessageFilter{Account: account, IDs: []int64{id}})
	if len(list) == 0 {
		return engine.QueueMessage{}, engine.ErrNotFound
	}
	return list[0], nil
}

func (e *queueEngine) AlterMessages(ctx context.Context, do engine.MessageAction, f engine.MessageFilter, by string) (engine.MessagesDone, error) {
	list, _ := e.Messages(ctx, f)
	done := engine.MessagesDone{Done: len(list)}
	if do == engine.MessageDrop {
		done.Undo = "batch-1"
	}
	return done, e.act(fmt.Sprintf("%s %d of %q", do, len(list), f.Account), func() {
		if do == engine.MessageDrop {
			e.list = slices.DeleteFunc(e.list, func(m engine.QueueMessage) bool {
				return slices.ContainsFunc(list, func(o engine.QueueMessage) bool { return o.ID == m.ID })
			})
		}
	})
}

func (e *queueEngine) UndoDrop(_ context.Context, account, batch string) (int, error) {
	return 1, e.act(fmt.Sprintf("undo %s of %q", batch, account), func() {})
}

func startQueue(t *testing.T) (*console, *queueEngine) {
	t.Helper()
	e := newQueueEngine()
	c := start(t, bff.Options{Engine: e})
	c.fake = e.Fake
	return c, e
}

// queueVisitor is signed in without a browser; admin is an administrator.
func queueVisitor(t *testing.T, e *queueEngine, account string) *visitor {
	t.Helper()
	s, err := bff.New(bff.Options{Engine: e})
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, s: s, token: session.NewToken(), csrf: session.NewToken()}
	err = e.AddSession(t.Context(), engine.Session{
		Identity: engine.Identity{User: account, Account: account, Admin: account == engine.AdminAccount}, Hash: session.Hash(v.token), CSRF: v.csrf, ExpiresAt: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestQueueSaysWhyMessagesWait(t *testing.T) {
	e := newQueueEngine()
	admin := queueVisitor(t, e, "admin")
	body := admin.get("/queue")
	for _, want := range []string{
		"All 2 workers are busy.", "Only host-7 can do it", "Attempt 2 of 5 failed: registry.example.com: the registry asks", "worker lost",
		"Its worker on host-9 is no longer heard of", "analyzer on host-1", "last 24 hours", "7 of 7 messages",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	body = queueVisitor(t, e, "team").get("/queue")
	for _, not := range []string{"nginx", "debian", "/queue/pause", "queue-day"} {
		if strings.Contains(body, not) {
			t.Errorf("a user of an account is shown %q", not)
		}
	}
	if !strings.Contains(body, "team/app:2.4.1") {
		t.Error("a user does not see the own message")
	}
	for path, want := range map[string]int{"/queue?state=odd": 400, "/queue?queue=none": 400, "/queue?after=x": 400, "/queue?open=99": 200, "/queue?open=5": 200} {
		if code, _, _ := admin.do(httptest.NewRequest("GET", path, nil)); code != want {
			t.Errorf("%s = %d, want %d", path, code, want)
		}
	}
}

func TestMessagesAreCountedBeforeTheyAreAltered(t *testing.T) {
	e := newQueueEngine()
	admin, team := queueVisitor(t, e, "admin"), queueVisitor(t, e, "team")
	for path, want := range map[string]string{
		"/queue/confirm?do=drop&all=1":                 "Drop 7 messages",
		"/queue/confirm?do=release&all=1":              "Release 3 messages",
		"/queue/confirm?do=retry&all=1":                "Try 4 messages now",
		"/queue/confirm?do=drop&id=4&id=5":             "Drop 2 messages",
		"/queue/confirm?do=drop&all=1&state=delayed":   "Drop 1 message",
		"/queue/confirm?do=retry&all=1&q=alpine%3A3.2": "Try 1 message now",
	} {
		if body := admin.get(path); !strings.Contains(body, want) {
			t.Errorf("%s does not ask %q", path, want)
		}
	}
	if body := team.get("/queue/confirm?do=drop&all=1"); !strings.Contains(body, "Drop 2 messages") {
		t.Error("a user is asked about messages of others")
	}
	for _, post := range []struct {
		who  *visitor
		path string
		form url.Values
		want int
	}{
		{admin, "/queue/act", url.Values{"do": {"retry:5"}}, 303},
		{team, "/queue/act", url.Values{"do": {"release:2"}}, 303},
		{admin, "/queue/act", url.Values{"do": {"burn:5"}}, 400},
		{admin, "/queue/act", url.Values{"do": {"drop"}}, 400},
		{admin, "/queue/bulk", url.Values{"do": {"drop"}}, 303}, // nothing ticked is nothing
		{admin, "/queue/bulk", url.Values{"do": {"drop"}, "query": {"state=delayed"}}, 303},
		{admin, "/queue/undo/batch-1", url.Values{}, 303},
		{admin, "/queue/pause", url.Values{"name": {engine.QueueAnalyze}, "reason": {"full disk"}}, 303},
		{team, "/queue/pause", url.Values{"name": {engine.QueueAnalyze}}, 403},
		{team, "/queue/resume", url.Values{"name": {engine.QueueAnalyze}}, 403},
	} {
		if code, body := post.who.post(post.path, post.form); code != post.want {
			t.Errorf("POST %s %v = %d, want %d: %.200s", post.path, post.form, code, post.want, body)
		}
	}
	want := []string{`retry 1 of ""`, `release 1 of "team"`, `drop 0 of ""`, `drop 1 of ""`, `undo batch-1 of ""`, "pause images_to_analyze: full disk"}
	if !slices.Equal(e.acts, want) {
		t.Errorf("the engine was asked\n got %q\nwant %q", e.acts, want)
	}
	if body := admin.get("/queue"); !strings.Contains(body, "by admin: full disk") || !strings.Contains(body, "/queue/resume") {
		t.Error("the page does not say who paused the queue and why")
	}
}

func TestEmptyQueueLook(t *testing.T) {
	c, e := startQueue(t)
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	e.mu.Lock()
	e.list = nil
	e.board.Queues[0].Workers = nil
	e.mu.Unlock()
	if err := e.PauseQueue(t.Context(), engine.QueueAnalyze, "ann", "the disk of the registry is being replaced"); err != nil {
		t.Fatal(err)
	}
	p.Goto(c.url + "/queue")
	p.Live()
	p.Looks("queue-empty")
}

func TestQueueFollowsItsMessages(t *testing.T) {
	c, e := startQueue(t)
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/queue?open=4")
	p.Live()
	e.act("done", func() { e.list = slices.Delete(e.list, 3, 4) })
	c.fake.Change(engine.ChangeJob, "", "")
	p.Wait(`!document.getElementById("message-4") && document.getElementById("drawer").innerText.includes("no longer in the queues")`)
}
