package spool

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"windlass/internal/engine"
)

func TestFile(t *testing.T) {
	broken := errors.New("broken")
	for name, tc := range map[string]struct {
		r    io.Reader
		want error
	}{
		"all of it": {strings.NewReader("12345"), nil},
		"too much":  {strings.NewReader("123456"), engine.ErrInvalid},
		"broken":    {io.MultiReader(strings.NewReader("12"), iotest.ErrReader(broken)), broken},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			f, err := File(dir, tc.r, 5)
			if !errors.Is(err, tc.want) {
				t.Fatalf("%v, want %v", err, tc.want)
			}
			if left, _ := os.ReadDir(dir); len(left) != 0 {
				t.Errorf("left %v", left)
			}
			if err != nil {
				return
			}
			defer f.Close()
			if got, err := io.ReadAll(f); string(got) != "12345" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	if _, err := File(t.TempDir()+"/nope", strings.NewReader(""), 1); err == nil {
		t.Error("there is no such folder")
	}
}
