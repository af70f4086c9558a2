package bundles

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// maxFiles bounds how many bundles a folder may give every new account, and
// maxFile how much of a file is read: more than a bundle may have.
const (
	maxFiles = 200
	maxFile  = 32 << 20
)

// First is the bundles that an account begins with: the default one, which is
// made active, and every *.json of a folder. A file with the id of the default
// bundle takes its place. All faults of the folder are reported together.
func First(dir string) (engine.PolicySet, error) {
	std, err := Read("", policy.Default())
	if err != nil {
		return engine.PolicySet{}, fmt.Errorf("default bundle: %w", err)
	}
	set := engine.PolicySet{Bundles: []engine.PolicyBundle{std}, Active: std.ID}
	if dir == "" {
		return set, nil
	}
	if info, err := os.Stat(dir); err != nil {
		return set, err
	} else if !info.IsDir() {
		return set, fmt.Errorf("%s is not a folder", dir)
	}
	names, err := fs.Glob(os.DirFS(dir), "*.json")
	if err != nil {
		return set, err
	}
	if len(names) > maxFiles {
		return set, fmt.Errorf("%s holds %d bundles: at most %d", dir, len(names), maxFiles)
	}
	from := map[string]string{}
	var errs []error
	for _, name := range names {
		b, err := readFile(filepath.Join(dir, name))
		if err == nil && from[b.ID] != "" {
			err = fmt.Errorf("has the id of %s", from[b.ID])
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
			continue
		}
		from[b.ID] = name
		if b.ID == std.ID {
			set.Bundles[0] = b
		} else {
			set.Bundles = append(set.Bundles, b)
		}
	}
	return set, errors.Join(errs...)
}

func readFile(name string) (engine.PolicyBundle, error) {
	f, err := os.Open(name)
	if err != nil {
		return engine.PolicyBundle{}, err
	}
	defer f.Close()
	document, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return engine.PolicyBundle{}, err
	}
	b, err := Read("", document)
	var fault *engine.Fault
	if errors.As(err, &fault) && fault.Detail != nil {
		return b, fmt.Errorf("%w: %v", err, fault.Detail["validation_details"])
	}
	return b, err
}
