//go:build bench

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"windlass/internal/bff/browsertest"
	"windlass/internal/engine/enginetest"
)

// rounds of each measurement; baseline and program take turns, so that noise
// of the machine falls on both.
const rounds = 7

// The benchmark runs the built program (bin/console) as a child, beside the
// upstream command line tool on the same registry, feed and machine, and prints
// ratios. WINDLASS_GRYPE names that tool; without it only own figures print.
func TestBench(t *testing.T) {
	bin, err := filepath.Abs("../../bin/console")
	if err != nil {
		t.Fatal(err)
	}
	feed := httptest.NewServer(http.FileServer(http.Dir(enginetest.Shared(t, "data/feed"))))
	defer feed.Close()
	reg := enginetest.Registry(t)
	image := reg.PushArchive(t, "debian12-app:latest", enginetest.Shared(t, "data/images/debian12-app.oci.tar"))

	c := startChild(t, bin, dataDir(t), feed.URL)
	c.awaitUp(t)
	c.awaitFeeds(t)
	report("start to ready, first start with initdb", c.ready)

	g := grype{bin: os.Getenv("WINDLASS_GRYPE"), dir: t.TempDir(), feed: feed.URL}
	var own, base []time.Duration
	g.update(t)
	for i := range rounds {
		base = append(base, g.scan(t, image))
		own = append(own, c.analyze(t, image, i > 0))
	}
	compare("full analysis end to end, debian12-app", own, base, 1.5)

	own, base = nil, nil
	for range 3 {
		base = append(base, g.update(t))
		own = append(own, c.sync(t))
	}
	compare("feed update, same archive", own, base, 1.15)

	c.settle(t)
	c.vulnerabilities(t, image)
	c.eventsOnScreen(t)
	c.stop()

	var restarts []time.Duration
	var again *child
	for range 5 {
		again = startChild(t, bin, c.dir, feed.URL)
		restarts = append(restarts, again.ready)
		again.stop()
	}
	report("start to ready, initialised (limit 1.5 s)", median(restarts))

	again = startChild(t, bin, c.dir, feed.URL)
	again.awaitUp(t)
	time.Sleep(20 * time.Second) // settle: what is measured is idleness
	fmt.Printf("%-52s %6.0f MB\n", "idle memory, PostgreSQL included (limit 300 MB)", float64(again.memory(t))/1e6)
	again.stop()
}

type child struct {
	program
	cmd   *exec.Cmd
	ready time.Duration
	stop  func()
}

func startChild(t *testing.T, bin, dir, feed string, more ...string) *child {
	t.Helper()
	args := append([]string{"serve"}, settings(dir, append([]string{"--feeds-interval=24h", "--feeds-url=" + feed}, more...)...)...)
	c := &child{cmd: exec.Command(bin, args...)}
	c.dir = dir
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.cmd.Stderr = os.Stderr
	began := time.Now()
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c.stop = func() {
		c.cmd.Process.Signal(syscall.SIGTERM)
		c.cmd.Wait()
	}
	t.Cleanup(func() { c.cmd.Process.Kill() })
	r := bufio.NewReader(out)
	var text strings.Builder
	for !strings.Contains(text.String(), "Logs:") {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("the program ended: %v after %q", err, text.String())
		}
		text.WriteString(line)
	}
	c.ready = time.Since(began)
	go io.Copy(io.Discard, r)
	c.console, c.api = find(readyLine, text.String()), find(apiLine, text.String())
	raw, err := os.ReadFile(filepath.Join(dir, "admin-password"))
	if err != nil {
		t.Fatal(err)
	}
	c.password = strings.TrimSpace(string(raw))
	return c
}

func (c *child) awaitFeeds(t *testing.T) {
	t.Helper()
	for limit := time.Now().Add(5 * time.Minute); time.Now().Before(limit); time.Sleep(100 * time.Millisecond) {
		var feeds []struct {
			Name string  `json:"name"`
			Last *string `json:"last_full_sync"`
		}
		c.call(t, http.MethodGet, "/system/feeds", "", &feeds)
		if slices.ContainsFunc(feeds, func(f struct {
			Name string  `json:"name"`
			Last *string `json:"last_full_sync"`
		}) bool {
			return f.Name == "vulnerabilities" && f.Last != nil
		}) {
			return
		}
	}
	t.Fatal("feeds did not sync")
}

