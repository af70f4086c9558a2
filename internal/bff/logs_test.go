package bff

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"windlass/internal/bff/present"
	"windlass/internal/bff/session"
	"windlass/internal/engine"
)

// logEngine answers what the log pages ask; nothing else may be asked.
type logEngine struct {
	Engine
	user   engine.Identity
	lines  func(engine.LogQuery) (engine.LogPage, error)
	follow func(ctx context.Context, q engine.LogQuery, after engine.LogCursor, each func(engine.LogFrame) error) error
	files  []engine.LogFile
}

func (e *logEngine) Session(context.Context, []byte, time.Duration, bool) (engine.Session, error) {
	return engine.Session{Identity: e.user}, nil
}
func (e *logEngine) Services(context.Context) ([]engine.Service, error) { return nil, nil }
func (e *logEngine) LogFiles(context.Context) ([]engine.LogFile, []engine.LogHostFault, error) {
	return e.files, []engine.LogHostFault{{Host: "far", Reason: "no answer"}}, nil
}
func (e *logEngine) LogHosts(context.Context) ([]engine.LogHost, error) {
	return []engine.LogHost{{Name: "h", Own: true}}, nil
}
func (e *logEngine) LastChange(context.Context) (int64, error) { return 0, nil }
func (e *logEngine) Watch(ctx context.Context, _ int64, _ func(engine.Change) error) error {
	<-ctx.Done()
	return nil
}
func (e *logEngine) LogLines(_ context.Context, q engine.LogQuery) (engine.LogPage, error) {
	return e.lines(q)
}
func (e *logEngine) FollowLogs(ctx context.Context, q engine.LogQuery, after engine.LogCursor, each func(engine.LogFrame) error) error {
	return e.follow(ctx, q, after, each)
}
func (e *logEngine) OpenLogFile(_ context.Context, host, name string) (engine.LogFile, io.ReadCloser, error) {
	if host != "h" || name != "anchore-catalog.log" {
		return engine.LogFile{}, nil, engine.NotFoundf("There is no log file %q.", name)
	}
	return engine.LogFile{Name: name, Bytes: 5}, io.NopCloser(strings.NewReader("a log")), nil
}

var catalogLog = engine.LogSource{Service: engine.Catalog, Host: "h"}

var logAdmin = engine.Identity{User: "admin", Account: "admin", Admin: true}

func logLine(service, level, text string, offset int64) engine.LogLine {
	return engine.LogLine{Service: service, Host: "h", Level: level, Text: text, Offset: offset, Generation: "ab12",
		Component: service, Module: "feeds/Run()", File: "anchore-catalog.log", At: time.Date(2026, 11, 22, 13, 4, 5, 6e6, time.UTC)}
}

// getLogs asks the console for a page as a signed-in user.
func getLogs(t *testing.T, e *logEngine, target string) (int, http.Header, string) {
	t.Helper()
	s, err := New(Options{Engine: e})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, target, nil)
	r.AddCookie(&http.Cookie{Name: session.Cookie, Value: "token"})
	resp, err := s.App().Test(r, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(body)
}

func wantParts(t *testing.T, body string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(body, w) {
			t.Errorf("no %q in the page", w)
		}
	}
}

func TestLogsPage(t *testing.T) {
	var asked engine.LogQuery
	e := &logEngine{user: logAdmin, files: []engine.LogFile{{Service: engine.Catalog, Host: "h", Name: "anchore-catalog.log", Bytes: 1234567, Current: true}}}
	e.lines = func(q engine.LogQuery) (engine.LogPage, error) {
		asked = q
		return engine.LogPage{More: true, First: engine.LogCursor{catalogLog: {Generation: "ab12", Offset: 7}},
			Last:  engine.LogCursor{catalogLog: {Generation: "ab12", Offset: 99}},
			Lines: []engine.LogLine{logLine(engine.Catalog, "error", `sync failed cause="connection RESET <b>"`, 7)}}, nil
	}
	code, _, body := getLogs(t, e, "/logs?service=catalog&service=nonsense&level=warn&text=reset&oneline=1")
	if code != http.StatusOK {
		t.Fatalf("status %d: %s", code, body)
	}
	want := engine.LogQuery{Services: []string{engine.Catalog}, Level: "warn", Text: "reset"}
	if !reflect.DeepEqual(asked, want) {
		t.Errorf("asked %+v, want %+v", asked, want)
	}
	wantParts(t, body,
		`id="l-h~catalog-ab12-7"`, `<mark>RESET</mark>`, `&lt;b&gt;`, `<i>cause=</i>`, "13:04:05.006", "Sunday, 22 November 2026",
		`data-logs="/ws/logs?level=warn&amp;oneline=1&amp;service=catalog&amp;text=reset"`, `data-after="h~catalog-ab12-99"`,
		`until=h~catalog-ab12-7`, `href="/logs/files"`, `class="log oneline"`, `/logs/download?level=warn`,
		`at=2026-11-22T13%3A04%3A05.006Z&amp;line=h~catalog-ab12-7&amp;oneline=1&amp;service=catalog#l-h~catalog-ab12-7`)

	code, _, body = getLogs(t, e, "/logs/files")
	if code != http.StatusOK {
		t.Fatalf("files: status %d: %s", code, body)
	}
	wantParts(t, body, `/logs/files/h/anchore-catalog.log`, "1.2 MB", "current", "<b>far</b> cannot be listed: no answer.")
}

