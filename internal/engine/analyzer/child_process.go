package analyzer

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

// ProcessLimits bound the process of one analysis. Zero fields take the
// default.
type ProcessLimits struct {
	Memory  int64         // bytes of memory; default 2 GiB
	Timeout time.Duration // from the end of the pull; default 1 h
}

func (l ProcessLimits) orDefault() ProcessLimits {
	if l.Memory <= 0 {
		l.Memory = 2 << 30
	}
	if l.Timeout <= 0 {
		l.Timeout = time.Hour
	}
	return l
}

// memoryEvery is the time between two looks at a child's memory. Filling a
// gigabyte takes a process longer than that.
const memoryEvery = 50 * time.Millisecond

// maxStderr is how much is kept of what a child wrote as it fell.
const maxStderr = 16 << 10

// softMemory is what an analysis may use at least before its garbage collector
// works harder: the texts of licences alone take a third of it.
const softMemory = 256 << 20

// soft is where the garbage collector begins to work harder. With the default,
// 384 MB, an image of 100,000 files and 7,000 packages stays below 600 MB of
// memory, program included, and takes no longer than with more; with 256 MB it
// takes twice as long.
func (l ProcessLimits) soft() int64 {
	return min(max(l.Memory*3/16, softMemory), l.Memory*3/4)
}

// reasons for which the parent ends a child.
var (
	errMemory  = errors.New("memory limit")
	errTimeout = errors.New("time limit")
	errSpeech  = errors.New("what the analysis' process says is not understood")
)

// child is the process of one analysis as its parent sees it.
type child struct {
	dir    jobDir
	limits ProcessLimits
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *os.File
	stderr tail
	gone   chan struct{} // closed when the process has been waited for

	mu     sync.Mutex
	reaped bool
	killed error // why the parent ended it
	peak   int64
}

// startChild starts a process that waits for its order. Warm, it gets ready for
// an image of some size meanwhile.
func startChild(dir jobDir, limits ProcessLimits, unpack Limits, warm bool) (*child, error) {
	self, err := program()
	if err != nil {
		return nil, fmt.Errorf("analysis child: %w", err)
	}
	c := &child{dir: dir, limits: limits.orDefault(), gone: make(chan struct{})}
	out, theirs, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("analysis child: %w", err)
	}
	defer theirs.Close()
	c.out = out
	largest := unpack.orDefault().Bytes
	c.cmd = exec.Command(self, childFlag, strconv.FormatInt(c.limits.Memory, 10), strconv.FormatInt(largest+maxResult, 10), strconv.FormatBool(warm))
	c.cmd.Dir = dir.root
	c.cmd.Env = c.environment()
	c.cmd.ExtraFiles = []*os.File{theirs}
	c.cmd.Stdout, c.cmd.Stderr = &c.stderr, &c.stderr
	c.cmd.WaitDelay = 5 * time.Second
	apart(c.cmd)
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		out.Close()
		return nil, fmt.Errorf("analysis child: %w", err)
	}
	started := make(chan error)
	go func() {
		defer close(c.gone)
		runtime.LockOSThread() // its death is told by the thread that started it
		defer runtime.UnlockOSThread()
		err := c.cmd.Start()
		started <- err
		if err != nil {
			return
		}
		_ = c.cmd.Wait() // its state says how it ended
		c.mu.Lock()
		c.reaped = true
		c.mu.Unlock()
	}()
	if err := <-started; err != nil {
		out.Close()
		return nil, fmt.Errorf("analysis child: %w", err)
	}
	return c, nil
}

// environment is all that a child inherits. The settings of this program, with
// their secrets, are not in it. The garbage collector works harder long before
// the limit is reached.
func (c *child) environment() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + c.dir.tmp, "TMPDIR=" + c.dir.tmp,
		"GOTRACEBACK=single", "GOMEMLIMIT=" + strconv.FormatInt(c.limits.soft(), 10),
	}
}

