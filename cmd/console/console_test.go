package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// program is the whole of it in this process: built-in database, five
// services, API and console, as run starts it.
type program struct {
	console, api string // base addresses
	dir          string
	password     string
	stop         func() error
}

// lines collects what the program prints and tells when a text has come.
type lines struct {
	mu   sync.Mutex
	b    bytes.Buffer
	more chan struct{}
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.b.Write(p)
	select {
	case l.more <- struct{}{}:
	default:
	}
	return n, err
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// dataDir is a folder that the unprivileged owner of the database can reach. It
// stands in /tmp itself: a program that runs moves the process's folder for
// temporary files into its own spool.
func dataDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "wl-run")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o711); err != nil {
		t.Fatal(err)
	}
	return dir
}

// settings are the flags of a program that takes only free ports and asks
// nobody outside.
func settings(dir string, more ...string) []string {
	return append([]string{
		"--addr=127.0.0.1:0", "--api-addr=127.0.0.1:0", "--catalog-addr=127.0.0.1:0", "--queue-addr=127.0.0.1:0",
		"--analyzer-addr=127.0.0.1:0", "--policy-addr=127.0.0.1:0", "--data-dir=" + dir, "--host-id=test-host",
		"--feeds-interval=0", "--feeds-url=http://127.0.0.1:9",
	}, more...)
}

var (
	readyLine    = regexp.MustCompile(`Windlass is ready: (http://\S+)`)
	apiLine      = regexp.MustCompile(`v1 API:\s+(http://\S+)/v1`)
	passwordLine = regexp.MustCompile(`Sign in as:\s+admin\s+(\S+)`)
)

// start runs the program until the test ends or stop is called.
func start(t testing.TB, dir string, more ...string) *program {
	t.Helper()
	t.Setenv("TMPDIR", "/tmp") // the program moves it into its spool, which ends with the test
	ctx, cancel := context.WithCancel(context.Background())
	out := &lines{more: make(chan struct{}, 1)}
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, settings(dir, more...), out, io.Discard) }()
	limit := time.After(5 * time.Minute)
	for !strings.Contains(out.String(), "Logs:") {
		select {
		case <-out.more:
		case err := <-ended:
			cancel()
			t.Fatalf("the program ended: %v; it printed %q", err, out)
		case <-limit:
			cancel()
			t.Fatalf("the program is not ready; it printed %q", out)
		}
	}
	stop := sync.OnceValue(func() error {
		cancel()
		return <-ended
	})
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	p := &program{dir: dir, stop: stop}
	text := out.String()
	p.console, p.api = find(readyLine, text), find(apiLine, text)
	if p.password = find(passwordLine, text); p.password == "" {
		raw, err := os.ReadFile(filepath.Join(dir, "admin-password"))
		if err != nil && p.api != "" {
			t.Fatal(err)
		}
		p.password = strings.TrimSpace(string(raw))
	}
	return p
}

func find(re *regexp.Regexp, text string) string {
	if m := re.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// call asks the API and decodes its answer into to, unless that is nil.
func (p *program) call(t testing.TB, method, path, body string, to any) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, p.api+"/v1"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", p.password)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if to != nil {
		if err := json.Unmarshal(raw, to); err != nil {
			t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return resp.StatusCode
}

type serviceState struct {
	Name   string `json:"servicename"`
	URL    string `json:"base_url"`
	Status bool   `json:"status"`
	Detail struct {
		Up bool `json:"up"`
	} `json:"service_detail"`
}

// awaitUp asks until all five services are up, as system wait does.
func (p *program) awaitUp(t testing.TB) []serviceState {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		var answer struct {
			States []serviceState `json:"service_states"`
		}
		if code := p.call(t, http.MethodGet, "/system", "", &answer); code != http.StatusOK {
			t.Fatalf("GET /system = %d", code)
		}
		up := 0
		for _, s := range answer.States {
			if s.Status && s.Detail.Up {
				up++
			}
		}
		if up == 5 {
			return answer.States
		}
		select {
		case <-ctx.Done():
			t.Fatalf("not all services came up: %+v", answer.States)
		case <-tick.C:
		}
	}
}