// TestLogLineAddress opens one line: while it is there, and when it is gone.
func TestLogLineAddress(t *testing.T) {
	var missed bool
	var failed []engine.LogHostFault
	e := &logEngine{user: logAdmin}
	e.lines = func(q engine.LogQuery) (engine.LogPage, error) {
		line := logLine(engine.Catalog, "error", `sync failed n=1 digest=sha256:`+strings.Repeat("ab", 32), 7)
		switch {
		case q.Limit == 1:
			if !q.Oldest || q.From[catalogLog].Offset != 7 || q.Hosts[0] != "h" {
				t.Errorf("asked for the line by %+v", q)
			}
			return engine.LogPage{Lines: []engine.LogLine{line}, Missed: missed, Failed: failed}, nil
		case q.Text != "":
			t.Errorf("neighbours are filtered by %q", q.Text)
		case !q.Oldest:
			return engine.LogPage{}, nil
		case missed:
			line.Offset = 9
		}
		return engine.LogPage{Lines: []engine.LogLine{line}}, nil
	}
	const address = "line=h~catalog-ab12-7&at=2026-11-22T13:04:05.006Z&text=none"
	code, _, body := getLogs(t, e, "/logs?"+address)
	if code != http.StatusOK {
		t.Fatalf("status %d: %s", code, body)
	}
	wantParts(t, body, `class="E aim"`, `<dt>n</dt>`, `href="/images/sha256:abab`, `text=n%3D1`, "at byte 7")
	code, _, body = getLogs(t, e, "/logs/line?fragment=line&"+address)
	if code != http.StatusOK || !strings.Contains(body, `<dt>n</dt>`) || strings.Contains(body, "<html") {
		t.Errorf("the part alone: %d, %s", code, body)
	}
	if code, header, _ := getLogs(t, e, "/logs/line?"+address); code != http.StatusSeeOther || !strings.HasPrefix(header.Get("Location"), "/logs?line=") {
		t.Errorf("the part by a person: %d to %s", code, header.Get("Location"))
	}
	missed = true
	code, _, body = getLogs(t, e, "/logs?"+address)
	if code != http.StatusOK || strings.Contains(body, " aim") {
		t.Errorf("a line that is gone: status %d: %s", code, body)
	}
	wantParts(t, body, "This line is gone", `id="l-h~catalog-ab12-9"`)
	if code, _, body := getLogs(t, e, "/logs?line=h~catalog-ab12-7"); code != http.StatusBadRequest || !strings.Contains(body, "is gone") {
		t.Errorf("without a time: status %d", code)
	}
	failed = []engine.LogHostFault{{Host: "h", Reason: "no answer"}}
	if code, _, body := getLogs(t, e, "/logs?"+address); code != http.StatusServiceUnavailable || !strings.Contains(body, "The log of h cannot be read: no answer.") {
		t.Errorf("of a host that is away: status %d", code)
	}
}

func TestLogsAroundAMoment(t *testing.T) {
	var asked []engine.LogQuery
	e := &logEngine{user: logAdmin, lines: func(q engine.LogQuery) (engine.LogPage, error) {
		asked = append(asked, q)
		return engine.LogPage{Lines: []engine.LogLine{logLine(engine.Analyzer, "info", "line", int64(len(asked)))}}, nil
	}}
	code, _, body := getLogs(t, e, "/logs?at=2026-11-22T13:04:05")
	at := time.Date(2026, 11, 22, 13, 4, 5, 0, time.UTC)
	if code != http.StatusOK || len(asked) != 2 || !asked[0].Before.Equal(at) || !asked[1].Since.Equal(at) || !asked[1].Oldest {
		t.Errorf("status %d, asked %+v", code, asked)
	}
	wantParts(t, body, `id="l-h~analyzer-ab12-1"`, `id="l-h~analyzer-ab12-2"`, `rel="next"`, `rel="prev"`)
	if strings.Contains(body, "data-logs=") {
		t.Error("a page of the past follows the present")
	}
}

