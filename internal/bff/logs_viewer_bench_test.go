package bff_test

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
	"windlass/internal/engine/logs"
)

// reel is the log files of this host.
type reel struct {
	*enginetest.Fake
	*logs.Set
}

func (r reel) LogLines(ctx context.Context, q engine.LogQuery) (engine.LogPage, error) {
	return r.Tail(ctx, q)
}

func (r reel) FollowLogs(ctx context.Context, q engine.LogQuery, after engine.LogCursor, each func(engine.LogFrame) error) error {
	return r.Follow(ctx, q, after, each)
}

func (r reel) LogFiles(context.Context) ([]engine.LogFile, []engine.LogHostFault, error) {
	files, err := r.Files()
	return files, nil, err
}

func (r reel) OpenLogFile(_ context.Context, _, name string) (engine.LogFile, io.ReadCloser, error) {
	return r.Open(name)
}

func newReel(b *testing.B) (reel, string) {
	dir := b.TempDir()
	set, err := logs.Open(dir, "host-1", logs.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { set.Close() })
	return reel{enginetest.New(), set}, dir
}

// watchLog counts, in the browser, what comes into the list, and how long each
// picture took.
const watchLog = `(() => {
	const seen = window.seen = {rows: 0, passed: 0, frames: [], last: ""};
	new MutationObserver((list) => {
		for (const m of list) for (const li of m.addedNodes) {
			if (li.id) { seen.rows++; seen.last = li.querySelector(".m").textContent; }
			else if (li.className === "gap") seen.passed += Number(li.textContent.match(/^[\d,]+/)?.[0].replaceAll(",", "") ?? NaN);
		}
	}).observe(document.getElementById("log"), {childList: true});
	let last = performance.now();
	const tick = (now) => { seen.frames.push(now - last); last = now; requestAnimationFrame(tick); };
	requestAnimationFrame(tick);
	return true;
})()`

// BenchmarkLogViewer has 20,000 lines a second written for five seconds while a
// browser follows: how long its pictures take, how many lines it shows, and
// whether each of the others is counted as passed.
func BenchmarkLogViewer(b *testing.B) {
	const rate, seconds = 20_000, 5
	for range b.N {
		r, _ := newReel(b)
		c := start(b, bff.Options{Engine: r})
		p := browsertest.Open(b)
		p.Login(c.url, "admin", enginetest.Password)
		p.Goto(c.url + "/logs")
		p.Wait(`document.getElementById("logs-state").textContent === "Following"`)
		browsertest.Eval[bool](p, watchLog)
		log := r.Logger(engine.Catalog)
		began, tick := time.Now(), time.NewTicker(time.Millisecond)
		for n := 0; n < rate*seconds; <-tick.C {
			for due := int(time.Since(began).Seconds() * rate); n < due && n < rate*seconds; n++ {
				log.Info("layer fetched", "digest", "sha256:0be667e0", "bytes", 29127341, "took", "412ms")
			}
		}
		tick.Stop()
		took := time.Since(began)
		log.Info("the end")
		p.Wait(`window.seen.last.includes("the end")`)
		const share = `(s => s.frames.toSorted((a, b) => a - b)[Math.floor(s.frames.length * %s)])(window.seen)`
		for name, at := range map[string]string{"p50": "0.5", "p95": "0.95", "p99": "0.99"} {
			b.ReportMetric(browsertest.Eval[float64](p, strings.Replace(share, "%s", at, 1)), name+"-frame-ms")
		}
		b.ReportMetric(browsertest.Eval[float64](p, `Math.max(...window.seen.frames)`), "max-frame-ms")
		rows, passed := browsertest.Eval[float64](p, `window.seen.rows`), browsertest.Eval[float64](p, `window.seen.passed`)
		b.ReportMetric(rate*seconds/took.Seconds(), "lines/s")
		b.ReportMetric(rows, "shown")
		b.ReportMetric(passed, "passed")
		b.ReportMetric(rate*seconds+1-rows-passed, "unaccounted")
	}
}

// BenchmarkLogPage opens the page over a log of 1 GiB.
func BenchmarkLogPage(b *testing.B) {
	r, dir := newReel(b)
	log := r.Logger(engine.Catalog)
	path := filepath.Join(dir, engine.LogFileNames[engine.Catalog])
	log.Info("the first line")
	if err := os.Truncate(path, 1<<30); err != nil { // a hole, which is read like any bytes
		b.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	line := "\n" + time.Now().UTC().Format("2006-01-02 15:04:05.000-0700") + " [-] [catalog] [catalog/Run()] [INFO] layer fetched digest=sha256:0be667e0 bytes=29127341 took=412ms"
	if _, err := f.WriteString(strings.Repeat(line, 5000) + "\n"); err != nil {
		b.Fatal(err)
	}
	c := start(b, bff.Options{Engine: r})
	c.login()
	for b.Loop() {
		resp, err := c.http.Get(c.url + "/logs")
		if err != nil {
			b.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK || n < 100_000 {
			b.Fatalf("%d, %v: %d bytes", resp.StatusCode, err, n)
		}
	}
}
