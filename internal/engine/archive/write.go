package archive

import (
	"archive/tar"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/klauspost/compress/gzip"

	"windlass/internal/engine"
)

// Writer writes an archive member by member, so that no more than one document
// is in memory at a time.
type Writer struct {
	z  *gzip.Writer
	t  *tar.Writer
	at time.Time
}

// NewWriter begins an archive with its manifest.
func NewWriter(w io.Writer, m Manifest) (*Writer, error) {
	m.Version = version
	z, err := gzip.NewWriterLevel(w, gzip.DefaultCompression)
	if err != nil {
		return nil, err
	}
	a := &Writer{z: z, t: tar.NewWriter(z), at: m.ArchivedAt}
	return a, a.json(manifestName, m)
}

// Image adds the record.
func (w *Writer) Image(i Image) error { return w.json(imageName, i) }

// Packages adds what was found, in JSON.
func (w *Writer) Packages(list []engine.Package) error {
	if list == nil {
		list = []engine.Package{}
	}
	return w.json(packagesName, list)
}

// Matches adds what affects it, in JSON.
func (w *Writer) Matches(list []Match) error {
	if list == nil {
		list = []Match{}
	}
	return w.json(matchesName, list)
}

// Rows adds the rows of a further table, in JSON.
func (w *Writer) Rows(name string, rows json.RawMessage) error {
	return w.add(rowsDir+name+".json", rows)
}

// Document adds a document.
func (w *Writer) Document(name string, body []byte) error { return w.add(documentsDir+name, body) }

// Close ends the archive.
func (w *Writer) Close() error {
	if err := w.t.Close(); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	if err := w.z.Close(); err != nil {
		return fmt.Errorf("archive: %w", err)
	}
	return nil
}

func (w *Writer) json(name string, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("archive: %s: %w", name, err)
	}
	return w.add(name, body)
}

func (w *Writer) add(name string, body []byte) error {
	h := &tar.Header{Name: name, Mode: 0o600, Size: int64(len(body)), Typeflag: tar.TypeReg, ModTime: w.at.Truncate(time.Second)}
	if err := w.t.WriteHeader(h); err != nil {
		return fmt.Errorf("archive: %s: %w", name, err)
	}
	if _, err := w.t.Write(body); err != nil {
		return fmt.Errorf("archive: %s: %w", name, err)
	}
	return nil
}