func TestLogsRefusals(t *testing.T) {
	e := &logEngine{user: logAdmin, lines: func(q engine.LogQuery) (engine.LogPage, error) {
		return engine.LogPage{}, engine.Invalidf("search pattern %q: missing )", q.Text)
	}}
	code, _, body := getLogs(t, e, "/logs?text=a(&regex=1")
	if code != http.StatusBadRequest {
		t.Errorf("a bad pattern: status %d", code)
	}
	wantParts(t, body, "missing )", `value="a("`, `aria-invalid="true"`)
	for _, address := range []string{"/logs?at=yesterday", "/logs?until=x", "/logs?from=h~catalog-zz-1", "/ws/logs?after=...", "/logs?context=51", "/logs?line=h~catalog-a-1.analyzer-b-2"} {
		if code, _, _ := getLogs(t, e, address); code != http.StatusBadRequest {
			t.Errorf("%s: status %d, want 400", address, code)
		}
	}
	if code, _, _ := getLogs(t, e, "/logs/files/h/shadow"); code != http.StatusNotFound {
		t.Errorf("a foreign file: status %d, want 404", code)
	}
	e.user.Admin = false
	for _, address := range []string{"/logs", "/logs/line?line=h~catalog-a-1", "/logs/download", "/logs/files", "/logs/files/h/anchore-catalog.log", "/ws/logs"} {
		if code, _, _ := getLogs(t, e, address); code != http.StatusForbidden {
			t.Errorf("%s for a user: status %d, want 403", address, code)
		}
	}
}

func TestLogDownloads(t *testing.T) {
	pages := 0
	e := &logEngine{user: logAdmin, lines: func(q engine.LogQuery) (engine.LogPage, error) {
		if !q.Oldest || (pages > 0) != (q.From != nil) || q.Level != "warn" {
			t.Errorf("asked %+v", q)
		}
		pages++
		return engine.LogPage{More: pages < 3, Failed: []engine.LogHostFault{{Host: "far", Reason: "no answer"}}, Last: engine.LogCursor{catalogLog: {Generation: "ab12", Offset: int64(pages)}},
			Lines: []engine.LogLine{logLine(engine.Catalog, "warn", "line", int64(pages))}}, nil
	}}
	code, header, body := getLogs(t, e, "/logs/download?level=warn")
	want := "2026-11-22 13:04:05.006+0000 [h] [catalog] [catalog] [feeds/Run()] [WARN] line\n"
	if code != http.StatusOK || body != "# the log of far is not in here: no answer\n"+strings.Repeat(want, 3) || !strings.Contains(header.Get("Content-Disposition"), "windlass-logs-") {
		t.Errorf("status %d, %v: %q", code, header, body)
	}
	pages = 0
	code, header, body = getLogs(t, e, "/logs/download?level=warn&format=ndjson")
	wantJSON := `{"time":"2026-11-22T13:04:05.006Z","host":"h","service":"catalog","level":"warn","component":"catalog","module":"feeds/Run()","message":"line"}` + "\n"
	if code != http.StatusOK || body != `{"note":"the log of far is not in here: no answer"}`+"\n"+strings.Repeat(wantJSON, 3) || header.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("status %d, %v: %q", code, header, body)
	}
	code, header, body = getLogs(t, e, "/logs/files/h/anchore-catalog.log")
	if code != http.StatusOK || body != "a log" || header.Get("Content-Length") != "5" || header.Get("Content-Disposition") != `attachment; filename="anchore-catalog.log"` {
		t.Errorf("status %d, %v: %q", code, header, body)
	}
}

