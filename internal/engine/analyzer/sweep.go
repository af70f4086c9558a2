package analyzer

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"windlass/internal/engine/supervise"
)

// sweepEvery is how often uploads that no image needs are looked for, and
// sweepAfter how old they must be: the image of an upload is recorded only
// when its archive has been checked.
const (
	sweepEvery = 10 * time.Minute
	sweepAfter = 6 * time.Hour
)

// Layouts tells which uploads are still needed.
type Layouts interface {
	UploadLayouts(ctx context.Context) (map[string]bool, error)
}

// Sweep removes uploads whose images are gone, and what was left of uploads
// that broke off, until ctx ends.
func (s *Spool) Sweep(ctx context.Context, used Layouts, log *slog.Logger) error {
	return supervise.Every(ctx, sweepEvery, func(ctx context.Context) error {
		return s.sweepOnce(ctx, used, time.Now().Add(-sweepAfter), log)
	})
}

func (s *Spool) sweepOnce(ctx context.Context, used Layouts, before time.Time, log *slog.Logger) error {
	list, err := os.ReadDir(s.Uploads())
	if err != nil || len(list) == 0 {
		return err
	}
	needed, err := used.UploadLayouts(ctx)
	if err != nil {
		return err
	}
	for _, e := range list {
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if needed[e.Name()] || info.ModTime().After(before) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(s.Uploads(), e.Name())); err != nil {
			return err
		}
		log.InfoContext(ctx, "upload removed", "name", e.Name())
	}
	return nil
}
