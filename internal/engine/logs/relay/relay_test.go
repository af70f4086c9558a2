package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/logs"
)

var (
	quiet = slog.New(slog.DiscardHandler)
	key   = NewKey([32]byte{1})
	began = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
)

// host is a host of a test: its files and the listener that serves them.
type host struct {
	*logs.Set
	dir    string
	server *Server
	web    *httptest.Server
}

func newHost(t *testing.T, name string) *host {
	t.Helper()
	h := &host{dir: t.TempDir()}
	var err error
	if h.Set, err = logs.Open(h.dir, name, logs.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	h.serve(t, key)
	return h
}

func (h *host) serve(t *testing.T, k Key) {
	h.server = NewServer(h.Set, k, quiet)
	h.web = httptest.NewServer(h.server.Wrap(http.NotFoundHandler()))
	t.Cleanup(h.stop)
}

func (h *host) stop() {
	h.server.Close()
	h.web.Close()
}

// write gives a service's log lines n=from..to, one each step after the others.
func (h *host) write(t *testing.T, service string, from, to int, at func(n int) time.Time) {
	t.Helper()
	var b strings.Builder
	for n := from; n < to; n++ {
		fmt.Fprintf(&b, "%s [-] [c] [m/f()] [INFO] line n=%d\n", at(n).Format("2006-01-02 15:04:05.000-0700"), n)
	}
	name := map[string]string{engine.Catalog: "anchore-catalog.log", engine.Analyzer: "anchore-worker.log"}[service]
	if err := os.WriteFile(filepath.Join(h.dir, name), []byte(b.String()), 0o640); err != nil {
		t.Fatal(err)
	}
}

// records are the service records of a test, which it may alter.
type records struct {
	mu   sync.Mutex
	list []engine.Service
}

func (r *records) services(context.Context) ([]engine.Service, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.list), nil
}

func (r *records) set(host, base string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = slices.DeleteFunc(r.list, func(s engine.Service) bool { return s.Host == host })
	r.list = append(r.list, engine.Service{Name: engine.Analyzer, Host: host, BaseURL: base, State: engine.ServiceAvailable})
}

func newReader(t *testing.T, own *host, others ...*host) (*Reader, *records) {
	var known records
	for _, h := range others {
		known.set(h.Host(), h.web.URL)
	}
	r := NewReader(own.Set, known.services, key, quiet)
	t.Cleanup(r.Close)
	return r, &known
}

func names(lines []engine.LogLine) (list []string) {
	for _, l := range lines {
		list = append(list, l.Host+" "+l.Service+" "+l.Text)
	}
	return list
}

