// Package analyzer turns a leased job into an analyzed image. One file a step:
//
//	pull     layers from the registry, or from an upload's layout in the spool
//	unpack   decompress once, judge before anything else looks, list files
//	search   files to keep, secrets, the operator's expressions
//	sbom     syft over the layers that unpack wrote
//	content  packages, file list, metadata in the words of the v1 API
//	match    against the active feed data
//	save     everything, the state, the events and the end of the job at once
//
// All that is done to foreign bytes after the pull, from unpack to content
// (steps.go), is done by a child process: this program once more, with an
// environment of its own that holds no secret, limits on what it may use, and
// nothing to do but one image. A parser that eats memory, hangs, panics or is
// taken over costs this image and no other. The child is handed the folder of
// the job, tells how far it is in lines, and leaves its result in files of that
// folder; what it says is read like anything foreign, with bounds.
//
//	process    starts a child, watches its memory and time, reads what it says
//	child      is the child
//	wire       what the two say to each other
//	result     the files that the child leaves
//
// Layers are foreign input: their size, number of entries and degree of
// compression are bounded while they are decompressed, which happens once. The
// list of files and their digests falls out of the same pass. syft is then
// given the uncompressed layers.
//
// A failure keeps its stage, a stable cause and the log of the attempt. Causes
// that can pass are tried again after a pause.
package analyzer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/search"
)

// Puller writes a resolved image into a folder as an OCI layout.
type Puller interface {
	Pull(ctx context.Context, r registry.Resolved, dir string, progress func(done, total int64)) error
}

// Report is told how far an analysis has come, from several goroutines.
type Report func(stage engine.Stage, done, total int64)

// Analyzer makes the analysis of one image at a time; it is safe for
// concurrent use.
type Analyzer struct {
	Puller  Puller
	Spool   *Spool
	Limits  Limits
	Process ProcessLimits
	Search  *search.Settings // what to look for in files; nil: what is usual
}

// Result is all that was found in an image, and what finding it took.
type Result struct {
	Analysis engine.Analysis
	Peak     int64 // bytes of memory that the child held at most; 0: not known
}

// stageError says in which step an analysis ended.
type stageError struct {
	stage engine.Stage
	err   error
}

func (e *stageError) Error() string { return string(e.stage) + ": " + e.err.Error() }
func (e *stageError) Unwrap() error { return e.err }

// StageOf is the step in which an analysis failed; empty when unknown.
func StageOf(err error) engine.Stage {
	var s *stageError
	if errors.As(err, &s) {
		return s.stage
	}
	return ""
}

// warmFrom is the size of an image from which on it is sure to hold texts of
// licences.
const warmFrom = 2 << 20

// Analyze pulls an image and has a child find out what is in it. The folder it
// works in is gone when it returns, and so is the child. The result of a
// failure has no more than the peak of memory.
func (a *Analyzer) Analyze(ctx context.Context, img registry.Resolved, log *slog.Logger, report Report) (Result, error) {
	if report == nil {
		report = func(engine.Stage, int64, int64) {}
	}
	dir, err := a.Spool.job()
	if err != nil {
		return Result{}, &stageError{engine.StagePull, err}
	}
	defer dir.remove(log)
	child, err := startChild(dir, a.Process, a.Limits, img.Size > warmFrom) // it gets ready while the layers come
	if err != nil {
		return Result{}, &stageError{engine.StagePull, err}
	}
	defer child.end()

	began := time.Now()
	report(engine.StagePull, 0, img.Size)
	log.InfoContext(ctx, "pull start", "image", img.Reference.String(), "from", img.From, "layers", len(img.Layers), "bytes", img.Size)
	err = a.Puller.Pull(ctx, img, dir.layout, func(done, total int64) { report(engine.StagePull, done, total) })
	if err != nil {
		return Result{}, &stageError{engine.StagePull, err}
	}
	log.InfoContext(ctx, "pull done", "took", time.Since(began).Round(time.Millisecond))
	report(engine.StageSBOM, 0, 0)
	return child.examine(ctx, order{Image: &img, Limits: a.Limits, Search: a.Search}, log, report)
}
