package bff_test

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// tape is a log in memory. A line's number is its offset.
type tape struct {
	*enginetest.Fake
	mu     sync.Mutex
	lines  []engine.LogLine
	failed []engine.LogHostFault
	wake   chan struct{}
}

var tapeLog = engine.LogSource{Service: engine.Catalog, Host: "host-1"}

func newTape() *tape { return &tape{Fake: enginetest.New(), wake: make(chan struct{})} }

func (e *tape) log(service, level, text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	host := "host-1"
	if service == engine.Analyzer {
		host = "host-2"
	}
	e.lines = append(e.lines, engine.LogLine{Service: service, Host: host, Level: level, Text: text, At: time.Now(),
		Component: service, Module: "feeds/Run()", File: "anchore-catalog.log", Generation: "ab12", Offset: int64(len(e.lines))})
	close(e.wake)
	e.wake = make(chan struct{})
}

func (e *tape) cursor() engine.LogCursor {
	return engine.LogCursor{tapeLog: {Generation: "ab12", Offset: int64(len(e.lines))}}
}

// fits reports whether a query asks for a line.
func fits(q engine.LogQuery, l engine.LogLine) bool {
	return strings.Contains(l.Text, q.Text) && (len(q.Services) == 0 || slices.Contains(q.Services, l.Service)) &&
		(len(q.Hosts) == 0 || slices.Contains(q.Hosts, l.Host)) && (q.Level == "" || q.Level == l.Level) &&
		l.At.Compare(q.Since) >= 0 && (q.Before.IsZero() || l.At.Before(q.Before))
}

func (e *tape) LogLines(_ context.Context, q engine.LogQuery) (engine.LogPage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if q.Regex {
		if _, err := regexp.Compile(q.Text); err != nil {
			return engine.LogPage{}, engine.Invalidf("The search pattern %q cannot be used: missing closing ).", q.Text)
		}
	}
	page := engine.LogPage{Last: e.cursor(), Failed: e.failed}
	from, until, limit := int64(0), int64(len(e.lines)), q.Limit
	for _, p := range q.From {
		from = p.Offset
	}
	for _, p := range q.Until {
		until = p.Offset
	}
	if limit == 0 {
		limit = 500
	}
	for _, l := range e.lines[from:until] {
		if fits(q, l) {
			page.Lines = append(page.Lines, l)
		}
	}
	over := len(page.Lines) - limit
	page.More = over > 0
	if over > 0 && q.Oldest {
		page.Lines = page.Lines[:limit]
		page.Last = engine.LogCursor{tapeLog: {Generation: "ab12", Offset: page.Lines[limit-1].Offset + 1}}
	} else if over > 0 {
		page.Lines = page.Lines[over:]
	}
	if len(page.Lines) > 0 {
		page.First = engine.LogCursor{tapeLog: page.Lines[0].Position()}
	}
	return page, nil
}

