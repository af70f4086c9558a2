package live_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/websocket"

	"windlass/internal/bff/live"
)

// serve puts a hub behind a port; first is what each socket is given to start with.
func serve(t *testing.T, hub *live.Hub, first []live.Frame) string {
	t.Helper()
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true, ReadTimeout: 300 * time.Millisecond, IdleTimeout: 300 * time.Millisecond})
	app.Get("/ws", func(c *fiber.Ctx) error {
		name := c.Query("name")
		return live.Upgrade(c, &websocket.Upgrader{}, func(ws *websocket.Conn) {
			s := hub.Join(name)
			if s == nil {
				ws.Close()
				return
			}
			defer hub.Leave(s)
			s.Serve(ws, first)
		})
	})
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go app.Listener(ln)
	t.Cleanup(func() { app.ShutdownWithTimeout(time.Second) })
	return "ws://" + ln.Addr().String() + "/ws"
}

func dial(t *testing.T, url string) *websocket.Conn {
	t.Helper()
	ws, _, err := websocket.DefaultDialer.Dial(url, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ws.Close() })
	return ws
}

func read(t *testing.T, ws *websocket.Conn) string {
	t.Helper()
	ws.SetReadDeadline(time.Now().Add(time.Minute))
	_, p, err := ws.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	return string(p)
}

func everyone(any) bool { return true }

func TestQueuedFramesDoNotRepeatTheFirst(t *testing.T) {
	hub := live.NewHub()
	ws := dial(t, serve(t, hub, []live.Frame{{Seq: 4, Body: []byte("4")}, {Seq: 5, Body: []byte("5")}})+"?name=a")
	if a, b := read(t, ws), read(t, ws); a+b != "45" {
		t.Fatalf("first: %q %q", a, b)
	}
	for _, n := range []int64{5, 6, 6} { // a change may have several frames
		hub.Offer(live.Frame{Seq: n, Body: fmt.Append(nil, n)}, everyone)
	}
	if a, b := read(t, ws), read(t, ws); a+b != "66" {
		t.Errorf("then: %q %q, want 6 and 6", a, b)
	}
}

func TestOnlyMatchingSocketsAreOffered(t *testing.T) {
	hub := live.NewHub()
	url := serve(t, hub, []live.Frame{{Body: []byte("hello")}})
	a, b := dial(t, url+"?name=a"), dial(t, url+"?name=b")
	read(t, a)
	read(t, b)
	hub.Offer(live.Frame{Body: []byte("for b")}, func(s any) bool { return s == "b" })
	hub.Offer(live.Frame{Body: []byte("for all")}, everyone)
	if got := read(t, a); got != "for all" {
		t.Errorf("a got %q", got)
	}
	if got := read(t, b); got != "for b" {
		t.Errorf("b got %q", got)
	}
}

// A browser that does not read is let go; offering never waits for it and the
// others get everything.
func TestSlowBrowserIsDropped(t *testing.T) {
	hub := live.NewHub()
	url := serve(t, hub, []live.Frame{{Body: []byte("hello")}})
	slow, fast := dial(t, url+"?name=slow"), dial(t, url+"?name=fast")
	read(t, slow)
	read(t, fast)
	big := bytes.Repeat([]byte("x"), 64<<10)
	const frames = 1000
	for i := range frames {
		hub.Offer(live.Frame{Body: big}, everyone)
		if got := read(t, fast); len(got) != len(big) {
			t.Fatalf("frame %d: %d bytes", i, len(got))
		}
	}
	if _, dropped := hub.Stats(); dropped != 1 {
		t.Errorf("%d dropped, want 1", dropped)
	}
}

func TestCloseTellsAllAndWaits(t *testing.T) {
	hub := live.NewHub()
	url := serve(t, hub, []live.Frame{{Body: []byte("hello")}})
	errs := make(chan error, 50)
	for i := range 50 {
		ws := dial(t, fmt.Sprintf("%s?name=%d", url, i))
		read(t, ws)
		go func() {
			_, _, err := ws.ReadMessage()
			ws.Close()
			errs <- err
		}()
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	hub.Close(ctx)
	if ctx.Err() != nil {
		t.Error("Close did not end")
	}
	if open, _ := hub.Stats(); open != 0 {
		t.Errorf("%d sockets left", open)
	}
	for range 50 {
		if err := <-errs; !websocket.IsCloseError(err, websocket.CloseGoingAway) {
			t.Errorf("closed with %v", err)
		}
	}
	if hub.Join("late") != nil {
		t.Error("a closed hub lets sockets join")
	}
}

func TestKick(t *testing.T) {
	hub := live.NewHub()
	url := serve(t, hub, []live.Frame{{Body: []byte("hello")}})
	a, b := dial(t, url+"?name=a"), dial(t, url+"?name=b")
	read(t, a)
	read(t, b)
	hub.Kick(func(s any) bool { return s == "a" })
	if _, _, err := a.ReadMessage(); !websocket.IsCloseError(err, live.CodeSignedOut) {
		t.Errorf("a: %v", err)
	}
	hub.Offer(live.Frame{Body: []byte("still here")}, everyone)
	if got := read(t, b); got != "still here" {
		t.Errorf("b: %q", got)
	}
}
