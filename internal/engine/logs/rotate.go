package logs

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/DeRuina/timberjack"
)

// rotated is a file that is renamed aside when the next line would pass max.
// Timberjack counts its limit in MiB, so the byte-exact documented limit is
// kept here and timberjack is told when.
type rotated struct {
	mu   sync.Mutex
	file *timberjack.Logger
	size int64
	max  int64
	lost int // lines that could not be written since the last one that could
}

func openRotated(path string, max int64, keep int) (*rotated, error) {
	size, err := endLine(path)
	if err != nil {
		return nil, err
	}
	return &rotated{
		file: &timberjack.Logger{
			Filename:    path,
			MaxSize:     int(max>>20) + 2, // never reached
			MaxBackups:  keep,
			FileMode:    0o640,
			Compression: "none", // the viewer reads rotated files backward
		},
		size: size,
		max:  max,
	}, nil
}

// endLine makes sure that the file is there and writable, and ends a line that
// a crash cut short, so that the next one does not continue it. It returns the
// size.
func endLine(path string) (int64, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o640)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return 0, err
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, info.Size()-1); err != nil {
		return 0, err
	}
	if last[0] == '\n' {
		return info.Size(), nil
	}
	n, err := io.WriteString(f, "\n")
	return info.Size() + int64(n), err
}

// Write appends one whole line. After a time of failure (a full disk) the
// first line that succeeds is preceded by the number of those that did not.
func (r *rotated) Write(line []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.lost > 0 {
		note := fmt.Appendf(nil, "%s [-] [logs] [logs/Write()] [ERROR] log lines lost n=%d\n",
			time.Now().UTC().Format(timeLayout), r.lost)
		if err := r.append(note); err != nil {
			r.lost++
			return 0, err
		}
		r.lost = 0
	}
	if err := r.append(line); err != nil {
		r.lost++
		return 0, err
	}
	return len(line), nil
}

func (r *rotated) append(line []byte) error {
	if r.size > 0 && r.size+int64(len(line)) > r.max {
		if err := r.file.RotateWithReason("size"); err != nil {
			return err
		}
		r.size = 0
	}
	n, err := r.file.Write(line)
	r.size += int64(n)
	return err
}

func (r *rotated) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.file.Close()
}