// TestPagesOfManyHostsMeet walks the logs of three hosts in both directions by
// the cursors of the pages: every line once, in the order of time.
func TestPagesOfManyHostsMeet(t *testing.T) {
	one, two, three := newHost(t, "one"), newHost(t, "two"), newHost(t, "three.example~")
	// Bursts on one host beside single lines of another, and lines of one moment.
	clock := func(seed uint64, most int) func(int) time.Time {
		r, at := rand.New(rand.NewPCG(seed, 1)), began
		return func(int) time.Time {
			at = at.Add(time.Duration(r.IntN(most)/2) * time.Millisecond)
			return at
		}
	}
	one.write(t, engine.Catalog, 0, 900, clock(1, 40))
	one.write(t, engine.Analyzer, 0, 50, clock(2, 700))
	two.write(t, engine.Analyzer, 0, 2000, clock(3, 20))
	three.write(t, engine.Catalog, 0, 300, clock(4, 120))
	r, _ := newReader(t, one, two, three)
	const total = 900 + 50 + 2000 + 300
	var back, forth []engine.LogLine
	q := engine.LogQuery{Limit: 77}
	for more := true; more; {
		p, err := r.Tail(t.Context(), q)
		if err != nil || len(p.Failed) > 0 {
			t.Fatal(err, p.Failed)
		}
		back = append(slices.Clone(p.Lines), back...)
		if q.Until, err = engine.ParseLogCursor(p.First.String()); err != nil {
			t.Fatal(err)
		}
		more = p.More
	}
	q = engine.LogQuery{Limit: 77, Oldest: true}
	for more := true; more; {
		p, err := r.Tail(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		forth = append(forth, p.Lines...)
		q.From, more = p.Last, p.More
	}
	for what, lines := range map[string][]engine.LogLine{"backward": back, "forward": forth} {
		if !slices.IsSortedFunc(lines, func(a, b engine.LogLine) int { return a.At.Compare(b.At) }) {
			t.Errorf("%s: not in the order of time", what)
		}
		all := names(lines)
		slices.Sort(all)
		if n := len(slices.Compact(all)); n != total || len(lines) != total {
			t.Errorf("%s: %d lines, %d of them different, want %d", what, len(lines), n, total)
		}
	}
	// A search that finds little on one host must not tear the others apart.
	p, err := r.Tail(t.Context(), engine.LogQuery{Text: "n=7", Limit: 20, Context: 1, Hosts: []string{"two", "one"}})
	if err != nil || len(p.Lines) < 20 || !slices.ContainsFunc(p.Lines, func(l engine.LogLine) bool { return l.Context }) {
		t.Errorf("%v: %q", err, names(p.Lines))
	}
}

// TestHostsThatCannotBeRead are named with the reason, and cost the others
// nothing.
func TestHostsThatCannotBeRead(t *testing.T) {
	own, other, keyless := newHost(t, "own"), newHost(t, "other"), newHost(t, "keyless")
	own.write(t, engine.Catalog, 0, 3, func(n int) time.Time { return began })
	keyless.stop()
	keyless.serve(t, NewKey([32]byte{2}))
	gone := httptest.NewServer(nil)
	gone.Close()
	impostor := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, `{"lines":[]}`) }))
	defer impostor.Close()
	old := httptest.NewServer(http.NotFoundHandler())
	defer old.Close()
	r, known := newReader(t, own, keyless)
	for host, base := range map[string]string{"stopped": gone.URL, "loopback": other.web.URL, "recycled": impostor.URL, "old": old.URL, "nameless": "http://no such host"} {
		known.set(host, base)
	}
	p, err := r.Tail(t.Context(), engine.LogQuery{})
	if err != nil || len(p.Lines) != 3 {
		t.Fatalf("%v: %d lines", err, len(p.Lines))
	}
	want := map[string]string{
		"stopped": "nothing answers at", "loopback": "another host answers at", "recycled": "something else answers", "old": "may be of an older version",
		"keyless": "same CONSOLE_SECRET_KEY", "nameless": "is none",
	}
	for _, f := range p.Failed {
		if !strings.Contains(f.Reason, want[f.Host]) || want[f.Host] == "" {
			t.Errorf("%s: %q, want %q", f.Host, f.Reason, want[f.Host])
		}
		delete(want, f.Host)
	}
	if len(want) > 0 {
		t.Errorf("not told of %v", want)
	}
	if p, err = r.Tail(t.Context(), engine.LogQuery{Hosts: []string{"unheard"}}); err != nil || len(p.Failed) != 1 || !strings.Contains(p.Failed[0].Reason, "no service has a record") {
		t.Errorf("%v, %+v", err, p.Failed)
	}
	if _, err := r.Tail(t.Context(), engine.LogQuery{Text: "(", Regex: true}); !errors.Is(err, engine.ErrInvalid) {
		t.Errorf("a bad pattern: %v", err)
	}
	// Nothing is told without the key.
	resp, err := http.Post(other.web.URL+Prefix+"lines", "application/json", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get(headerProof) != "" {
		t.Errorf("without a key: %d, %v", resp.StatusCode, resp.Header)
	}
}

