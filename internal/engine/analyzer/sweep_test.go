package analyzer

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"
)

type layouts map[string]bool

func (l layouts) UploadLayouts(context.Context) (map[string]bool, error) { return l, nil }

func TestSweepKeepsWhatIsNeededOrNew(t *testing.T) {
	s := &Spool{root: t.TempDir()}
	old := time.Now().Add(-24 * time.Hour)
	for name, at := range map[string]time.Time{"needed": old, "gone": old, "incoming-1": old, "fresh": time.Now()} {
		dir := filepath.Join(s.Uploads(), name)
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(dir, at, at); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.sweepOnce(t.Context(), layouts{"needed": true}, time.Now().Add(-time.Hour), slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"needed": true, "gone": false, "incoming-1": false, "fresh": true} {
		if _, err := os.Stat(filepath.Join(s.Uploads(), name)); (err == nil) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
}
