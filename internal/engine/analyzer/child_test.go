package analyzer_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/analyzer"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/registry"
)

// asParent makes this test program a process that analyzes, for a test to kill.
const asParent = "WINDLASS_TEST_PARENT"

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "--analysis-child" {
		os.Stdin = misled(os.Stdin)
		analyzer.BeChild(os.Args)
	}
	if dir := os.Getenv(asParent); dir != "" {
		beParent(dir)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// misdeed is a file in the folder of a job that makes a child go wrong when it
// has its order, as a parser would.
const misdeed = "misdeed"

func misled(stdin *os.File) *os.File {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	go func() {
		in := bufio.NewReader(stdin)
		order, err := in.ReadString('\n')
		if raw, missing := os.ReadFile(misdeed); missing == nil && err == nil {
			awaitConfined()
			what, arg, _ := strings.Cut(string(raw), " ")
			misdeeds[what](arg)
		}
		io.WriteString(w, order)
		io.Copy(w, in)
		w.Close()
	}()
	return r
}

// awaitConfined returns when the child has done the last thing to itself that
// it does before it listens.
func awaitConfined() {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for range tick.C {
		if score, _ := os.ReadFile("/proc/self/oom_score_adj"); string(score) == "800\n" {
			return
		}
	}
}

var misdeeds = map[string]func(arg string){
	"eat":   func(string) { eat(64 << 20) },
	"gulp":  func(string) { eat(8 << 30) }, // faster than anybody can look
	"panic": func(string) { panic("boom") },
	"hang": func(pidFile string) {
		if pidFile != "" {
			if err := os.WriteFile(pidFile, []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
				panic(err)
			}
		}
		select {}
	},
	"killed": func(string) { syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} },
	"exit":   func(string) { os.Exit(7) },
	"babble": func(string) { fmt.Fprintln(parent(), strings.Repeat("x", 1<<20)); select {} },
	"lie":    func(string) { fmt.Fprintln(parent(), `{"done":true}`); select {} },
	"link": func(target string) {
		if err := os.Symlink(target, "result"); err != nil {
			panic(err)
		}
		fmt.Fprintln(parent(), `{"done":true}`)
		select {}
	},
	"locked": func(string) {
		if err := os.MkdirAll("tmp/a/b", 0o700); err != nil {
			panic(err)
		}
		os.Chmod("tmp/a", 0)
		os.Exit(7)
	},
	"tell": func(string) {
		for _, kv := range os.Environ() {
			fmt.Fprintln(os.Stderr, "ENV", kv)
		}
		var core, files syscall.Rlimit
		syscall.Getrlimit(syscall.RLIMIT_CORE, &core)
		syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files)
		score, _ := os.ReadFile("/proc/self/oom_score_adj")
		fmt.Fprintf(os.Stderr, "core %d files %d oom %s\n", core.Max, files.Max, score)
		os.Exit(7)
	},
}

func parent() *os.File { return os.NewFile(3, "parent") }

func eat(step int) {
	var held [][]byte
	for len(held) < 1<<30 {
		b := make([]byte, step)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		held = append(held, b)
	}
}

// misleading pulls as usual and leaves a misdeed for the child.
type misleading struct {
	*registry.Client
	what string
}

func (m misleading) Pull(ctx context.Context, r registry.Resolved, dir string, progress func(done, total int64)) error {
	if err := os.WriteFile(filepath.Join(filepath.Dir(dir), misdeed), []byte(m.what), 0o600); err != nil {
		return err
	}
	return m.Client.Pull(ctx, r, dir, progress)
}

