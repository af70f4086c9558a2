// Package spool lays what comes in slowly on disk, so that what is scarce is
// taken only when all of it is here.
package spool

import (
	"fmt"
	"io"
	"os"

	"windlass/internal/engine"
)

// File reads r to its end into a file of dir, at most limit bytes, and gives it
// from its beginning. The file has no name any more: it goes when it is closed,
// and with a process that is killed. An empty dir is the process's own folder
// for temporary files.
func File(dir string, r io.Reader, limit int64) (_ *os.File, err error) {
	f, err := os.CreateTemp(dir, "spool-")
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := os.Remove(f.Name()); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	n, err := io.Copy(f, io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if n > limit {
		return nil, engine.Invalidf("What was sent has more than %d bytes.", limit)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	return f, nil
}
