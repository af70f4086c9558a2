package engine_test

import (
	"testing"

	"windlass/internal/engine"
)

func TestSheetCell(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a=b": "a=b", "=1": "'=1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\r=x": "'\r=x", "\n=x": "'\n=x", "＝1": "'＝1", "é=": "é=",
	} {
		if got := engine.SheetCell(in); got != want {
			t.Errorf("SheetCell(%q) = %q, want %q", in, got, want)
		}
	}
}
