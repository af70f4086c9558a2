package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

// tab is a browser's page as far as its socket goes: it connects again from the
// last number it has.
type tab struct {
	addr   string
	cookie http.Header
	after  int64
	seen   []int64 // numbers of the changes it was told of
}

func (p *program) openTab(t *testing.T, user, password string) *tab {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	resp, err := (&http.Client{Jar: jar}).PostForm(p.console+"/login", url.Values{"user": {user}, "password": {password}})
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	u, _ := url.Parse(p.console)
	b := &tab{addr: u.Host, cookie: http.Header{}}
	for _, c := range jar.Cookies(u) {
		b.cookie.Add("Cookie", c.String())
	}
	return b
}

// read takes messages until the change of a number has come, over as many
// connections as it takes. It gives the code with which the session was ended,
// if it was.
func (b *tab) read(t *testing.T, until int64) int {
	t.Helper()
	for limit := time.Now().Add(3 * time.Minute); time.Now().Before(limit); {
		ws, err := b.dial()
		if err != nil {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		code := b.take(t, ws, until)
		ws.Close()
		if code == 4401 || b.after >= until && code == 0 {
			return code
		}
	}
	t.Fatalf("change %d did not come; the last is %d", until, b.after)
	return 0
}

func (b *tab) dial() (*websocket.Conn, error) {
	ws, _, err := websocket.DefaultDialer.Dial(fmt.Sprintf("ws://%s/ws/live?topics=feeds&after=%d", b.addr, b.after), b.cookie)
	return ws, err
}

func (b *tab) take(t *testing.T, ws *websocket.Conn, until int64) int {
	t.Helper()
	ws.SetReadDeadline(time.Now().Add(2 * time.Minute))
	for len(b.seen) == 0 || b.seen[len(b.seen)-1] < until {
		var f struct {
			Seq      int64
			Do, Kind string
		}
		if err := ws.ReadJSON(&f); err != nil {
			var ce *websocket.CloseError
			var syntax *json.SyntaxError
			if errors.As(err, &syntax) {
				t.Fatal(err)
			}
			if errors.As(err, &ce) {
				return ce.Code
			}
			return -1
		}
		if f.Do == "refetch" && b.after > 0 {
			t.Fatalf("after %d the page is to be fetched again", b.after)
		}
		b.after = max(b.after, f.Seq)
		if f.Kind != "" {
			b.seen = append(b.seen, f.Seq)
		}
	}
	return 0
}

// Whatever breaks between a change and a page, the page is told of each change
// once: the console's connections to the database, which are cut, and the
// console itself, which is stopped and started. The changes come from another
// host all the while.
func TestPagesMissNothingAndHearNothingTwice(t *testing.T) {
	dsn := enginetest.Database(t)
	other, err := store.Open(t.Context(), dsn, 4, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	dir := dataDir(t)
	settings := []string{"--database-url=" + dsn, "--addr=" + addr, "--services=apiext,catalog"}
	p := start(t, dir, settings...)
	b := p.openTab(t, "admin", p.password)
	write := func(n int) int64 {
		t.Helper()
		for i := range n {
			// Its own connections were cut too; another try takes another.
			until(t, "a change is written", func() bool {
				return other.Announce(t.Context(), engine.ChangeFeeds, "", fmt.Sprint("feed-", i, engine.NewID()), nil) == nil
			})
		}
		last, err := other.LastChange(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return last
	}
	b.after = write(1)
	first := b.after
	cut := func() {
		t.Helper()
		const q = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
		if _, err := other.Pool().Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		b.read(t, write(40))
		cut()
	}
	b.read(t, write(40))
	if err := p.stop(); err != nil {
		t.Fatal(err)
	}
	write(40)
	start(t, dir, settings...)
	b.read(t, write(40))

	const told = `SELECT array_agg(seq ORDER BY seq) FROM changes WHERE kind = 'feeds' AND id LIKE 'feed-%' AND seq > $1`
	var want []int64
	if err := other.Pool().QueryRow(context.Background(), told, first).Scan(&want); err != nil {
		t.Fatal(err)
	}
	got := slices.DeleteFunc(slices.Clone(b.seen), func(n int64) bool { return !slices.Contains(want, n) }) // the program has changes of its own
	if !slices.Equal(got, want) {
		t.Errorf("the page was told of %d changes, there were %d", len(b.seen), len(want))
	}

	// A session ends here as soon as it has ended anywhere.
	ws, err := b.dial()
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	if _, err := other.EndUserSessions(t.Context(), "admin", nil); err != nil {
		t.Fatal(err)
	}
	if code := b.take(t, ws, 1<<60); code != 4401 {
		t.Errorf("the socket of an ended session: %d", code)
	}
}