func (e *tape) FollowLogs(ctx context.Context, q engine.LogQuery, after engine.LogCursor, each func(engine.LogFrame) error) error {
	for next := after[tapeLog].Offset; ; {
		e.mu.Lock()
		f, wake := engine.LogFrame{Last: e.cursor()}, e.wake
		for _, l := range e.lines[next:] {
			if fits(q, l) {
				f.Lines = append(f.Lines, l)
			}
		}
		next = int64(len(e.lines))
		e.mu.Unlock()
		if len(f.Lines) > 0 {
			if err := each(f); err != nil {
				return err
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-wake:
		}
	}
}

func (e *tape) LogFiles(context.Context) ([]engine.LogFile, []engine.LogHostFault, error) {
	return []engine.LogFile{{Service: engine.Catalog, Host: "host-1", Name: "anchore-catalog.log", Bytes: 8_123_456, ModTime: time.Now(), Current: true},
			{Service: engine.Catalog, Host: "host-1", Name: "anchore-catalog-2026-11-22T10-00-19.000-size.log", Bytes: 9_999_870, ModTime: time.Now().Add(-time.Hour)}},
		[]engine.LogHostFault{{Host: "host-2", Reason: "nothing answers at http://10.0.0.7:8084"}}, nil
}

func (e *tape) OpenLogFile(context.Context, string, string) (engine.LogFile, io.ReadCloser, error) {
	return engine.LogFile{}, nil, engine.ErrNotFound
}

// TestLogViewer follows a log, pauses, reads upward, filters while typing,
// walks by keys, and opens one line among its neighbours.
func TestLogViewer(t *testing.T) {
	e := newTape()
	e.Records = append(e.Records, engine.Service{Name: engine.Analyzer, Host: "host-2", State: engine.ServiceAvailable})
	for i := range 600 {
		e.log(engine.Analyzer, "info", fmt.Sprintf("layer fetched n=%d bytes=29127341 took=412ms", i))
	}
	e.log(engine.Analyzer, "warn", `layer read retry n=3 cause="connection reset by peer" body="{\"code\":\"UNAVAILABLE\",\"retry\":true}"`)
	e.log(engine.Catalog, "info", "foreign \x1b[31mred\x1b[0m \u202egnp.exe <script>alert(1)</script> "+strings.Repeat("long ", 1000))
	e.log(engine.Catalog, "error", "analysis failed digest=sha256:0be667e0 stage=pull cause=registry_io")
	c := start(t, bff.Options{Engine: e})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/logs")
	p.Live()
	const last = `document.querySelector("#log li:last-child .m").textContent`
	const state = `document.getElementById("logs-state").textContent`
	const more = `document.querySelector("[data-logs-count]").textContent`
	const rows = `document.querySelectorAll("#log li[id]").length`
	p.Wait(state + ` === "Following"`)
	p.Shot("logs-hostile") // the walk over all pages looks at the rest

	e.log(engine.PolicyEngine, "info", "feeds sync done n=1")
	p.Wait(last + `.trim() === "feeds sync done n=1"`)
	p.Wait(`(l => l.scrollHeight - l.scrollTop - l.clientHeight < 2)(document.getElementById("log"))`)

	p.Click("[data-logs-pause]")
	p.Wait(state + ` === "Paused"`)
	for i := range 30 {
		e.log(engine.Catalog, "info", fmt.Sprintf("held n=%d", i))
	}
	p.Wait(more + `.startsWith("30 new lines held back")`)
	if got := strings.TrimSpace(browsertest.Eval[string](p, last)); got != "feeds sync done n=1" {
		t.Errorf("while paused the list went on to %q", got)
	}
	p.Click("[data-logs-pause]")
	p.Wait(last + `.trim() === "held n=29"`)

	// Upward: new lines gather, and older ones come without moving the others.
	browsertest.Eval[float64](p, `document.getElementById("log").scrollTop = 0`)
	e.log(engine.Catalog, "info", "written below")
	p.Wait(more + `.startsWith("1 new line")`)
	if top := browsertest.Eval[float64](p, `document.getElementById("log").scrollTop`); top != 0 {
		t.Errorf("the list moved under the reader, to %v", top)
	}
	browsertest.Eval[bool](p, `(window.first = document.querySelector("#log li[id]"), window.top0 = window.first.getBoundingClientRect().top, true)`)
	p.Click("[data-logs-older] a")
	p.Wait(rows + ` > 620`)
	if moved := browsertest.Eval[float64](p, `Math.abs(window.first.getBoundingClientRect().top - window.top0)`); moved > 30 {
		t.Errorf("older lines moved those that were read by %v px", moved)
	}
	if n := browsertest.Eval[float64](p, `new Set([...document.querySelectorAll("#log li[id]")].map(l => l.id)).size - `+rows); n != 0 {
		t.Errorf("%v rows are there twice", -n)
	}
	p.Click("[data-logs-end]")
	p.Wait(last + `.trim() === "written below"`)

	// The filters apply as they are typed, and half an expression is no end.
	p.Click("[name=regex]")
	p.Wait(`location.search.includes("regex=1")`)
	p.Type("[name=text]", "layer (")
	p.Wait(`document.querySelector("#logs-view .note.bad")?.textContent.includes("missing closing )")`)
	p.Forgive(func(m string) bool { return strings.Contains(m, "400 (Bad Request)") })
	p.Click("[name=regex]")
	browsertest.Eval[bool](p, `(t => (t.value = "reset", t.dispatchEvent(new InputEvent("input", {bubbles: true}))))(document.querySelector("[name=text]"))`)
	p.Wait(rows + ` === 1 && document.querySelector("#log mark")?.textContent === "reset"`)
	p.Wait(state + ` === "Following"`)
	e.log(engine.Catalog, "info", "passed over")
	e.log(engine.Catalog, "info", "stream reset")
	p.Wait(rows + ` === 2`)

	// By keys: to the hit, its fields, its address.
	browsertest.Eval[bool](p, `(document.activeElement.blur(), true)`)
	p.Keys("N")
	p.Wait(`document.activeElement.closest("#log li.now mark") === null && document.activeElement.closest("#log li.now") !== null`)
	p.Keys("k")
	p.Keys("\r")
	p.Wait(`document.querySelector("#log li.now .log-detail dd pre")?.textContent.includes('"retry": true')`)
	p.Looks("logs-open")
	p.Click("#log .log-detail [data-logs-link]")
	p.Wait(`document.querySelector("#log li.aim .m")?.textContent.includes("reset") && document.querySelector(".log-line dt") !== null`)

	e.Set(func() {
		e.failed = []engine.LogHostFault{{Host: "host-2", Reason: "nothing answers at http://10.0.0.7:8084"}}
	})
	p.Goto(c.url + "/logs?host=host-1")
	p.Wait(state + ` === "Following"`)
	p.Wait(`document.querySelector(".log-note").textContent.includes("nothing answers")`)
	for i := range 2500 {
		e.log(engine.SimpleQueue, "debug", fmt.Sprintf("many n=%d", i))
	}
	p.Wait(last + `.trim() === "many n=2499"`)
	if n := browsertest.Eval[float64](p, `document.getElementById("log").childElementCount`); n > 2000 {
		t.Errorf("%v rows in the page", n)
	}
}
