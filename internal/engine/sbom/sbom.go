// Package sbom writes stored SBOMs, which are in syft's JSON, in the other
// forms that syft knows, by syft's own encoders.
//
// A conversion has a document in memory many times over: as bytes, as syft's
// model and as the model of the form. So there are lanes: two small documents
// are converted at once and one large one beside them, which keeps a large one
// from holding up the rest; the document is read only when its lane is free. The
// result is written to a file without a name, compressed, before the first byte
// is sent: a client that reads slowly holds no lane, and a document that cannot
// be converted is an error and not half a file.
//
// What syft makes anew with each encoding (serial number, document namespace,
// time) is made of the document instead, so that the same SBOM is the same
// bytes whenever it is asked for.
package sbom

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"time"

	"windlass/internal/engine"
)

const (
	// smallDocument is what most images stay below: four thousand packages or so.
	smallDocument = 24 << 20
	// maxDocument bounds what is converted. Beyond it the stored form remains,
	// which is sent as it is.
	maxDocument = 200 << 20
)

// Source is one stored document.
type Source struct {
	Size int64     // of the text
	Name string    // that SPDX documents bear; syft would cut a digest at its colon
	At   time.Time // of the analysis: the time the documents bear
	Read func(context.Context) ([]byte, error)
}

// Converter converts documents, few at once. It may be used from many
// goroutines.
type Converter struct {
	dir          string
	small, large chan struct{}
}

// New makes a converter that lays its results in dir; empty: the folder of
// temporary files.
func New(dir string) *Converter {
	return &Converter{dir: dir, small: make(chan struct{}, 2), large: make(chan struct{}, 1)}
}

// errPanic is an encoder that fell over a document.
var errPanic = errors.New("an encoder panicked")

// Convert gives a document in another form, as gzip, and how many bytes that
// is. The body's file is gone when it is closed.
func (c *Converter) Convert(ctx context.Context, src Source, format string) (io.ReadCloser, int64, error) {
	encode, ok := encoders[format]
	if !ok {
		return nil, 0, engine.Invalidf("There is no format %q of an SBOM.", format)
	}
	if src.Size > maxDocument {
		return nil, 0, engine.Invalidf("This SBOM has %d MB, more than is converted (%d MB). It can be had as Syft JSON.", src.Size>>20, maxDocument>>20)
	}
	lane := c.small
	if src.Size > smallDocument {
		lane = c.large
	}
	select {
	case lane <- struct{}{}:
		defer func() { <-lane }()
	case <-ctx.Done():
		return nil, 0, fmt.Errorf("sbom as %s: %w", format, ctx.Err())
	}
	body, size, err := c.spool(func(w io.Writer) error {
		doc, err := src.Read(ctx)
		if err != nil {
			return err
		}
		return guarded(func() error { return encode(&until{ctx, w}, doc, src) })
	})
	if err != nil {
		return nil, 0, fmt.Errorf("sbom as %s: %w", format, err)
	}
	return body, size, nil
}

// guarded makes a panic an error: imported documents hold what they like.
func guarded(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	return f()
}

// until is a writer that stops when nobody waits any more.
type until struct {
	ctx context.Context
	w   io.Writer
}

func (u *until) Write(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(p)
}

// spool keeps what write writes, as gzip, in a file without a name.
func (c *Converter) spool(write func(io.Writer) error) (_ io.ReadCloser, size int64, err error) {
	f, err := os.CreateTemp(c.dir, "sbom-")
	if err != nil {
		return nil, 0, err
	}
	defer func() {
		if err != nil {
			f.Close()
		}
	}()
	if err := os.Remove(f.Name()); err != nil {
		return nil, 0, err
	}
	buf := bufio.NewWriterSize(f, 256<<10)
	z, err := gzip.NewWriterLevel(buf, gzip.BestSpeed)
	if err != nil {
		return nil, 0, err
	}
	if err := errors.Join(write(z), z.Close(), buf.Flush()); err != nil {
		return nil, 0, err
	}
	if size, err = f.Seek(0, io.SeekCurrent); err != nil {
		return nil, 0, err
	}
	if _, err = f.Seek(0, io.SeekStart); err != nil {
		return nil, 0, err
	}
	return f, size, nil
}
