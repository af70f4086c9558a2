package relay

import (
	"bufio"
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/logs"
)

// FuzzFrame reads what another host might send: whatever it is, the lines are
// of that host and within bounds.
func FuzzFrame(f *testing.F) {
	for _, s := range []string{
		"{}\n", `{"lines":[{"s":"catalog","t":"x","o":1,"g":"ab","l":"warn"}],"last":"two~catalog-ab-2"}` + "\n", `{"lines":[{"s":"mail"}]}` + "\n",
		`{"skipped":-5,"last":"one~catalog-ab-2"}` + "\n", `{"lines":[{"s":"catalog","g":"../","o":-1}]}` + "\n", "\n", "null\n", `{"last":"x"}` + "\n", strings.Repeat("x", 70_000),
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		line, err := readLine(bufio.NewReader(bytes.NewReader(body)))
		if err != nil {
			return
		}
		var w wireFrame
		if json.Unmarshal(line, &w) != nil {
			return
		}
		frame, err := w.frame("two")
		if err != nil {
			return
		}
		for _, l := range frame.Lines {
			if l.Host != "two" || l.Offset < 0 || !engine.LogGeneration(l.Generation) || len(l.Text) > logs.MaxText {
				t.Errorf("line %+v", l)
			}
			if _, err := engine.ParseLogCursor(engine.LogCursor{l.Source(): l.Position()}.String()); err != nil {
				t.Errorf("its position: %v", err)
			}
		}
		for src := range frame.Last {
			if src.Host != "two" {
				t.Errorf("a position of %v", src)
			}
		}
		if frame.Skipped < 0 {
			t.Errorf("%d skipped", frame.Skipped)
		}
	})
}
