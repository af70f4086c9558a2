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

// serve puts a hub behind a port; first is what each socket is given to start
// with. What a browser says comes back to it.
func serve(t *testing.T, hub *live.Hub, first ...live.Frame) string {
	t.Helper()
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true, ReadTimeout: 300 * time.Millisecond, IdleTimeout: 300 * time.Millisecond})
	live.Prepare(app)
	app.Get("/ws", func(c *fiber.Ctx) error {
		name := c.Query("name")
		return live.Upgrade(c, &websocket.Upgrader{ReadBufferSize: 256}, func(ws *websocket.Conn) {
			s := hub.Join(name)
			if s == nil {
				ws.Close()
				return
			}
			go func() {
				defer hub.Leave(s)
				start := func(list ...live.Frame) {
					s.Resume(func() ([]live.Frame, int64) {
						var upto int64
						for _, f := range list {
							upto = max(upto, f.Seq)
						}
						return list, upto
					})
				}
				start(first...)
				s.Serve(ws, func(message []byte) { start(live.Frame{Body: message}) })
			}()
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

// offer gives the frame to the sockets of a name; to all without one.
func offer(hub *live.Hub, seq int64, body, name string) {
	hub.Offer(seq, func(s any) []byte {
		if name != "" && s != name {
			return nil
		}
		return []byte(body)
	})
}

func TestQueuedFramesDoNotRepeatTheFirst(t *testing.T) {
	hub := live.NewHub()
	ws := dial(t, serve(t, hub, live.Frame{Seq: 4, Body: []byte("4")}, live.Frame{Seq: 5, Body: []byte("5")})+"?name=a")
	if a, b := read(t, ws), read(t, ws); a+b != "45" {
		t.Fatalf("first: %q %q", a, b)
	}
	for _, n := range []int64{4, 5, 6, 7} {
		offer(hub, n, fmt.Sprint(n), "")
	}
	if a, b := read(t, ws), read(t, ws); a+b != "67" {
		t.Errorf("then: %q %q, want 6 and 7", a, b)
	}
}

func TestOnlyMatchingSocketsAreOffered(t *testing.T) {
	hub := live.NewHub()
	url := serve(t, hub, live.Frame{Body: []byte("hello")})
	a, b := dial(t, url+"?name=a"), dial(t, url+"?name=b")
	read(t, a)
	read(t, b)
	offer(hub, 0, "for b", "b")
	offer(hub, 0, "for all", "")
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
	url := serve(t, hub, live.Frame{Body: []byte("hello")})
	slow, fast := dial(t, url+"?name=slow"), dial(t, url+"?name=fast")
	read(t, slow)
	read(t, fast)
	big := bytes.Repeat([]byte("x"), 64<<10)
	const frames = 1500
	for i := range frames {
		hub.Offer(0, func(any) []byte { return big })
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
	url := serve(t, hub, live.Frame{Body: []byte("hello")})
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
	url := serve(t, hub, live.Frame{Body: []byte("hello")})
	a, b := dial(t, url+"?name=a"), dial(t, url+"?name=b")
	read(t, a)
	read(t, b)
	hub.Kick(live.CodeSignedOut, "signed out", func(s any) bool { return s == "a" })
	if _, _, err := a.ReadMessage(); !websocket.IsCloseError(err, live.CodeSignedOut) {
		t.Errorf("a: %v", err)
	}
	offer(hub, 0, "still here", "")
	if got := read(t, b); got != "still here" {
		t.Errorf("b: %q", got)
	}
}

// What a page says begins anew what it is told: nothing of what was queued
// before comes after the answer, and what was offered meanwhile does.
func TestResume(t *testing.T) {
	hub := live.NewHub()
	ws := dial(t, serve(t, hub, live.Frame{Seq: 9, Body: []byte("hello")})+"?name=a")
	read(t, ws)
	if err := ws.WriteMessage(websocket.TextMessage, []byte("again")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, ws); got != "again" {
		t.Errorf("the answer is %q", got)
	}
	offer(hub, 3, "after", "") // its numbers begin anew too
	if got := read(t, ws); got != "after" {
		t.Errorf("then %q", got)
	}
}

// Every socket hears a beat once in a round, and no writer is left behind.
func TestBeat(t *testing.T) {
	hub := live.NewHub()
	url := serve(t, hub, live.Frame{Body: []byte("hello")})
	a, b := dial(t, url+"?name=a"), dial(t, url+"?name=b")
	read(t, a)
	read(t, b)
	pings := make(chan string, 2)
	for _, ws := range []*websocket.Conn{a, b} {
		ws.SetPingHandler(func(string) error { pings <- ""; return nil })
	}
	for group := range live.Beats {
		hub.Beat(group, func(s any) []byte { return []byte("beat " + s.(string)) })
	}
	if x, y := read(t, a), read(t, b); x != "beat a" || y != "beat b" {
		t.Errorf("heard %q and %q", x, y)
	}
	if len(pings) != 2 {
		t.Errorf("%d pings", len(pings))
	}
}
