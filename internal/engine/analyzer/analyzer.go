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
// Layers are foreign input: their size, number of entries and degree of
// compression are bounded while they are decompressed, which happens once. The
// list of files and their digests falls out of the same pass. syft is then
// given the uncompressed layers.
//
// A failure keeps its stage, a stable cause and the log of the attempt. Causes
// that can pass are tried again after a pause; a panic in a parser fails the
// image and leaves the worker healthy.
package analyzer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"github.com/anchore/syft/syft/sbom"

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
	Puller Puller
	Spool  *Spool
	Limits Limits
	Search *search.Settings // what to look for in files; nil: what is usual
}

// Result is all that was found in an image.
type Result struct {
	Analysis engine.Analysis
	SBOM     *sbom.SBOM
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

// Analyze pulls an image and finds out what is in it. The folder it works in
// is gone when it returns.
func (a *Analyzer) Analyze(ctx context.Context, img registry.Resolved, log *slog.Logger, report Report) (*Result, error) {
	if report == nil {
		report = func(engine.Stage, int64, int64) {}
	}
	dir, err := a.Spool.job()
	if err != nil {
		return nil, &stageError{engine.StagePull, err}
	}
	defer dir.remove(log)

	began := time.Now()
	report(engine.StagePull, 0, img.Size)
	log.InfoContext(ctx, "pull start", "image", img.Reference.String(), "from", img.From, "layers", len(img.Layers), "bytes", img.Size)
	err = a.Puller.Pull(ctx, img, dir.layout, func(done, total int64) { report(engine.StagePull, done, total) })
	if err != nil {
		return nil, &stageError{engine.StagePull, err}
	}
	pulled := time.Now()
	log.InfoContext(ctx, "pull done", "took", pulled.Sub(began).Round(time.Millisecond))

	report(engine.StageSBOM, 0, 0)
	fs, err := unpack(ctx, dir, img, a.Limits)
	if err != nil {
		return nil, &stageError{engine.StageSBOM, err}
	}
	log.InfoContext(ctx, "unpack done", "entries", fs.entries, "bytes", fs.bytes, "took", time.Since(pulled).Round(time.Millisecond))
	// Before syft, which takes the layers away when it is done with them.
	found, err := a.search(ctx, fs, log)
	if err != nil {
		return nil, &stageError{engine.StageContent, fmt.Errorf("search: %w", err)}
	}
	listed := time.Now()
	s, err := catalog(ctx, dir, img)
	if err != nil {
		return nil, &stageError{engine.StageSBOM, err}
	}
	log.InfoContext(ctx, "sbom done", "packages", s.Artifacts.Packages.PackageCount(), "took", time.Since(listed).Round(time.Millisecond))

	report(engine.StageContent, 0, 0)
	content, err := contents(img, fs, s)
	if err != nil {
		return nil, &stageError{engine.StageContent, fmt.Errorf("content: %w", err)}
	}
	maps.Copy(content.Documents, found)
	return &Result{Analysis: content, SBOM: s}, nil
}
