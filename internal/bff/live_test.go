package bff_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"windlass/internal/bff"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// say is what a page tells its socket.
func say(t *testing.T, ws *websocket.Conn, format string, args ...any) {
	t.Helper()
	if err := ws.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, format, args...)); err != nil {
		t.Fatal(err)
	}
}

// closedWith reads until the socket is closed.
func closedWith(t *testing.T, ws *websocket.Conn) int {
	t.Helper()
	ws.SetReadDeadline(time.Now().Add(time.Minute))
	for {
		if _, _, err := ws.ReadMessage(); err != nil {
			var ce *websocket.CloseError
			if !errors.As(err, &ce) {
				t.Fatal(err)
			}
			return ce.Code
		}
	}
}

// A page that shows something else asks for it on the same socket. What it is
// told from then on begins at the number it names: nothing missing, nothing of
// before, nothing twice.
func TestPageAsksAnew(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	ws := c.socket("topics=service&after=0")
	if f := next(t, ws); f.Do != "refetch" {
		t.Fatalf("first %+v", f)
	}
	first := c.fake.Change(engine.ChangeService, "", "1")
	next(t, ws)
	second := c.fake.Change(engine.ChangeFeeds, "", "2") // not asked for yet
	third := c.fake.Change(engine.ChangeService, "", "3")
	next(t, ws)
	say(t, ws, `{"n":1,"topics":"feeds,service","after":%d}`, first)
	if f := next(t, ws); f.Do != "answer" {
		t.Fatalf("the answer is %+v", f)
	}
	if f := next(t, ws); f.Seq != second || f.Kind != "feeds" {
		t.Errorf("then %+v, want change %d", f, second)
	}
	if f := next(t, ws); f.Seq != third {
		t.Errorf("then %+v, want change %d", f, third)
	}

	// In the background it hears nothing, and then what it missed: the last of
	// each thing.
	say(t, ws, `{"n":2,"topics":"","after":%d}`, third)
	next(t, ws)
	for range 20 {
		c.fake.Change(engine.ChangeService, "", "1")
	}
	last := c.fake.Change(engine.ChangeService, "", "2")
	for other := c.socket("topics=service&after=" + itoa(last-1)); next(t, other).Seq < last; { // when this has it, all have been told
	}
	say(t, ws, `{"n":3,"topics":"service","after":%d}`, third)
	if f := next(t, ws); f.Do != "answer" {
		t.Fatalf("in the background it was told %+v", f)
	}
	if a, b := next(t, ws), next(t, ws); a.Seq != last-1 || b.Seq != last {
		t.Errorf("on its return it is told %+v and %+v", a, b)
	}

	say(t, ws, "nonsense")
	if code := closedWith(t, ws); code != websocket.CloseUnsupportedData {
		t.Errorf("after nonsense: %d", code)
	}
}

func TestPageOfAnotherBuildIsTold(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	if f := next(t, c.socket("topics=service&after=0&build=another")); f.Do != "updated" {
		t.Errorf("first %+v", f)
	}
}

// Rights are those of now, not of when the socket was opened, whoever changed
// them and wherever.
func TestSocketFollowsRights(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	open := func(query string) *websocket.Conn {
		ws := c.socket(query + "&after=0")
		next(t, ws)
		return ws
	}
	ws := open("topics=service,registry")
	c.fake.Change(engine.ChangeRegistry, "admin", "a")
	if f := next(t, ws); f.Kind != "registry" {
		t.Fatalf("%+v", f)
	}
	who := engine.Identity{User: "admin", Account: "admin", Rights: &engine.Rights{Grants: []engine.Grant{{Account: "admin", Role: engine.ImageAnalyzer, Enabled: true}}}}
	c.fake.SetIdentity(who)
	if f := next(t, ws); f.Do != "rights" {
		t.Fatalf("other rights: %+v", f)
	}
	c.fake.Change(engine.ChangeRegistry, "admin", "b") // not for this role
	c.fake.Change(engine.ChangeService, "", "c")
	if f := next(t, ws); f.ID != "c" {
		t.Errorf("under the new rights it is told %+v", f)
	}
	// The order of grants says nothing, and the same again is no news.
	c.fake.SetIdentity(who)
	c.fake.Change(engine.ChangeService, "", "d")
	if f := next(t, ws); f.ID != "d" {
		t.Errorf("the same rights: %+v", f)
	}
	// Somebody else's end is not this one's.
	c.fake.SignOut("other")
	c.fake.Change(engine.ChangeService, "", "e")
	if f := next(t, ws); f.ID != "e" {
		t.Errorf("after another's end: %+v", f)
	}
	c.fake.SignOut("admin")
	if code := closedWith(t, ws); code != 4401 {
		t.Errorf("signed out elsewhere: closed with %d", code)
	}
}

