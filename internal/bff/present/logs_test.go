package present

import (
	"reflect"
	"slices"
	"strings"
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
		"steering signs":    {engine.LogQuery{Text: "red"}, "\x1b[31mred\x00 \u202egnp\u2069 a\tb", []view.Part{text("⟨ESC⟩[31m"), mark("red"), text("⟨U+0000⟩ ⟨U+202E⟩gnp⟨U+2069⟩ a\tb")}},
		"an empty line":     {engine.LogQuery{Text: "a"}, "", nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := NewLogRows(LogForm{Query: tc.q}, Clock{}, false).parts(tc.in); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("parts(%q)\n got %+v\nwant %+v", tc.in, got, tc.want)
			}
		})
	}
}

// TestLongLinesAreCut to the part that was searched for.
func TestLongLinesAreCut(t *testing.T) {
	long := strings.Repeat("é", 30_000) + "needle" + strings.Repeat("x", 500)
	rows := NewLogRows(LogForm{Query: engine.LogQuery{Text: "needle"}}, Clock{}, false).Rows([]engine.LogLine{{Text: long}})
	shown := ""
	for _, p := range rows[0].Text {
		shown += p.Text
	}
	if len(shown) > maxShown+20 || !strings.HasPrefix(shown, "… é") || !slices.Contains(rows[0].Text, view.Part{Text: "needle", Kind: "mark"}) || rows[0].Cut == "" {
		t.Errorf("shown are %d bytes, %q cut: %.80q", len(shown), rows[0].Cut, shown)
	}
}

func TestLogFields(t *testing.T) {
	tests := map[string]struct {
		in, message string
		want        []logField
	}{
		"none":           {"just words = no=", "just words =", []logField{{"no", "", "no="}}},
		"plain":          {"sync done n=1 took=2s", "sync done", []logField{{"n", "1", "n=1"}, {"took", "2s", "took=2s"}}},
		"quoted":         {`x err="a b=c \"d" n=2`, "x", []logField{{"err", `a b=c "d`, `err="a b=c \"d"`}, {"n", "2", "n=2"}}},
		"json in quotes": {`x v="{\"a\":1}"`, "x", []logField{{"v", "{\n  \"a\": 1\n}", `v="{\"a\":1}"`}}},
		"an object":      {`{"msg":"hi","n":12345678901234567890}`, "", []logField{{"msg", "hi", `"hi"`}, {"n", "12345678901234567890", "12345678901234567890"}}},
		"half an object": {`{"msg":"hi" n=1`, `{"msg":"hi"`, []logField{{"n", "1", "n=1"}}},
		"an open quote":  {`x a="b c=d`, "x", []logField{{"a", `"b`, `a="b`}, {"c", "d", "c=d"}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			message, got := logFields(tc.in)
			if message != tc.message || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("logFields(%q)\n got %q %+v\nwant %q %+v", tc.in, message, got, tc.message, tc.want)
			}
		})
	}
}

func FuzzLogFields(f *testing.F) {
	for _, s := range []string{"", "a b=c", `{"a":{"b":[1,2]}}`, `x y="z`, "{", `{"a"`, " a= b=\"\"", "\x1b[0m\u202e a=\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d := NewLogRows(LogForm{}, Clock{}, false).Detail(engine.LogLine{Service: engine.Catalog, Text: strings.ToValidUTF8(s, "")})
		if len(d.Fields) > maxFields {
			t.Errorf("%d fields", len(d.Fields))
		}
		for _, text := range []string{d.Message, d.Copy} {
			if hides(text) && visible(text) != text {
				t.Errorf("%q is not fit to be shown", text)
			}
		}
	})
}

// TestLogRowsTellDays puts a day above its first line, in the zone of the
// reader.
func TestLogRowsTellDays(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	at := time.Date(2026, 11, 22, 21, 59, 0, 0, time.UTC)
	rows := NewLogRows(LogForm{}, Clock{Zone: zone}, false).Rows([]engine.LogLine{{At: at}, {At: at.Add(time.Second)}, {At: at.Add(time.Hour)}})
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