// TestFollowManyHosts has one of two hosts go away and come back at another
// address: it is told of, and nothing is lost or doubled.
func TestFollowManyHosts(t *testing.T) {
	one, two := newHost(t, "one"), newHost(t, "two")
	r, known := newReader(t, one, two)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	page, err := r.Tail(ctx, engine.LogQuery{})
	if err != nil {
		t.Fatal(err)
	}
	frames := make(chan engine.LogFrame)
	ended := make(chan error, 1)
	go func() {
		ended <- r.Follow(ctx, engine.LogQuery{Text: "line"}, page.Last, func(f engine.LogFrame) error {
			select {
			case frames <- f:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	}()
	var got []string
	var last engine.LogCursor
	until := func(what string, done func(f engine.LogFrame) bool) {
		t.Helper()
		for {
			select {
			case f := <-frames:
				got, last = append(got, names(f.Lines)...), f.Last
				if done(f) {
					return
				}
			case err := <-ended:
				t.Fatalf("%s: ended: %v", what, err)
			}
		}
	}
	has := func(n int) func(engine.LogFrame) bool {
		return func(engine.LogFrame) bool { return len(got) == n }
	}
	one.Logger(engine.Catalog).Info("line of one")
	two.Logger(engine.Analyzer).Info("line of two")
	until("the first lines", has(2))
	two.stop()
	until("the end of two", func(f engine.LogFrame) bool { return len(f.Failed) == 1 && f.Failed[0].Host == "two" })
	two.Logger(engine.Analyzer).Info("line while away")
	one.Logger(engine.Catalog).Info("line of one again")
	until("the other goes on", has(3))
	two.serve(t, key)
	known.set("two", two.web.URL)
	until("two is back", func(f engine.LogFrame) bool { return slices.Equal(f.Back, []string{"two"}) })
	if len(got) < 4 {
		until("what it said meanwhile", has(4))
	}
	want := []string{"one catalog line of one", "one catalog line of one again", "two analyzer line of two", "two analyzer line while away"}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if of(last, "two") == nil || of(last, "one") == nil {
		t.Errorf("position %v", last)
	}
	cancel()
	if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestFilesOfOtherHosts(t *testing.T) {
	one, two := newHost(t, "one"), newHost(t, "two")
	two.Logger(engine.Analyzer).Info("only here")
	r, known := newReader(t, one, two)
	known.set("three", "http://127.0.0.1:1")
	files, failed, err := r.Files(t.Context())
	if err != nil || len(files) != 2*len(engine.ServiceNames) || len(failed) != 1 || failed[0].Host != "three" {
		t.Fatalf("%v: %d files, %v", err, len(files), failed)
	}
	file, body, err := r.Open(t.Context(), "two", "anchore-worker.log")
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	text, err := io.ReadAll(body)
	if err != nil || !strings.Contains(string(text), "only here") || file.Host != "two" || file.Bytes != int64(len(text)) {
		t.Errorf("%v: %+v: %q", err, file, text)
	}
	for _, bad := range [][2]string{{"two", "../x"}, {"two", "nothing.log"}, {"four", "anchore-worker.log"}} {
		if _, _, err := r.Open(t.Context(), bad[0], bad[1]); !errors.Is(err, engine.ErrNotFound) {
			t.Errorf("%v: %v, want ErrNotFound", bad, err)
		}
	}
	if _, _, err := r.Open(t.Context(), "three", "anchore-worker.log"); !errors.Is(err, engine.ErrUnavailable) {
		t.Errorf("a host that is away: %v", err)
	}
}

// TestProof refuses what was altered, is old, or was meant for another host.
func TestProof(t *testing.T) {
	tests := map[string]struct {
		alter func(*http.Request)
		code  int
	}{
		"as it was":    {func(*http.Request) {}, 0},
		"another path": {func(r *http.Request) { r.URL.Path = Prefix + "file" }, 401},
		"another time": {func(r *http.Request) { r.Header.Set(headerTime, "1") }, 401},
		"another host": {func(r *http.Request) { key.sign(r, "two", []byte("{}")) }, 421},
		"long ago": {func(r *http.Request) {
			r.Header.Set(headerTime, "1")
			r.Header.Set(headerProof, key.ofRequest(r, []byte("{}")))
		}, 403},
		"no time": {func(r *http.Request) {
			r.Header.Del(headerTime)
			r.Header.Set(headerProof, key.ofRequest(r, []byte("{}")))
		}, 403},
		"nothing": {func(r *http.Request) { r.Header = http.Header{} }, 401},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodPost, Prefix+"lines", nil)
			key.sign(r, "one", []byte("{}"))
			tc.alter(r)
			if code, _ := key.check(r, "one", []byte("{}")); code != tc.code {
				t.Errorf("code %d, want %d", code, tc.code)
			}
		})
	}
}