// A session that ends by time takes its sockets with it.
func TestSocketEndsWithItsSession(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	c.fake.Idle("admin") // so long that its time may have come
	ws := c.socket("topics=service&after=0")
	next(t, ws)
	c.fake.Expire("admin")
	if code := closedWith(t, ws); code != 4401 {
		t.Errorf("closed with %d", code)
	}
}

// brittle is an engine whose change log breaks off.
type brittle struct {
	*enginetest.Fake
	broken atomic.Bool
	cut    chan struct{}
}

func (b *brittle) LastChange(ctx context.Context) (int64, error) {
	if b.broken.Load() {
		return 0, engine.ErrUnavailable
	}
	return b.Fake.LastChange(ctx)
}

func (b *brittle) Watch(ctx context.Context, after int64, each func(engine.Change) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-b.cut:
			cancel()
		case <-ctx.Done():
		}
	}()
	if err := b.Fake.Watch(ctx, after, each); err != nil {
		return err
	}
	return engine.ErrUnavailable
}

// While changes cannot be read, pages are told; then all that was missed.
func TestPagesAreToldWhenChangesCannotBeRead(t *testing.T) {
	b := &brittle{Fake: enginetest.New(), cut: make(chan struct{})}
	c := start(t, bff.Options{Engine: b})
	c.login()
	ws := c.socket("topics=service&after=0")
	next(t, ws)
	b.broken.Store(true)
	b.cut <- struct{}{}
	if f := next(t, ws); f.Do != "stalled" {
		t.Fatalf("%+v", f)
	}
	late := c.socket("topics=service&after=0")
	if f := next(t, late); f.Do != "stalled" {
		t.Errorf("a page that comes meanwhile is told %+v", f)
	}
	n := b.Change(engine.ChangeService, "", "x")
	b.broken.Store(false)
	if f := next(t, ws); f.Do != "resumed" {
		t.Fatalf("%+v", f)
	}
	if f := next(t, ws); f.Seq != n {
		t.Errorf("then %+v, want change %d", f, n)
	}
}

// A console that was not running tells its pages what they missed, one by one.
func TestRestartedConsoleKnowsThePast(t *testing.T) {
	fake := enginetest.New()
	for i := range 5 {
		fake.Change(engine.ChangeService, "", fmt.Sprint(i))
	}
	c := start(t, bff.Options{Engine: fake})
	c.login()
	ws := c.socket("topics=service&after=2")
	for want := int64(3); want <= 5; want++ {
		if f := next(t, ws); f.Seq != want || f.Kind != "service" {
			t.Fatalf("%+v, want change %d", f, want)
		}
	}
	if f := next(t, c.socket("topics=service&after=9")); f.Do != "refetch" || f.Seq != 5 {
		t.Errorf("a page with numbers of another engine is told %+v", f)
	}
}

func TestTooManyPagesOfOneSession(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	var list []*websocket.Conn
	for range 250 {
		ws := c.socket("topics=service&after=0")
		next(t, ws)
		list = append(list, ws)
	}
	_, resp, err := c.dial("topics=service&after=0")
	if err == nil || resp.StatusCode != 429 {
		t.Fatalf("one more: %v", err)
	}
	list[0].Close()
	for { // the server notices
		ws, _, err := c.dial("topics=&after=0")
		if err == nil {
			ws.Close()
			return
		}
		if t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}

// The pill that a page fetches when it is told of a change is not the one of the
// moment before.
func TestStatusFollowsAChangeAtOnce(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	ws := c.socket("topics=service&after=0")
	next(t, ws)
	if body := c.get("/status?fragment=engine-status"); strings.Contains(body, "Degraded: analyzer") {
		t.Fatalf("before: %s", body)
	}
	c.fake.Set(func() { c.fake.Records[4].State = engine.ServiceOrphaned })
	c.fake.Change(engine.ChangeService, "", "analyzer/host-1")
	next(t, ws)
	if body := c.get("/status?fragment=engine-status"); !strings.Contains(body, "Degraded") {
		t.Errorf("after the change: %s", body)
	}
}
