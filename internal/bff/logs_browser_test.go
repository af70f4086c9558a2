package bff_test

import (
	"context"
	"fmt"
	"io"
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
	mu    sync.Mutex
	lines []engine.LogLine
	wake  chan struct{}
}

var tapeLog = engine.LogSource{Service: engine.Catalog, Host: "host-1"}

func newTape() *tape { return &tape{Fake: enginetest.New(), wake: make(chan struct{})} }

func (e *tape) log(service, level, text string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.lines = append(e.lines, engine.LogLine{Service: service, Host: "host-1", Level: level, Text: text, At: time.Now(),
		Component: service, Module: "feeds/Run()", File: "anchore-catalog.log", Generation: "ab12", Offset: int64(len(e.lines))})
	close(e.wake)
	e.wake = make(chan struct{})
}

func (e *tape) cursor() engine.LogCursor {
	return engine.LogCursor{tapeLog: {Generation: "ab12", Offset: int64(len(e.lines))}}
}

func (e *tape) LogLines(_ context.Context, q engine.LogQuery) (engine.LogPage, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	page := engine.LogPage{Last: e.cursor(), More: true}
	for _, l := range e.lines {
		if strings.Contains(l.Text, q.Text) && l.At.Compare(q.Since) >= 0 && (q.Before.IsZero() || l.At.Before(q.Before)) {
			page.Lines = append(page.Lines, l)
		}
	}
	return page, nil
}

func (e *tape) FollowLogs(ctx context.Context, q engine.LogQuery, after engine.LogCursor, each func(engine.LogFrame) error) error {
	for next := after[tapeLog].Offset; ; {
		e.mu.Lock()
		f, wake := engine.LogFrame{Last: e.cursor()}, e.wake
		for _, l := range e.lines[next:] {
			if strings.Contains(l.Text, q.Text) {
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
	return []engine.LogFile{{Service: engine.Catalog, Name: "anchore-catalog.log", Bytes: 8_123_456, ModTime: time.Now(), Current: true},
		{Service: engine.Catalog, Name: "anchore-catalog-2026-11-22T10-00-19.000-size.log", Bytes: 9_999_870, ModTime: time.Now().Add(-time.Hour)}}, nil, nil
}

func (e *tape) OpenLogFile(context.Context, string, string) (engine.LogFile, io.ReadCloser, error) {
	return engine.LogFile{}, nil, engine.ErrNotFound
}

// TestLogViewer follows a log, pauses, reads upward, and opens one line among
// its neighbours.
func TestLogViewer(t *testing.T) {
	e := newTape()
	for i := range 60 {
		e.log(engine.Analyzer, "info", fmt.Sprintf("layer fetched n=%d bytes=29127341 took=412ms", i))
	}
	e.log(engine.Analyzer, "warn", `layer read retry n=3 cause="connection reset by peer"`)
	e.log(engine.Catalog, "error", "analysis failed digest=sha256:0be667e0 stage=pull cause=registry_io")
	c := start(t, bff.Options{Engine: e})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/logs")
	p.Live()
	const last = `document.querySelector("#log li:last-child .m").textContent`
	const state = `document.getElementById("logs-state").textContent`
	const more = `document.querySelector("[data-logs-count]").textContent`
	p.Wait(state + ` === "Following"`)
	p.Looks("logs")
	if over := browsertest.Eval[float64](p, `document.documentElement.scrollHeight - document.querySelector(".log-files").getBoundingClientRect().bottom - scrollY`); over > 200 {
		t.Errorf("the page goes on for %v px below its end", over)
	}

	e.log(engine.PolicyEngine, "info", "feeds sync done n=1")
	p.Wait(last + ` === "feeds sync done n=1"`)
	p.Wait(`(l => l.scrollHeight - l.scrollTop - l.clientHeight < 2)(document.getElementById("log"))`)

	p.Click("[data-logs-pause]")
	p.Wait(state + ` === "Paused"`)
	for i := range 30 {
		e.log(engine.Catalog, "info", fmt.Sprintf("held n=%d", i))
	}
	p.Wait(more + `.startsWith("30 new lines held back")`)
	if got := browsertest.Eval[string](p, last); got != "feeds sync done n=1" {
		t.Errorf("while paused the list went on to %q", got)
	}
	p.Click("[data-logs-pause]")
	p.Wait(last + ` === "held n=29"`)

	browsertest.Eval[float64](p, `document.getElementById("log").scrollTop = 0`)
	e.log(engine.Catalog, "info", "written below")
	p.Wait(more + `.startsWith("1 new line")`)
	if top := browsertest.Eval[float64](p, `document.getElementById("log").scrollTop`); top != 0 {
		t.Errorf("the list moved under the reader, to %v", top)
	}
	p.Click("[data-logs-end]")
	p.Wait(last + ` === "written below"`)

	p.Goto(c.url + "/logs?text=reset")
	p.Live()
	browsertest.Eval[bool](p, `document.querySelector("#log li[id] a").click() ?? true`)
	p.Wait(`document.querySelector("#log li:target mark, #log li:target .m")?.textContent.includes("reset")`)
	p.Looks("logs-line")

	p.Goto(c.url + "/logs")
	p.Wait(state + ` === "Following"`)
	for i := range 2500 {
		e.log(engine.SimpleQueue, "debug", fmt.Sprintf("many n=%d", i))
	}
	p.Wait(last + ` === "many n=2499"`)
	if n := browsertest.Eval[float64](p, `document.getElementById("log").childElementCount`); n > 2000 {
		t.Errorf("%v rows in the page", n)
	}
}