func TestStartStopAndStartAgain(t *testing.T) {
	dir := dataDir(t)
	p := start(t, dir)
	for _, s := range p.awaitUp(t) {
		resp, err := http.Get(s.URL + "/health")
		if err != nil {
			t.Errorf("%s does not answer at its base_url: %v", s.Name, err)
			continue
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s answers %d at %s", s.Name, resp.StatusCode, s.URL)
		}
	}
	if code := p.call(t, http.MethodPost, "/registries?validate=false", `{"registry":"r.example","registry_user":"u","registry_pass":"p","registry_type":"docker_v2","registry_verify":true}`, nil); code != http.StatusOK {
		t.Fatalf("POST /registries = %d", code)
	}
	if err := p.stop(); err != nil {
		t.Fatalf("stop: %v", err)
	}

	again := start(t, dir)
	again.awaitUp(t)
	var registries []map[string]any
	if code := again.call(t, http.MethodGet, "/registries", "", &registries); code != http.StatusOK || len(registries) != 1 {
		t.Errorf("after the restart GET /registries = %d, %v; want the one stored before", code, registries)
	}
	var events struct {
		Results []struct {
			Event struct {
				Type string `json:"type"`
			} `json:"event"`
		} `json:"results"`
	}
	again.call(t, http.MethodGet, "/events?event_type=system.service.*", "", &events)
	if len(events.Results) != 0 {
		t.Errorf("an ordinary restart made service events: %+v", events.Results)
	}
}

func TestWrongPasswordIsRefused(t *testing.T) {
	p := start(t, dataDir(t))
	p.password = "wrong"
	if code := p.call(t, http.MethodGet, "/images", "", nil); code != http.StatusUnauthorized {
		t.Errorf("GET /images with a wrong password = %d, want 401", code)
	}
}

// What is wrong at the start is said in one message that names the setting.
func TestStartSaysWhatIsWrong(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	misspelled := filepath.Join(dataDir(t), "analyzer.yaml")
	if err := os.WriteFile(misspelled, []byte("secret_search: {regexp: []}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args []string
		want []string
	}{
		"several bad settings at once": {
			[]string{"--services=apiext,kitchen", "--web=maybe", "--feeds-url=ftp://x"},
			[]string{"CONSOLE_SERVICES", "kitchen", "CONSOLE_WEB", "CONSOLE_FEEDS_URL"},
		},
		"the console's port is taken":       {[]string{"--addr=" + taken.Addr().String()}, []string{"CONSOLE_ADDR", "in use"}},
		"a service's port is taken":         {[]string{"--policy-addr=" + taken.Addr().String()}, []string{"CONSOLE_POLICY_ADDR", "in use"}},
		"no database there":                 {[]string{"--database-url=postgres://u:secret@127.0.0.1:9/x"}, []string{"CONSOLE_DATABASE_URL"}},
		"no such PostgreSQL":                {[]string{"--postgres-bin=/nowhere"}, []string{"CONSOLE_POSTGRES_BIN"}},
		"no such folder of bundles":         {[]string{"--policy-bundles-dir=/nowhere"}, []string{"CONSOLE_POLICY_BUNDLES_DIR", "/nowhere"}},
		"an analyzer that is misconfigured": {[]string{"--analyzer-config=" + misspelled}, []string{"CONSOLE_ANALYZER_CONFIG", "secret_search.regexp: no such key"}},
		"a data folder that is a file": {
			[]string{"--data-dir=/dev/null"}, []string{"CONSOLE_DATA_DIR"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			t.Setenv("TMPDIR", "/tmp") // as start does
			err := run(t.Context(), settings(dataDir(t), tc.args...), &out, io.Discard)
			if err == nil {
				t.Fatal("the program started")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "secret@") || strings.Contains(err.Error(), "goroutine ") {
				t.Errorf("error %q tells a password or a stack", err)
			}
		})
	}
}

func TestEnvironmentAndFlagsAreTheSameSettings(t *testing.T) {
	t.Setenv("CONSOLE_FEEDS_INTERVAL", "90m")
	t.Setenv("CONSOLE_SERVICES", "analyzer,catalog")
	_, c, err := parse([]string{"--analyzers=3"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Serve.finish(); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.Serve.FeedsInterval, c.Serve.Services, c.Serve.Analyzers); got != "1h30m0s [analyzer catalog] 3" {
		t.Errorf("settings are %s", got)
	}
}
