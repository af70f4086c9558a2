package analyzer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/logs"
	"windlass/internal/engine/queue"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/search"
)

// Store is what the worker asks of the database.
type Store interface {
	BeginAnalysis(ctx context.Context, j engine.Job, worker string) (engine.Image, bool, error)
	AnalysisProgress(ctx context.Context, j engine.Job, p engine.Progress) error
	SaveAnalysis(ctx context.Context, j engine.Job, a engine.Analysis, matches []engine.Match, data string, src engine.Source) error
	FailAnalysis(ctx context.Context, j engine.Job, f engine.Failure, pause time.Duration, src engine.Source) error
	ReturnAnalysis(ctx context.Context, j engine.Job) error
}

// Matcher finds what the packages of an SBOM, in syft's JSON, are affected by,
// and names the feed data it looked in. Without active data it finds nothing
// and names none.
type Matcher interface {
	MatchJSON(ctx context.Context, doc []byte) ([]engine.Match, string, error)
}

// Registry resolves the image of a job and pulls it.
type Registry interface {
	Puller
	Resolve(ctx context.Context, ref registry.Reference, creds []engine.Registry) (registry.Resolved, error)
}

// Worker does the jobs of the analysis queue: its Handle is a queue.Worker's.
type Worker struct {
	Store       Store
	Registry    Registry
	Credentials func(ctx context.Context, account string) ([]engine.Registry, error)
	Matcher     Matcher // nil: images are stored unmatched
	Imports     Imports
	Spool       *Spool
	Limits      Limits
	Process     ProcessLimits
	Search      *search.Settings // what to look for in files; nil: what is usual
	Host        string           // shown as the worker of a running analysis
	Source      engine.Source
	Log         *slog.Logger

	// Observe is told what each attempt took and how it ended; nil: nobody is.
	Observe func(j engine.Job, run engine.Run, ok bool)
}

// Handle analyzes the image of one job. It ends the job itself, by its result
// or by its failure; an error means that not even that could be stored, and
// the queue offers the job again.
func (w *Worker) Handle(ctx context.Context, j engine.Job) error {
	img, ok, err := w.Store.BeginAnalysis(ctx, j, w.Host)
	if err != nil {
		return err
	}
	if !ok {
		w.Log.InfoContext(ctx, "analysis dropped", "digest", j.Subject, "account", j.Account)
		return nil
	}
	log, lines := logs.Capture(w.Log.With("digest", engine.Digest(j.Subject).Short(), "attempt", j.Attempt))
	log.InfoContext(ctx, "analysis start", "account", j.Account, "image", nameOf(img))
	began := time.Now()
	res, matches, data, err := w.analyze(ctx, j, log)
	run := engine.Run{Took: time.Since(began), Peak: res.Peak}
	if err == nil {
		res.Analysis.Run = run
		err = w.save(ctx, j, res, matches, data)
		run.Took = time.Since(began)
	}
	if w.Observe != nil && ctx.Err() == nil {
		w.Observe(j, run, err == nil)
	}
	if err != nil {
		return w.fail(ctx, j, run, err, log, lines)
	}
	log.InfoContext(ctx, "analysis done", "packages", len(res.Analysis.Packages), "matches", len(matches),
		"feed_data", data, "peak_mb", run.Peak/1e6, "took", run.Took.Round(time.Millisecond))
	return nil
}

func (w *Worker) save(ctx context.Context, j engine.Job, res Result, matches []engine.Match, data string) error {
	if err := w.Store.SaveAnalysis(ctx, j, res.Analysis, matches, data, w.Source); err != nil {
		return &stageError{engine.StageSave, err}
	}
	return nil
}

// analyze does all steps but the last. A panic, of a parser or a matcher, is
// the error of this image.
func (w *Worker) analyze(ctx context.Context, j engine.Job, log *slog.Logger) (res Result, matches []engine.Match, data string, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	tell := newTeller(ctx, w.Store, j, log)
	defer tell.stop()

	if res, err = w.find(ctx, j, log, tell.report); err != nil {
		return res, nil, "", err
	}
	tell.report(engine.StageMatch, 0, 0)
	if w.Matcher != nil {
		at := time.Now()
		if matches, data, err = w.Matcher.MatchJSON(ctx, res.Analysis.SBOM); err != nil {
			return res, nil, "", &stageError{engine.StageMatch, err}
		}
		log.InfoContext(ctx, "match done", "matches", len(matches), "took", time.Since(at).Round(time.Millisecond))
	}
	tell.report(engine.StageSave, 0, 0)
	return res, matches, data, nil
}

// find finds out what is in the image of a job: from its bytes, or from what
// was uploaded in their place.
func (w *Worker) find(ctx context.Context, j engine.Job, log *slog.Logger, report Report) (Result, error) {
	var task engine.AnalyzeTask
	if err := json.Unmarshal(j.Payload, &task); err != nil {
		return Result{}, &stageError{engine.StagePull, fmt.Errorf("job payload: %w", err)}
	}
	if task.Source == engine.FromImport {
		return w.analyzeImport(ctx, j, task.Import, log, report)
	}
	a, found, err := w.locate(ctx, j, task)
	if err != nil {
		return Result{}, &stageError{engine.StagePull, err}
	}
	return a.Analyze(ctx, found, log, report)
}

