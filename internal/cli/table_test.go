package cli

import (
	"encoding/json"
	"testing"
)

func TestPlainTable(t *testing.T) {
	tests := map[string]struct {
		rows    [][]any
		sort    int
		reverse bool
		want    string
		err     string
	}{
		"no rows, no header": {},
		"padded to the widest, trailing blanks kept": {
			rows: [][]any{{"bb", nil}, {"a", true}},
			want: "One        Two         \na          True        \nbb         None        ",
		},
		"numbers as numbers, ties by the first column": {
			rows: [][]any{{"b", json.Number("9")}, {"a", json.Number("10")}, {"c", json.Number("10")}}, sort: 1, reverse: true,
			want: "One        Two        \nc          10         \na          10         \nb          9          ",
		},
		"a cell of two lines": {
			rows: [][]any{{"x\ny", "z"}},
			want: "One        Two        \nx          z          \ny                     ",
		},
		"wide characters take two columns": {
			rows: [][]any{{"日本語", "z"}},
			want: "One           Two        \n日本語        z          ",
		},
		"null beside text cannot be sorted": {
			rows: [][]any{{"b", "x"}, {nil, "x"}},
			err:  "'<' not supported between instances of 'NoneType' and 'str'",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tb, r := columns("One", "Two"), &reader{}
			for _, row := range tc.rows {
				tb.row(row...)
			}
			tb.sort(r, tc.sort, tc.reverse)
			if r.err != nil || tc.err != "" {
				if r.err == nil || r.err.Error() != tc.err {
					t.Errorf("fault %v, want %s", r.err, tc.err)
				}
				return
			}
			if got := (&app{}).plain(tb); got != tc.want {
				t.Errorf("got\n%q\nwant\n%q", got, tc.want)
			}
		})
	}
}

func TestWrapped(t *testing.T) {
	tests := map[string]struct {
		in    any
		limit int
		want  any
	}{
		"short":                         {"one two", 20, "one two"},
		"the first line has one less":   {"aaaa bbbb", 9, "aaaa\nbbbb"},
		"further lines have all":        {"aaaa bbbb cccc", 9, "aaaa\nbbbb cccc"},
		"a long word stays whole":       {"a incomprehensibilities b", 5, "a\nincomprehensibilities\nb"},
		"lines of its own are left":     {"a\nb", 20, "a\nb"},
		"what is no text is left alone": {nil, 20, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := wrapped(tc.in, tc.limit); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestTerminal(t *testing.T) {
	table := func() *table {
		tb := columns("ID", "Severity")
		tb.row("CVE-1\x1b[2J", "Critical")
		tb.row("CVE-22", "Low")
		return tb
	}
	tests := map[string]struct {
		env  map[string]string
		want string
	}{
		"colour":        {want: bold + "ID" + normal + "        " + bold + "Severity" + normal + "\nCVE-1[2J  " + bold + red + "Critical" + normal + "\nCVE-22    Low"},
		"NO_COLOR":      {env: map[string]string{"NO_COLOR": "1"}, want: "ID        Severity\nCVE-1[2J  Critical\nCVE-22    Low"},
		"dumb terminal": {env: map[string]string{"TERM": "dumb"}, want: piped(table())},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			a := &app{style: newStyle(World{Env: lookup(tc.env), OutTerminal: true})}
			got := a.plain(table())
			if got != tc.want {
				t.Errorf("got\n%q\nwant\n%q", got, tc.want)
			}
		})
	}
}

func piped(tb *table) string { return (&app{}).plain(tb) }

func TestCalm(t *testing.T) {
	const foreign = "Distro: \x1b[2J\x1b]0;title\a\u009b31mdebian\n\tstill " + red + "red" + normal
	if got, want := (style{terminal: true}).calm(foreign), "Distro: [2J]0;title31mdebian\n\tstill "+red+"red"+normal; got != want {
		t.Errorf("on a terminal %q, want %q", got, want)
	}
	if got := (style{}).calm(foreign); got != foreign {
		t.Errorf("piped %q, want it as it came", got)
	}
}