// analyze adds an image, by force when it is known, and waits until it is
// analyzed.
func (c *child) analyze(t *testing.T, image string, force bool) time.Duration {
	t.Helper()
	began := time.Now()
	var list []struct {
		Digest string `json:"imageDigest"`
		State  string `json:"analysis_status"`
	}
	if code := c.call(t, http.MethodPost, "/images?force="+strconv.FormatBool(force), fmt.Sprintf(`{"tag":%q}`, image), &list); code != http.StatusOK {
		t.Fatalf("POST /images = %d", code)
	}
	for {
		c.call(t, http.MethodGet, "/images/"+list[0].Digest, "", &list)
		switch list[0].State {
		case "analyzed":
			return time.Since(began)
		case "analysis_failed":
			t.Fatal("the analysis failed")
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (c *child) sync(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	if code := c.call(t, http.MethodPost, "/system/feeds?flush=true", "", nil); code != http.StatusOK {
		t.Fatalf("POST /system/feeds = %d", code)
	}
	return time.Since(began)
}

// settle waits until nothing is matched again after the syncs: what follows
// measures answers, not the work behind them.
func (c *child) settle(t *testing.T) {
	t.Helper()
	re := regexp.MustCompile(`anchore_queue_length\{[^}]*\} [1-9]`)
	until(t, "the queues are empty", func() bool {
		resp, err := http.Get(c.console + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return err == nil && !re.Match(text)
	})
}

// eventsOnScreen measures from the time that an event bears, taken before its
// commit, to the moment its row stands in a browser's page.
func (c *child) eventsOnScreen(t *testing.T) {
	t.Helper()
	p := browsertest.Open(t)
	p.Forgive(func(string) bool { return true }) // it measures; the tests judge
	p.Login(c.console, "admin", c.password)
	p.Goto(c.console + "/events")
	p.Live()
	browsertest.Eval[bool](p, `(window.seen = {}, new MutationObserver(() => {
		for (const r of document.querySelectorAll("#events-rows tr")) window.seen[r.id] ??= Date.now()
		const pill = document.querySelector("[data-newrows]"); if (pill && !pill.hidden) pill.click()
	}).observe(document.body, {subtree: true, childList: true, attributes: true, characterData: true}), true)`)
	var took []time.Duration
	for i := range 40 {
		c.call(t, http.MethodPost, "/images", fmt.Sprintf(`{"tag":"127.0.0.1:9/nobody:%d"}`, i), nil)
		var list struct {
			Results []struct {
				ID    string `json:"generated_uuid"`
				Event struct {
					At time.Time `json:"timestamp"`
				} `json:"event"`
			} `json:"results"`
		}
		c.call(t, http.MethodGet, "/events?limit=1", "", &list)
		id := "event-" + list.Results[0].ID
		p.Wait(fmt.Sprintf("window.seen[%q]", id))
		seen := time.UnixMilli(browsertest.Eval[int64](p, fmt.Sprintf("window.seen[%q]", id)))
		took = append(took, seen.Sub(list.Results[0].Event.At))
	}
	slices.Sort(took)
	report("event on screen after its commit, p50", took[len(took)/2])
	report("event on screen after its commit, p95 (limit 250 ms)", took[len(took)*95/100])
}

// vulnerabilities measures the largest image's list of matches.
func (c *child) vulnerabilities(t *testing.T, image string) {
	t.Helper()
	var list []struct {
		Digest string `json:"imageDigest"`
	}
	c.call(t, http.MethodGet, "/images?fulltag="+image, "", &list)
	var took []time.Duration
	for range 500 {
		began := time.Now()
		c.call(t, http.MethodGet, "/images/"+list[0].Digest+"/vuln/all", "", nil)
		took = append(took, time.Since(began))
	}
	slices.Sort(took)
	report("GET /images/{digest}/vuln/all p50", took[len(took)/2])
	report("GET /images/{digest}/vuln/all p99 (limit 20 ms)", took[len(took)*99/100])
}

// memory is the proportional set size of the program and all its children.
func (c *child) memory(t *testing.T) int64 {
	t.Helper()
	var sum int64
	for _, pid := range family(c.cmd.Process.Pid) {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue
		}
		if m := regexp.MustCompile(`(?m)^Pss:\s+(\d+) kB`).FindSubmatch(raw); m != nil {
			kb, _ := strconv.ParseInt(string(m[1]), 10, 64)
			sum += kb * 1024
		}
	}
	return sum
}

func family(pid int) []int {
	all := []int{pid}
	raw, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	for _, f := range tasks {
		more, _ := os.ReadFile(f)
		raw = append(append(raw, ' '), more...)
	}
	seen := map[int]bool{}
	for _, f := range bytes.Fields(raw) {
		if n, err := strconv.Atoi(string(f)); err == nil && !seen[n] {
			seen[n] = true
			all = append(all, family(n)...)
		}
	}
	return all
}

// grype is the upstream command line tool with a database of its own.
type grype struct{ bin, dir, feed string }

func (g grype) run(t *testing.T, args ...string) time.Duration {
	t.Helper()
	if g.bin == "" {
		return 0
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, g.bin, args...)
	cmd.Env = append(os.Environ(), "GRYPE_DB_UPDATE_URL="+g.feed, "GRYPE_DB_CACHE_DIR="+g.dir, "GRYPE_DB_VALIDATE_AGE=false",
		"GRYPE_DB_MAX_UPDATE_CHECK_FREQUENCY=0", "GRYPE_CHECK_FOR_APP_UPDATE=false", "GRYPE_REGISTRY_INSECURE_USE_HTTP=true")
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("grype %v: %v: %.2000s", args, err, out)
	}
	return time.Since(began)
}

func (g grype) scan(t *testing.T, image string) time.Duration {
	cmd := os.Getenv("GRYPE_DB_AUTO_UPDATE")
	os.Setenv("GRYPE_DB_AUTO_UPDATE", "false") // its database is in place
	defer os.Setenv("GRYPE_DB_AUTO_UPDATE", cmd)
	return g.run(t, "registry:"+image, "-o", "json", "-q")
}

func (g grype) update(t *testing.T) time.Duration {
	if err := os.RemoveAll(g.dir); err != nil {
		t.Fatal(err)
	}
	return g.run(t, "db", "update")
}

func median(d []time.Duration) time.Duration {
	d = slices.Sorted(slices.Values(d))
	return d[len(d)/2]
}

func report(what string, d time.Duration) {
	fmt.Printf("%-52s %9s\n", what, d.Round(100*time.Microsecond))
}

func compare(what string, own, base []time.Duration, limit float64) {
	o, b := median(own), median(base)
	if b == 0 {
		report(what, o)
		return
	}
	fmt.Printf("%-52s %9s  grype %9s  ratio %.2f (limit %.2f)\n", what, o.Round(time.Millisecond), b.Round(time.Millisecond), o.Seconds()/b.Seconds(), limit)
}
