package analyzer

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"syscall"

	"windlass/internal/engine"
)

// The result of a child is a folder of files: one with what is small, one each
// for packages and files, an entry after the other, and one a document. The
// parent reads them with bounds, and follows no link out of the folder.
const (
	resultHead     = "analysis.json"
	resultPackages = "packages.json"
	resultFiles    = "files.json"
	resultSBOM     = "sbom.json"
	resultDoc      = "document."
)

// What a result may be. The whole is in the parent's memory until it is stored.
const (
	maxResult     = 512 << 20 // bytes of all files together
	maxPackages   = 1_000_000
	maxDocs       = 64
	maxDockerfile = 16 << 20
)

var errResult = errors.New("the result is not one")

var reDocName = regexp.MustCompile(`^[a-z0-9_]{1,64}$`)

type resultHeader struct {
	Meta       engine.ImageMeta
	History    json.RawMessage
	Dockerfile string
	Unscanned  string
	Documents  []string
}

// writeResult leaves what was found for the parent.
func writeResult(dir jobDir, a engine.Analysis) error {
	if err := os.Mkdir(dir.result, 0o700); err != nil {
		return err
	}
	h := resultHeader{Meta: a.Meta, History: a.History, Dockerfile: a.Dockerfile, Unscanned: a.Unscanned}
	for name, doc := range a.Documents {
		h.Documents = append(h.Documents, name)
		if err := os.WriteFile(filepath.Join(dir.result, resultDoc+name), doc, 0o600); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir.result, resultSBOM), a.SBOM, 0o600); err != nil {
		return err
	}
	if err := writeEach(filepath.Join(dir.result, resultPackages), a.Packages); err != nil {
		return err
	}
	if err := writeEach(filepath.Join(dir.result, resultFiles), a.Files); err != nil {
		return err
	}
	return writeEach(filepath.Join(dir.result, resultHead), []resultHeader{h})
}

func writeEach[T any](path string, list []T) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	w := bufio.NewWriterSize(f, 256<<10)
	enc := json.NewEncoder(w)
	for i := range list {
		if err := enc.Encode(&list[i]); err != nil {
			return err
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// reader of results keeps to the folder and to the bytes that are left.
type resultReader struct {
	root *os.Root
	left int64
}

// readResult reads what a child has left. The manifest is not its to say.
func readResult(dir jobDir, limits Limits) (a engine.Analysis, err error) {
	job, err := os.OpenRoot(dir.root)
	if err != nil {
		return a, err
	}
	defer job.Close()
	root, err := job.OpenRoot(filepath.Base(dir.result)) // no link to elsewhere
	if err != nil {
		return a, fmt.Errorf("%w: %w", errResult, err)
	}
	defer root.Close()
	r := &resultReader{root, maxResult}
	heads, err := readEach[resultHeader](r, resultHead, 1)
	if err != nil {
		return a, err
	}
	if len(heads) != 1 || len(heads[0].Documents) > maxDocs {
		return a, fmt.Errorf("%w: %s", errResult, resultHead)
	}
	h := heads[0]
	a = engine.Analysis{
		Meta: h.Meta, History: h.History, Dockerfile: engine.Text(h.Dockerfile, maxDockerfile),
		Unscanned: engine.Text(h.Unscanned, maxSaidText), Documents: map[string][]byte{},
	}
	for _, name := range h.Documents {
		if !reDocName.MatchString(name) {
			return a, fmt.Errorf("%w: document %q", errResult, engine.Text(name, 100))
		}
		if a.Documents[name], err = r.all(resultDoc + name); err != nil {
			return a, err
		}
	}
	if a.SBOM, err = r.all(resultSBOM); err != nil {
		return a, err
	}
	if a.Packages, err = readEach[engine.Package](r, resultPackages, maxPackages); err != nil {
		return a, err
	}
	a.Files, err = readEach[engine.File](r, resultFiles, int(limits.orDefault().Entries))
	return a, err
}

// open opens a file of the folder that is nothing else, such as a pipe that
// never ends, and counts its bytes.
func (r *resultReader) open(name string) (*os.File, error) {
	f, err := r.root.OpenFile(name, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errResult, err)
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%w: %s is no file", errResult, name)
	}
	if err == nil && info.Size() > r.left {
		err = &engine.Fault{
			Kind: engine.ErrInvalid, Message: fmt.Sprintf("The image cannot be analyzed: what was found in it is more than %d MB.", maxResult>>20),
			Cause: &engine.Problem{Cause: engine.CauseTooLarge, Err: errResult},
		}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	r.left -= info.Size()
	return f, nil
}

func (r *resultReader) all(name string) ([]byte, error) {
	f, err := r.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	body := make([]byte, info.Size())
	if _, err := io.ReadFull(f, body); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", errResult, name, err)
	}
	return body, nil
}

func readEach[T any](r *resultReader, name string, most int) ([]T, error) {
	f, err := r.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bufio.NewReaderSize(io.LimitReader(f, info.Size()), 256<<10))
	list := []T{}
	for {
		var v T
		switch err := dec.Decode(&v); {
		case errors.Is(err, io.EOF):
			return list, nil
		case err != nil:
			return nil, fmt.Errorf("%w: %s: %w", errResult, name, err)
		case len(list) == most:
			return nil, fmt.Errorf("%w: %s has more than %d entries", errResult, name, most)
		}
		list = append(list, v)
	}
}