// locate finds the bytes of a job's image: in a registry, by digest, or in
// this host's spool.
func (w *Worker) locate(ctx context.Context, j engine.Job, task engine.AnalyzeTask) (*Analyzer, registry.Resolved, error) {
	a := &Analyzer{Puller: w.Registry, Spool: w.Spool, Limits: w.Limits, Process: w.Process, Search: w.Search}
	if task.Source == engine.FromUpload {
		dir, err := w.Spool.Layout(task.Layout)
		if err != nil {
			return nil, registry.Resolved{}, err
		}
		found, err := registry.OpenLayout(dir)
		return a, found, err
	}
	ref, err := registry.ParseReference(task.Pull)
	if err != nil {
		return nil, registry.Resolved{}, err
	}
	creds, err := w.Credentials(ctx, j.Account)
	if err != nil {
		return nil, registry.Resolved{}, err
	}
	found, err := w.Registry.Resolve(ctx, ref, creds)
	if err == nil && string(found.Digest) != j.Subject {
		err = fmt.Errorf("registry gave %s for %s", found.Digest, j.Subject)
	}
	return a, found, err
}

// fail stores why an attempt ended. Only causes that can pass are tried again,
// and only as often as the job allows.
func (w *Worker) fail(ctx context.Context, j engine.Job, run engine.Run, err error, log *slog.Logger, lines func() []string) error {
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	if errors.Is(err, engine.ErrLeaseLost) || errors.Is(context.Cause(ctx), engine.ErrLeaseLost) {
		return engine.ErrLeaseLost
	}
	if ctx.Err() != nil { // told to stop
		if back := w.Store.ReturnAnalysis(after, j); back != nil && !errors.Is(back, engine.ErrLeaseLost) {
			log.WarnContext(after, "analysis return failed", "err", back)
		}
		return ctx.Err()
	}
	f := failure(err)
	f.Attempt, f.Run = j.Attempt, run
	var pause time.Duration
	if c, _ := engine.CauseByCode(f.Cause); c.Temporary && j.Attempt < j.MaxAttempts {
		pause = queue.Pause(j.Attempt, engine.AskedPause(err))
	}
	log.ErrorContext(after, "analysis failed", "stage", f.Stage, "cause", f.Cause, "retry_in", pause,
		"peak_mb", run.Peak/1e6, "took", run.Took.Round(time.Millisecond), "err", err)
	f.Log = lines()
	return w.Store.FailAnalysis(after, j, f, pause, w.Source)
}

// failure says in stable words and in a sentence why an attempt ended.
func failure(err error) engine.Failure {
	f := engine.Failure{Stage: StageOf(err), Cause: "internal", At: time.Now().UTC()}
	f.Message = engine.MessageOf(err, "The analysis failed by an error of this program; its log says more.")
	cause, known := engine.CauseOf(err)
	switch {
	case known:
		f.Cause = cause.Code
	case errors.Is(err, engine.ErrUnavailable):
		f.Cause, f.Message = "database_unavailable", "The database did not answer."
	case f.Stage == engine.StageSave:
		f.Cause, f.Message = "save", "The result could not be stored."
	case errors.Is(err, errPanic):
		f.Message = "A parser fell over the content of this image; its log says more."
	}
	return f
}

func nameOf(img engine.Image) string {
	if len(img.Tags) > 0 {
		return img.Tags[0].Full()
	}
	return string(img.Digest)
}

// tellEvery is how often progress within a stage is announced at most.
const tellEvery = 400 * time.Millisecond

// teller writes progress to the store from a goroutine of its own, so that no
// step waits for it; a new stage is told at once.
type teller struct {
	mu   sync.Mutex
	last engine.Progress
	wake chan struct{}
	end  chan struct{}
	done sync.WaitGroup
}

func newTeller(ctx context.Context, s Store, j engine.Job, log *slog.Logger) *teller {
	t := &teller{wake: make(chan struct{}, 1), end: make(chan struct{}), last: engine.Progress{Stage: engine.StagePull}}
	t.done.Go(func() { t.run(ctx, s, j, log) })
	return t
}

func (t *teller) report(stage engine.Stage, done, total int64) {
	t.mu.Lock()
	t.last = engine.Progress{Stage: stage, Done: done, Total: total}
	t.mu.Unlock()
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

func (t *teller) run(ctx context.Context, s Store, j engine.Job, log *slog.Logger) {
	told := engine.Progress{Stage: engine.StagePull} // BeginAnalysis has said so
	var quiet <-chan time.Time                       // set while a further word must wait
	for {
		select {
		case <-t.end:
			return
		case <-ctx.Done():
			return
		case <-quiet:
			quiet = nil
		case <-t.wake:
		}
		t.mu.Lock()
		now := t.last
		t.mu.Unlock()
		if now == told || quiet != nil && now.Stage == told.Stage {
			continue
		}
		if err := s.AnalysisProgress(ctx, j, now); err != nil && ctx.Err() == nil {
			log.WarnContext(ctx, "analysis progress failed", "err", err)
		}
		told, quiet = now, time.After(tellEvery)
	}
}

func (t *teller) stop() {
	close(t.end)
	t.done.Wait()
}