// kill ends the child and what it has started. The first reason counts.
func (c *child) kill(why error) {
	c.look()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reaped {
		return
	}
	if c.killed == nil {
		c.killed = why
	}
	killGroup(c.cmd.Process.Pid)
}

// end kills the child, if it is still there, and waits until it is gone.
func (c *child) end() {
	c.kill(errors.New("no longer needed"))
	<-c.gone
	c.in.Close()
	c.out.Close()
}

// look notes the child's peak, and returns what it holds.
func (c *child) look() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.reaped {
		return 0
	}
	now, peak := usage(c.cmd.Process.Pid)
	c.peak = max(c.peak, peak)
	return now
}

func (c *child) held() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.peak
}

// examine gives the child its order and follows it to the end. Whatever
// happens there becomes an error of this image with a stage and a cause.
func (c *child) examine(ctx context.Context, o order, log *slog.Logger, report Report) (Result, error) {
	began := time.Now()
	limited, release := context.WithTimeoutCause(ctx, c.limits.Timeout, errTimeout)
	defer release()
	ended := make(chan struct{})
	var watcher sync.WaitGroup
	watcher.Go(func() { c.watch(limited, ended) })
	stage, err := c.converse(ctx, o, log, report)
	close(ended)
	watcher.Wait()
	c.kill(nil) // done or not, nothing of it stays
	<-c.gone
	res := Result{Peak: c.held()}
	if ctx.Err() != nil {
		return res, &stageError{stage, ctx.Err()}
	}
	if err == nil {
		if res.Analysis, err = readResult(c.dir, o.Limits); err == nil {
			log.InfoContext(ctx, "examination done", "peak_mb", res.Peak/1e6, "took", time.Since(began).Round(time.Millisecond))
			if o.Image != nil {
				res.Analysis.Manifest = o.Image.Manifest
			}
			return res, nil
		}
		var f *engine.Fault
		if !errors.As(err, &f) {
			err = crashed("The process of the analysis left no result that can be used; its log says more.", err)
		}
		return res, &stageError{engine.StageContent, err}
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = c.verdict(ctx, log)
	}
	return res, &stageError{stage, err}
}

// watch ends the child when it takes too much or too long, or is not wanted
// any more.
func (c *child) watch(ctx context.Context, ended <-chan struct{}) {
	tick := time.NewTicker(memoryEvery)
	defer tick.Stop()
	for {
		select {
		case <-ended:
			return
		case <-ctx.Done():
			c.kill(context.Cause(ctx))
			return
		case <-tick.C:
			if c.look() > c.limits.Memory {
				c.kill(errMemory)
				return
			}
			// What libraries put aside is bounded by nothing else.
			if full := registry.Room(c.dir.root, 0); full != nil {
				c.kill(full)
				return
			}
		}
	}
}

// converse sends the order and hears the child out. It returns the stage that
// the child was last in, and its error; io.ErrUnexpectedEOF when it fell
// silent.
func (c *child) converse(ctx context.Context, o order, log *slog.Logger, report Report) (engine.Stage, error) {
	stage, logged := engine.StageSBOM, 0
	if err := json.NewEncoder(c.in).Encode(o); err != nil {
		return stage, io.ErrUnexpectedEOF
	}
	lines := bufio.NewScanner(io.LimitReader(c.out, maxSaid))
	lines.Buffer(make([]byte, 0, 4<<10), maxLine)
	for lines.Scan() {
		var s said
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			c.kill(errSpeech)
			return stage, io.ErrUnexpectedEOF
		}
		switch {
		case s.Progress != nil:
			stage = childStage(s.Progress.Stage)
			report(stage, max(s.Progress.Done, 0), max(s.Progress.Total, 0))
		case s.Log != nil:
			if logged++; logged <= maxLogged {
				s.Log.write(ctx, log)
			}
		case s.Fault != nil:
			if s.Fault.Stage != "" {
				stage = childStage(s.Fault.Stage)
			}
			return stage, s.Fault.err()
		case s.Done:
			return stage, nil
		}
	}
	if lines.Err() != nil {
		c.kill(errSpeech)
	}
	return stage, io.ErrUnexpectedEOF
}