func TestWorkerOutlivesWhatAnImageDoes(t *testing.T) {
	enginetest.NoRace(t) // the detector's memory is more than these children may have
	t.Setenv("CONSOLE_SECRET_KEY", "hush-hush")
	secret := filepath.Join(t.TempDir(), "secret")
	b := newBench(t)
	b.worker.Process = analyzer.ProcessLimits{Memory: 300 << 20}
	for what, want := range map[string]struct {
		cause string
		log   string // a line of the log of the attempt
	}{
		"eat":            {engine.CauseMemory, "memory limit"},
		"gulp":           {engine.CauseMemory, "memory"},
		"panic":          {engine.CauseParser, "panic: boom"},
		"hang":           {engine.CauseTimeout, "time limit"},
		"killed":         {engine.CauseKilled, "signal: killed"},
		"exit":           {engine.CauseCrash, "exit status 7"},
		"babble":         {engine.CauseCrash, "not understood"},
		"lie":            {engine.CauseCrash, "no such file"},
		"link " + secret: {engine.CauseCrash, "escapes"},
		"locked":         {engine.CauseCrash, "exit status 7"},
		"tell":           {engine.CauseCrash, "core 0 files 4096 oom 800"},
	} {
		name, _, _ := strings.Cut(what, " ")
		t.Run(name, func(t *testing.T) {
			if name == "hang" {
				b.worker.Process.Timeout = 200 * time.Millisecond
				defer func() { b.worker.Process.Timeout = 0 }()
			}
			d := b.add(t, b.reg.Push(t, "demo/"+name+":1", enginetest.DebianLike(t, map[string]string{name: "1"})))
			b.worker.Registry = misleading{registry.New(registry.Options{}), what}
			if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
				t.Fatal(err)
			}
			i := b.image(t, d)
			state := engine.Failed
			if c, _ := engine.CauseByCode(want.cause); c.Temporary {
				state = engine.NotAnalyzed // until the next attempt
			}
			if i.State != state || i.Failure == nil || i.Failure.Cause != want.cause || i.Failure.Stage != engine.StageSBOM && i.Failure.Stage != engine.StageContent {
				t.Fatalf("image is %s, failure %+v", i.State, i.Failure)
			}
			if r := i.Failure.Run; r.Took <= 0 || r.Peak < 20e6 || name == "eat" && r.Peak < 250e6 {
				t.Errorf("it took %+v", r)
			}
			log := strings.Join(i.Failure.Log, "\n")
			if !strings.Contains(log, want.log) {
				t.Errorf("%q is not in the log:\n%s", want.log, log)
			}
			if name == "tell" {
				for _, line := range i.Failure.Log {
					if _, kv, ok := strings.Cut(line, "ENV "); ok && !slices.ContainsFunc([]string{"PATH=", "HOME=", "TMPDIR=", "GOTRACEBACK=", "GOMEMLIMIT="}, func(p string) bool { return strings.HasPrefix(kv, p) }) {
						t.Errorf("the child's environment has %s", kv)
					}
				}
				if strings.Contains(log, "hush") {
					t.Error("the child's environment has the secret")
				}
			}
			if left := b.jobs(t); len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
	// The worker goes on.
	b.worker.Registry = registry.New(registry.Options{})
	d := b.add(t, b.reg.Push(t, "demo/good:1", enginetest.DebianLike(t, map[string]string{"good": "1"})))
	if err := b.worker.Handle(t.Context(), b.lease(t)); err != nil {
		t.Fatal(err)
	}
	if i := b.image(t, d); i.State != engine.Analyzed {
		t.Errorf("the image after is %s, %+v", i.State, i.Failure)
	}
}

func TestCancelEndsTheChild(t *testing.T) {
	b := newBench(t)
	pidFile := filepath.Join(t.TempDir(), "pid")
	b.worker.Registry = misleading{registry.New(registry.Options{}), "hang " + pidFile}
	d := b.add(t, b.reg.Push(t, "demo/x:1", enginetest.DebianLike(t, map[string]string{"a": "1"})))
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	j := b.lease(t)
	go func() { ended <- b.worker.Handle(ctx, j) }()
	pid := awaitPid(t, pidFile)
	cancel(engine.ErrLeaseLost)
	if err := <-ended; err == nil {
		t.Error("Handle succeeded")
	}
	if alive(pid) {
		t.Error("the child lives on")
	}
	if i := b.image(t, d); i.State != engine.Analyzing { // whoever has the lease now says more
		t.Errorf("image is %s", i.State)
	}
	if left := b.jobs(t); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

func TestChildGoesWithItsParent(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), asParent+"="+dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	pid := awaitPid(t, filepath.Join(dir, "pid"))
	cmd.Process.Kill()
	cmd.Wait()
	within(t, "the child is gone", func() bool { return !alive(pid) })
}

// beParent analyzes an image that hangs, until it is killed.
func beParent(dir string) {
	spool, err := analyzer.OpenSpool(filepath.Join(dir, "spool"))
	if err != nil {
		panic(err)
	}
	a := &analyzer.Analyzer{Spool: spool, Puller: pullNothing{filepath.Join(dir, "pid")}}
	_, err = a.Analyze(context.Background(), registry.Resolved{}, slog.New(slog.DiscardHandler), nil)
	fmt.Fprintln(os.Stderr, "the analysis ended:", err)
}

type pullNothing struct{ pidFile string }

func (p pullNothing) Pull(_ context.Context, _ registry.Resolved, dir string, _ func(done, total int64)) error {
	return os.WriteFile(filepath.Join(filepath.Dir(dir), misdeed), []byte("hang "+p.pidFile), 0o600)
}

func awaitPid(t *testing.T, file string) (pid int) {
	t.Helper()
	within(t, "the child has its order", func() bool {
		raw, err := os.ReadFile(file)
		if err != nil {
			return false
		}
		pid, err = strconv.Atoi(string(raw))
		return err == nil
	})
	return pid
}

// alive reports whether a process is there and no zombie.
func alive(pid int) bool {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(raw), ") Z ")
}

func within(t *testing.T, what string, is func() bool) {
	t.Helper()
	limit := time.After(5 * time.Minute)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-limit:
			t.Fatalf("%s: not within a minute", what)
		case <-tick.C:
		}
	}
}