// TestLogSocket follows over a real connection: rows, a gap, and what happens
// to the source when the browser leaves and when the console stops.
func TestLogSocket(t *testing.T) {
	ended := make(chan struct{}, 2)
	e := &logEngine{user: logAdmin}
	e.follow = func(ctx context.Context, q engine.LogQuery, after engine.LogCursor, each func(engine.LogFrame) error) error {
		defer func() { ended <- struct{}{} }()
		if q.Level != "warn" || after[catalogLog].Offset != 99 {
			t.Errorf("asked for %+v after %v", q, after)
		}
		err := each(engine.LogFrame{Skipped: 1234, Lines: []engine.LogLine{logLine(engine.Catalog, "warn", "<here>", 5)},
			Last: engine.LogCursor{catalogLog: {Generation: "ab12", Offset: 120}}})
		<-ctx.Done()
		return err
	}
	s, err := New(Options{Engine: e})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, ln) }()
	dial := func() *websocket.Conn {
		ws, _, err := websocket.DefaultDialer.Dial("ws://"+ln.Addr().String()+"/ws/logs?level=warn&after=h~catalog-ab12-99",
			http.Header{"Cookie": {session.Cookie + "=token"}})
		if err != nil {
			t.Fatal(err)
		}
		_, body, err := ws.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		var f logFrame
		if err := json.Unmarshal(body, &f); err != nil {
			t.Fatal(err)
		}
		if f.After != "h~catalog-ab12-120" || f.Lines != 1 || f.Skipped != 1234 {
			t.Errorf("frame %+v", f)
		}
		wantParts(t, f.HTML, `<li class="gap">1,234 lines skipped while the viewer was behind <a href="/logs?from=h~catalog-ab12-99&amp;level=warn">Show them</a></li>`, `id="l-h~catalog-ab12-5"`, "&lt;here&gt;")
		return ws
	}
	dial().Close()
	<-ended
	ws := dial()
	stop()
	_, _, err = ws.ReadMessage()
	if !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("at the stop: %v, want 1001", err)
	}
	ws.Close()
	<-ended
	if err := <-served; err != nil {
		t.Error(err)
	}
}

func TestParseLogForm(t *testing.T) {
	zone := time.FixedZone("", 3600)
	at := time.Date(2026, 11, 22, 12, 4, 0, 0, time.UTC)
	tests := map[string]struct {
		in   string
		want present.LogForm
		bad  bool
	}{
		"nothing":            {in: ""},
		"in the zone":        {in: "at=2026-11-22T13:04", want: present.LogForm{At: at}},
		"with a zone":        {in: "at=2026-11-22T12:04:00.000Z", want: present.LogForm{At: at}},
		"a range":            {in: "since=2026-11-22T13:04:00&before=2026-11-22T13:04:00.250", want: present.LogForm{Query: engine.LogQuery{Since: at, Before: at.Add(250 * time.Millisecond)}}},
		"newer lines":        {in: "from=h~catalog-a-1", want: present.LogForm{Query: engine.LogQuery{Oldest: true, From: engine.LogCursor{{Service: "catalog", Host: "h"}: {Generation: "a", Offset: 1}}}}},
		"the order is ours":  {in: "service=analyzer&service=catalog", want: present.LogForm{Query: engine.LogQuery{Services: []string{"catalog", "analyzer"}}}},
		"hosts":              {in: "host=b&host=a&host=b&host=", want: present.LogForm{Query: engine.LogQuery{Hosts: []string{"b", "a"}}}},
		"a line":             {in: "line=h~catalog-a-1", want: present.LogForm{Line: engine.LogCursor{{Service: "catalog", Host: "h"}: {Generation: "a", Offset: 1}}}},
		"a time ago":         {in: "at=2h", want: present.LogForm{At: at.Add(-2 * time.Hour)}},
		"bounds ago":         {in: "since=15m&before=5s", want: present.LogForm{Query: engine.LogQuery{Since: at.Add(-15 * time.Minute), Before: at.Add(-5 * time.Second)}, Ago: map[string]string{"since": "15m", "before": "5s"}}},
		"the beginning":      {in: "at=start", want: present.LogForm{Query: engine.LogQuery{Oldest: true}}},
		"around":             {in: "context=3", want: present.LogForm{Query: engine.LogQuery{Context: 3}}},
		"no number around":   {in: "context=-1", bad: true},
		"a bad moment":       {in: "before=soon", bad: true},
		"a bad position":     {in: "until=catalog", bad: true},
		"a foreign position": {in: "until=h~mail-a-1", bad: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			v, err := url.ParseQuery(tc.in)
			if err != nil {
				t.Fatal(err)
			}
			got, err := parseLogForm(v, present.Clock{Now: at, Zone: zone})
			if tc.bad {
				if !errors.Is(err, engine.ErrInvalid) {
					t.Errorf("got %v, want ErrInvalid", err)
				}
				return
			}
			for _, p := range []*time.Time{&got.At, &got.Query.Since, &got.Query.Before} {
				if !p.IsZero() {
					*p = p.UTC()
				}
			}
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v, %v; want %+v", got, err, tc.want)
			}
		})
	}
}
