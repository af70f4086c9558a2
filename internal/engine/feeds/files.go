package feeds

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"time"

	"windlass/internal/engine"
)

// Names below the feeds folder that are not a database's.
const (
	stagingPrefix = ".staging-"
	oldPrefix     = ".old-"
	partialSuffix = ".partial"
	spoolPrefix   = ".upload-"
)

// keepPartial is how long an interrupted download is worth keeping.
const keepPartial = 7 * 24 * time.Hour

// flush brings a file's contents to disk, so that the rename after it cannot
// outlive them through a loss of power.
func flush(name string) error {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// place gives a complete folder its name. One of that name, from an earlier
// installation of the same archive, may be open: it is moved out of the way,
// and those who read it go on reading.
func (s *Service) place(staging, id string) error {
	final := filepath.Join(s.cfg.Dir, id)
	if _, err := os.Stat(final); err == nil {
		aside := filepath.Join(s.cfg.Dir, oldPrefix+engine.NewID())
		if err := os.Rename(final, aside); err != nil {
			return fail(CauseDisk, "The data folder cannot be written.", err)
		}
	}
	if err := os.Rename(staging, final); err != nil {
		return fail(CauseDisk, "The data folder cannot be written.", err)
	}
	if d, err := os.Open(s.cfg.Dir); err == nil {
		d.Sync() //nolint:errcheck // some file systems cannot; the rename is atomic in any case
		d.Close()
	}
	return nil
}

// sweep removes what interrupted syncs left, uploads that nobody goes on with,
// and data that is neither in use nor kept to go back to. Its caller is the one
// who works in the folder.
func (s *Service) sweep(ctx context.Context) {
	if err := s.store.SweepFeedArchives(ctx, keepUploads); err != nil {
		s.log.WarnContext(ctx, "upload sweep failed", "err", err)
	}
	list, err := s.store.FeedData(ctx)
	if err != nil {
		return
	}
	keep := map[string]bool{}
	for _, d := range list {
		keep[d.ID] = true
	}
	entries, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		name := e.Name()
		if keep[name] || !stale(e) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(s.cfg.Dir, name)); err != nil {
			s.log.WarnContext(ctx, "leftover removal failed", "name", name, "err", err)
			continue
		}
		s.log.DebugContext(ctx, "leftover removed", "name", name)
	}
}

// stale reports whether an entry that is no kept data is ours and to go.
func stale(e os.DirEntry) bool {
	name := e.Name()
	switch {
	case strings.HasPrefix(name, stagingPrefix), strings.HasPrefix(name, oldPrefix), strings.HasPrefix(name, spoolPrefix):
		return true
	case strings.HasSuffix(name, partialSuffix):
		i, err := e.Info()
		return err == nil && time.Since(i.ModTime()) > keepPartial
	}
	return e.IsDir() && len(name) == 16 && strings.Trim(name, "0123456789abcdef") == ""
}
