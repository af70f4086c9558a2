package analyzer

import (
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
)

// Spool is the folder in which images are unpacked: jobs/ for what an analysis
// in hand needs, uploads/ for the layouts of uploaded images, tmp/ for syft and
// for bodies that come in. Nothing in jobs/ and tmp/ outlives the process that wrote it.
type Spool struct{ root string }

// OpenSpool prepares the folder and removes what a process that was killed has
// left. Syft and its libraries know no folder but the process's own for
// temporary files, so that becomes part of the spool here, where its size can
// be foreseen.
func OpenSpool(root string) (*Spool, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	for _, name := range []string{"jobs", "tmp"} {
		if err := os.RemoveAll(filepath.Join(root, name)); err != nil {
			return nil, fmt.Errorf("spool: %w", err)
		}
	}
	for _, name := range []string{"jobs", "tmp", "uploads"} {
		if err := os.MkdirAll(filepath.Join(root, name), 0o700); err != nil {
			return nil, fmt.Errorf("spool: %w", err)
		}
	}
	if err := os.Setenv("TMPDIR", filepath.Join(root, "tmp")); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	return &Spool{root: root}, nil
}

var reLayout = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Layout is the folder of an uploaded image by its name.
func (s *Spool) Layout(name string) (string, error) {
	if !reLayout.MatchString(name) {
		return "", fmt.Errorf("spool: %q names no layout", name)
	}
	return filepath.Join(s.root, "uploads", name), nil
}

// Uploads is the folder that uploaded images are kept in.
func (s *Spool) Uploads() string { return filepath.Join(s.root, "uploads") }

// Temporary is the folder of what does not outlive this process.
func (s *Spool) Temporary() string { return filepath.Join(s.root, "tmp") }

// job makes the folder of one analysis.
func (s *Spool) job() (jobDir, error) {
	root, err := os.MkdirTemp(filepath.Join(s.root, "jobs"), "")
	if err != nil {
		return jobDir{}, fmt.Errorf("spool: %w", err)
	}
	d := jobAt(root)
	for _, p := range []string{d.layout, d.layers, d.tmp} {
		if err := os.Mkdir(p, 0o700); err != nil {
			return jobDir{}, fmt.Errorf("spool: %w", err)
		}
	}
	return d, nil
}

// jobDir holds one image while it is analyzed.
type jobDir struct {
	root   string
	layout string // OCI layout, as pulled
	layers string // uncompressed layers
	tmp    string // for what libraries put aside
	result string // what the child found
	upload string // what was uploaded of an image that was analyzed elsewhere
}

func jobAt(root string) jobDir {
	return jobDir{
		root: root, layout: filepath.Join(root, "image"), layers: filepath.Join(root, "layers"),
		tmp: filepath.Join(root, "tmp"), result: filepath.Join(root, "result"),
		upload: filepath.Join(root, "import"),
	}
}

func (d jobDir) blob(digest string) string {
	return filepath.Join(d.layout, "blobs", "sha256", digest[len("sha256:"):])
}

// remove returns the space. A child may have left folders that their owner
// cannot enter.
func (d jobDir) remove(log *slog.Logger) {
	err := os.RemoveAll(d.root)
	if err != nil {
		_ = filepath.WalkDir(d.root, func(path string, e fs.DirEntry, err error) error {
			if e != nil && e.IsDir() {
				_ = os.Chmod(path, 0o700)
			}
			return nil
		})
		err = os.RemoveAll(d.root)
	}
	if err != nil {
		log.Warn("spool clean failed", "err", err)
	}
}
