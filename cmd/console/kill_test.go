package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"windlass/internal/bff/browsertest"
	"windlass/internal/engine/analyzer"
	"windlass/internal/engine/enginetest"
)

// asChild makes this test program be the program itself, so that a test can
// kill it as a whole.
const asChild = "WINDLASS_TEST_CHILD"

func TestMain(m *testing.M) {
	analyzer.BeChild(os.Args)
	if os.Getenv(asChild) != "" {
		main()
		os.Exit(0)
	}
	browsertest.Main(m)
}

// process is the program as a process of its own.
type process struct {
	program
	cmd *exec.Cmd
}

func spawn(t *testing.T, dir string, more ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0], append([]string{"serve"}, settings(dir, more...)...)...)}
	p.cmd.Env = append(os.Environ(), asChild+"=1", "TMPDIR=/tmp")
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.cmd.Process.Signal(os.Interrupt)
		p.cmd.Wait()
	})
	var text strings.Builder
	r := bufio.NewReader(out)
	for !strings.Contains(text.String(), "Logs:") {
		line, err := r.ReadString('\n')
		if err != nil {
			t.Fatalf("the program ended: %v after %q", err, text.String())
		}
		text.WriteString(line)
	}
	go io.Copy(io.Discard, r)
	p.dir = dir
	p.console, p.api = find(readyLine, text.String()), find(apiLine, text.String())
	raw, err := os.ReadFile(dir + "/admin-password")
	if err != nil {
		t.Fatal(err)
	}
	p.password = strings.TrimSpace(string(raw))
	return p
}

// kill is kill -9. The database notices by itself and stops.
func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.cmd.Wait()
}

// until asks again until what is true, a minute at most.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	limit := time.After(5 * time.Minute)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-limit:
			t.Fatalf("%s: not within five minutes", what)
		case <-tick.C:
		}
	}
}

func TestKilledInMidSync(t *testing.T) {
	feed, more := slowFeed(t)
	dir := dataDir(t)
	flags := []string{"--feeds-url=" + feed, "--feeds-interval=1h"}
	p := spawn(t, dir, flags...)
	type feedState struct {
		Name   string  `json:"name"`
		Last   *string `json:"last_full_sync"`
		Groups []struct {
			Records int `json:"record_count"`
		} `json:"groups"`
	}
	partial := func() bool {
		found, _ := os.ReadDir(dir + "/feeds")
		for _, f := range found {
			if info, err := f.Info(); err == nil && strings.Contains(f.Name(), ".partial") && info.Size() > 0 {
				return true
			}
		}
		return false
	}
	until(t, "a download in hand", partial)
	p.kill(t)
	close(more)

	p = spawn(t, dir, flags...)
	var feeds []feedState
	until(t, "the sync completes by itself", func() bool {
		p.call(t, http.MethodGet, "/system/feeds", "", &feeds)
		for _, f := range feeds {
			if f.Name == "vulnerabilities" && f.Last != nil {
				return true
			}
		}
		return false
	})
	records := 0
	for _, f := range feeds {
		for _, g := range f.Groups {
			records += g.Records
		}
	}
	if records < 100 {
		t.Errorf("%d records are active, want all of the feed's", records)
	}
	if partial() {
		t.Error("a partial download is left")
	}
}

func TestKilledInMidAnalysis(t *testing.T) {
	var hold atomic.Bool
	reached := make(chan struct{}, 16)
	reg := enginetest.Registry(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if hold.Load() && r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
				reached <- struct{}{}
				<-r.Context().Done()
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	image := reg.Push(t, "team/shop:1.0", enginetest.NodePython(t))
	dir := dataDir(t)
	p := spawn(t, dir)
	hold.Store(true)
	var list []struct {
		Digest string `json:"imageDigest"`
		State  string `json:"analysis_status"`
	}
	if code := p.call(t, http.MethodPost, "/images", fmt.Sprintf(`{"tag":%q}`, image), &list); code != http.StatusOK || len(list) != 1 {
		t.Fatalf("POST /images = %d, %v", code, list)
	}
	digest := list[0].Digest
	<-reached
	p.call(t, http.MethodGet, "/images/"+digest, "", &list)
	if list[0].State != "analyzing" {
		t.Fatalf("in mid-analysis the image is %s", list[0].State)
	}
	p.kill(t)
	hold.Store(false)

	p = spawn(t, dir)
	until(t, "the analysis completes by itself", func() bool {
		p.call(t, http.MethodGet, "/images/"+digest, "", &list)
		return list[0].State == "analyzed"
	})
	if left, _ := os.ReadDir(dir + "/spool/jobs"); len(left) != 0 {
		t.Errorf("the killed analysis left %v", left)
	}
}
