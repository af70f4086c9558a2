package enginetest

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Shared finds a path below the folder of real feeds, images and reference
// results that may stand beside the project, and skips the test where it does
// not: a fresh clone alone must pass. Tests on the real feed run without the
// race detector.
func Shared(t testing.TB, path string) string {
	t.Helper()
	if raceDetector && strings.HasPrefix(path, "data/feed") {
		t.Skip("indexing the real feed takes minutes under the race detector: make test runs this without it")
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "shared", "data")); err == nil {
			found := filepath.Join(dir, "shared", path)
			if _, err := os.Stat(found); err != nil {
				t.Skipf("no %s beside the project", path)
			}
			return found
		}
	}
	t.Skipf("no folder shared beside the project: %s is needed", path)
	return ""
}

// NoRace skips a test that the race detector would make take minutes, or
// memory that it must not.
func NoRace(t testing.TB) {
	t.Helper()
	if raceDetector {
		t.Skip("not under the race detector")
	}
}
