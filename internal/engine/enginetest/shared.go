package enginetest

import (
	"os"
	"path/filepath"
	"testing"
)

// Shared finds a path below the folder of real feeds, images and reference
// results that may stand beside the project, and skips the test where it does
// not: a fresh clone alone must pass.
func Shared(t testing.TB, path string) string {
	t.Helper()
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