// verdict says why a child ended without a word.
func (c *child) verdict(ctx context.Context, log *slog.Logger) error {
	last := c.stderr.lines()
	for _, line := range last {
		log.ErrorContext(ctx, "analysis process", "stderr", line)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case errors.Is(c.killed, errMemory), ranOut(last):
		return &engine.Fault{
			Kind:    engine.ErrInvalid,
			Message: fmt.Sprintf("The analysis needed more than the %d MB of memory that it is given (CONSOLE_ANALYSIS_MEMORY_MB).", c.limits.Memory>>20),
			Cause:   &engine.Problem{Cause: engine.CauseMemory, Err: errMemory},
		}
	case hasCause(c.killed):
		return c.killed
	case errors.Is(c.killed, errTimeout):
		return &engine.Fault{
			Kind:    engine.ErrInvalid,
			Message: fmt.Sprintf("The analysis took longer than the %s that it is given (CONSOLE_ANALYSIS_TIMEOUT).", c.limits.Timeout),
			Cause:   &engine.Problem{Cause: engine.CauseTimeout, Err: errTimeout},
		}
	case errors.Is(c.killed, errSpeech):
		return crashed("The process of the analysis went wrong and was ended; its log says more.", errSpeech)
	}
	state := c.cmd.ProcessState
	if signal, ok := killedBySignal(state); ok {
		// A host that is short of memory takes such a process first. That can
		// pass, whatever the image is.
		return &engine.Fault{
			Kind: engine.ErrUnavailable, Message: fmt.Sprintf("The process of the analysis was ended from outside, by the signal %q.", signal),
			Cause: &engine.Problem{Cause: engine.CauseKilled, Err: errors.New(state.String())},
		}
	}
	for _, line := range last {
		if strings.HasPrefix(line, "panic: ") {
			return &engine.Fault{
				Kind: engine.ErrInvalid, Message: "A parser fell over the content of this image; its log says more.",
				Cause: &engine.Problem{Cause: engine.CauseParser, Err: errors.New(state.String())},
			}
		}
	}
	return crashed("The process of the analysis ended before it was done; its log says more.", errors.New(state.String()))
}

// hasCause reports whether an error already says all that is to be said.
func hasCause(err error) bool {
	_, ok := engine.CauseOf(err)
	return ok
}

// ranOut tells by a child's last words that the kernel gave it no more memory.
func ranOut(last []string) bool {
	for _, line := range last {
		if strings.HasPrefix(line, "fatal error: ") && (strings.Contains(line, "out of memory") || strings.Contains(line, "cannot allocate memory")) {
			return true
		}
	}
	return false
}

func crashed(message string, err error) error {
	return &engine.Fault{Kind: engine.ErrInvalid, Message: message, Cause: &engine.Problem{Cause: engine.CauseCrash, Err: err}}
}

// tail keeps the first half and the last half of what is written to it: how a
// trace begins says what happened.
type tail struct {
	mu          sync.Mutex
	first, last []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := len(p)
	fits := min(len(p), maxStderr/2-len(t.first))
	t.first = append(t.first, p[:fits]...)
	t.last = append(t.last, p[fits:]...)
	if over := len(t.last) - maxStderr/2; over > 0 {
		t.last = append(t.last[:0], t.last[over:]...)
	}
	return n, nil
}

// maxStderrLines leaves room in the log of the attempt for what came before.
const maxStderrLines = 60

func (t *tail) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	text := string(bytes.TrimSpace(append(bytes.Clone(t.first), t.last...)))
	if text == "" {
		return nil
	}
	list := slices.DeleteFunc(strings.Split(text, "\n"), func(s string) bool { return strings.TrimSpace(s) == "" })
	return list[:min(len(list), maxStderrLines)]
}
