package bff

import (
	"testing"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

// BenchmarkLogFrame draws a full frame of 200 lines.
func BenchmarkLogFrame(b *testing.B) {
	var f engine.LogFrame
	for i := range 200 {
		f.Lines = append(f.Lines, logLine(engine.Catalog, "info", `layer fetched digest=sha256:0be667e0 n=12 bytes=29127341 took=412ms cause="connection reset by peer"`, int64(i)))
	}
	rows := present.NewLogRows(present.LogForm{}, present.Clock{}, true)
	b.ReportAllocs()
	for range b.N {
		if _, err := encodeLogs(b.Context(), rows, f, ""); err != nil {
			b.Fatal(err)
		}
	}
}
