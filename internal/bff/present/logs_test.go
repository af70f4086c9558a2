package present

import (
	"reflect"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

func TestLogParts(t *testing.T) {
	text := func(s string) view.Part { return view.Part{Text: s} }
	mark := func(s string) view.Part { return view.Part{Text: s, Kind: "mark"} }
	key := func(s string) view.Part { return view.Part{Text: s, Kind: "key"} }
	tests := map[string]struct {
		q    engine.LogQuery
		in   string
		want []view.Part
	}{
		"nothing searched":  {engine.LogQuery{}, "sync done n=1 took=2s", []view.Part{text("sync done "), key("n="), text("1 "), key("took="), text("2s")}},
		"keys within text":  {engine.LogQuery{}, `x err="a b=c \" d=e" f=g`, []view.Part{text("x "), key("err="), text(`"a b=c \" d=e" `), key("f="), text("g")}},
		"text, in any case": {engine.LogQuery{Text: "a.b"}, "xA.Bx aab", []view.Part{text("x"), mark("A.B"), text("x aab")}},
		"a pattern":         {engine.LogQuery{Text: `\d+`, Regex: true}, "a 12 b 3", []view.Part{text("a "), mark("12"), text(" b "), mark("3")}},
		"an empty match":    {engine.LogQuery{Text: `x*`, Regex: true}, "ab", []view.Part{text("ab")}},
		"what must not be":  {engine.LogQuery{Text: "a", Invert: true}, "bcd", []view.Part{text("bcd")}},
		"an empty line":     {engine.LogQuery{Text: "a"}, "", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := NewLogRows(LogForm{Query: tc.q}, Clock{}).parts(tc.in); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("parts(%q)\n got %+v\nwant %+v", tc.in, got, tc.want)
			}
		})
	}
}

// TestLogRowsTellDays puts a day above its first line, in the zone of the
// reader.
func TestLogRowsTellDays(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	at := time.Date(2026, 11, 22, 21, 59, 0, 0, time.UTC)
	rows := NewLogRows(LogForm{}, Clock{Zone: zone}).Rows([]engine.LogLine{{At: at}, {At: at.Add(time.Second)}, {At: at.Add(time.Hour)}})
	want := []string{"Sunday, 22 November 2026", "", "Monday, 23 November 2026"}
	for i, r := range rows {
		if r.Day != want[i] {
			t.Errorf("row %d: day %q, want %q", i, r.Day, want[i])
		}
	}
}

func TestLogGap(t *testing.T) {
	tests := map[string]engine.LogFrame{
		"": {},
		"1,234 lines skipped while the viewer was behind":                         {Skipped: 1234},
		"1 line skipped while the viewer was behind":                              {Skipped: 1},
		"Lines are missing here: rotation removed files before they were read":    {Gap: true},
		"More than 2 lines skipped: rotation removed files before they were read": {Gap: true, Skipped: 2},
	}
	for want, f := range tests {
		if got := LogGap(f); got != want {
			t.Errorf("LogGap(%+v) = %q, want %q", f, got, want)
		}
	}
}
