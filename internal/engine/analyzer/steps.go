package analyzer

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

// examine finds out what is in an image that was pulled. It is what the child
// does; all that touches foreign bytes belongs here, one step after the other.
func (a *Analyzer) examine(ctx context.Context, dir jobDir, img registry.Resolved, log *slog.Logger, report Report) (engine.Analysis, error) {
	none := engine.Analysis{}
	began := time.Now()
	fs, err := unpack(ctx, dir, img, a.Limits)
	if err != nil {
		return none, &stageError{engine.StageSBOM, err}
	}
	log.InfoContext(ctx, "unpack done", "entries", fs.entries, "bytes", fs.bytes, "took", time.Since(began).Round(time.Millisecond))

	found, err := a.search(ctx, fs, log)
	if err != nil {
		return none, &stageError{engine.StageContent, fmt.Errorf("search: %w", err)}
	}

	listed := time.Now()
	s, err := catalog(ctx, dir, img)
	if err != nil {
		return none, &stageError{engine.StageSBOM, err}
	}
	if n := dropAbsurd(s); n > 0 {
		log.WarnContext(ctx, "packages left out", "why", "name or version too long", "packages", n)
	}
	log.InfoContext(ctx, "sbom done", "packages", s.Artifacts.Packages.PackageCount(), "took", time.Since(listed).Round(time.Millisecond))

	if err := a.hint(ctx, fs, s, log); err != nil {
		return none, &stageError{engine.StageSBOM, fmt.Errorf("hints: %w", err)}
	}

	report(engine.StageContent, 0, 0)
	content, err := contents(ctx, img, fs, s)
	if err != nil {
		return none, &stageError{engine.StageContent, fmt.Errorf("content: %w", err)}
	}
	maps.Copy(content.Documents, found)
	if content.Documents[engine.DocDigests], err = a.digests(ctx, fs, s, log); err != nil {
		return none, &stageError{engine.StageContent, fmt.Errorf("digests: %w", err)}
	}
	malware, err := a.scan(ctx, fs, dir, log, report)
	if err != nil {
		return none, &stageError{engine.StageContent, fmt.Errorf("malware: %w", err)}
	}
	content.Documents[engine.DocMalware], content.Unscanned = malware.document, malware.problem
	return content, nil
}
