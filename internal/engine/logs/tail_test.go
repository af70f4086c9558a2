package logs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

var began = time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)

// write puts lines into a service's files, n to a file, one every step from
// began on.
func write(t testing.TB, dir, service string, total, perFile int, step time.Duration, level func(i int) string) {
	t.Helper()
	var b strings.Builder
	name := func(at time.Time, current bool) string {
		if current {
			return engine.LogFileNames[service]
		}
		return strings.TrimSuffix(engine.LogFileNames[service], ".log") + at.Format("-2006-01-02T15-04-05.000") + "-size.log"
	}
	for i := range total {
		at := began.Add(time.Duration(i) * step)
		fmt.Fprintf(&b, "%s [-] [%s] [test/write()] [%s] line n=%d.\n", at.Format(timeLayout), service, level(i), i)
		if end := i == total-1; end || (i+1)%perFile == 0 {
			if err := os.WriteFile(filepath.Join(dir, name(at, end)), []byte(b.String()), 0o640); err != nil {
				t.Fatal(err)
			}
			b.Reset()
		}
	}
}

func info(int) string { return "INFO" }

func number(l engine.LogLine) int {
	var n int
	_, _ = fmt.Sscanf(l.Text[strings.Index(l.Text, "n="):], "n=%d", &n)
	return n
}

func numbers(lines []engine.LogLine) []int {
	var ns []int
	for _, l := range lines {
		ns = append(ns, number(l))
	}
	return ns
}

func count(from, to int) []int {
	var ns []int
	for i := from; i < to; i++ {
		ns = append(ns, i)
	}
	return ns
}

func tailOf(t *testing.T, s *Set, q engine.LogQuery) engine.LogPage {
	t.Helper()
	p, err := s.Tail(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestTailMergesServicesByTime(t *testing.T) {
	s := open(t, Options{})
	write(t, s.dir, engine.Catalog, 1000, 300, 2*time.Second, info)
	write(t, s.dir, engine.Analyzer, 3000, 450, 700*time.Millisecond, info)
	p := tailOf(t, s, engine.LogQuery{Limit: 2500})
	if len(p.Lines) != 2500 || !p.More {
		t.Fatalf("%d lines, more %v", len(p.Lines), p.More)
	}
	if !slices.IsSortedFunc(p.Lines, func(a, b engine.LogLine) int { return a.At.Compare(b.At) }) {
		t.Error("the lines are not in the order of time")
	}
	l := p.Lines[len(p.Lines)-1]
	if l.Service != engine.Analyzer || number(l) != 2999 || l.Host != "host-1" || l.Module != "test/write()" || l.Component != engine.Analyzer || l.Level != "info" {
		t.Errorf("last is %+v", l)
	}
}

// TestPagesMeetExactly walks the whole log in both directions by the cursors
// of its pages.
func TestPagesMeetExactly(t *testing.T) {
	s := open(t, Options{})
	const total = 20_000 // several blocks, many lines in a millisecond
	write(t, s.dir, engine.Catalog, total, 7000, 100*time.Microsecond, info)
	var back []int
	q := engine.LogQuery{Services: []string{engine.Catalog}, Limit: 999}
	for more := true; more; {
		p := tailOf(t, s, q)
		back = append(numbers(p.Lines), back...)
		q.Until, more = p.First, p.More
	}
	if !slices.Equal(back, count(0, total)) {
		t.Errorf("backward: %d lines, want %d", len(back), total)
	}
	var forth []int
	q = engine.LogQuery{Services: []string{engine.Catalog}, Limit: 999, Oldest: true}
	for more := true; more; {
		p := tailOf(t, s, q)
		forth = append(forth, numbers(p.Lines)...)
		q.From, more = p.Last, p.More
	}
	if !slices.Equal(forth, count(0, total)) {
		t.Errorf("forward: %d lines, want %d", len(forth), total)
	}
}

func TestTailBounds(t *testing.T) {
	s := open(t, Options{})
	const total = 50_000
	write(t, s.dir, engine.Catalog, total, 20_000, time.Second, func(i int) string {
		if i%1000 == 0 {
			return "ERROR"
		}
		return "INFO"
	})
	at := func(n int) time.Time { return began.Add(time.Duration(n) * time.Second) }
	tests := map[string]struct {
		q    engine.LogQuery
		want []int
	}{
		"newest":               {engine.LogQuery{Limit: 3}, count(total-3, total)},
		"before":               {engine.LogQuery{Limit: 3, Before: at(31_000)}, count(30_997, 31_000)},
		"before, at a seam":    {engine.LogQuery{Limit: 3, Before: at(20_001)}, count(19_998, 20_001)},
		"before everything":    {engine.LogQuery{Limit: 3, Before: at(0)}, nil},
		"after everything":     {engine.LogQuery{Limit: 3, Before: at(total + 9)}, count(total-3, total)},
		"since":                {engine.LogQuery{Since: at(total - 2)}, count(total-2, total)},
		"since, from there on": {engine.LogQuery{Oldest: true, Limit: 3, Since: at(12_345)}, count(12_345, 12_348)},
		"since a seam":         {engine.LogQuery{Oldest: true, Limit: 3, Since: at(39_999)}, count(39_999, 40_002)},
		"between":              {engine.LogQuery{Since: at(10), Before: at(13)}, count(10, 13)},
		"between, forward":     {engine.LogQuery{Oldest: true, Since: at(10), Before: at(13)}, count(10, 13)},
		"errors":               {engine.LogQuery{Level: "error", Limit: 2}, []int{48_000, 49_000}},
		"text":                 {engine.LogQuery{Text: "N=4321."}, []int{4321}},
		"pattern":              {engine.LogQuery{Text: `n=\d\d\.$`, Regex: true, Limit: 2}, []int{98, 99}},
		"inverted":             {engine.LogQuery{Text: "9.", Invert: true, Limit: 2}, []int{total - 3, total - 2}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.q.Services = []string{engine.Catalog}
			if got := numbers(tailOf(t, s, tc.q).Lines); !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}

// TestForeignLines has what other programs leave in a log: a stack below its
// message, a line beyond any bound, an unfinished line.
func TestForeignLines(t *testing.T) {
	s := open(t, Options{})
	head := "2026-11-22 10:00:00.000+0000 [-] [c] [m] [ERROR] panic n=1"
	long := strings.Repeat("x", 300<<10)
	body := "orphan\n" + head + "\n\tgoroutine 1\n\tmain.go:7\n" + long + "\nlast\nunfinish"
	if err := os.WriteFile(s.path(engine.LogFileNames[engine.Catalog]), []byte(body), 0o640); err != nil {
		t.Fatal(err)
	}
	for _, oldest := range []bool{false, true} {
		p := tailOf(t, s, engine.LogQuery{Services: []string{engine.Catalog}, Oldest: oldest})
		var got []string
		for i, l := range p.Lines {
			got = append(got, l.Text[:min(len(l.Text), 12)])
			if i > 0 && (l.Level != "error" || !l.At.Equal(began)) {
				t.Errorf("oldest %v: line %d has level %q at %v", oldest, i, l.Level, l.At)
			}
			if len(l.Text) > maxLine+len(cutMark) {
				t.Errorf("oldest %v: line %d has %d bytes", oldest, i, len(l.Text))
			}
		}
		want := []string{"orphan", "panic n=1", "\tgoroutine 1", "\tmain.go:7", "xxxxxxxxxxxx", "last"}
		if !slices.Equal(got, want) {
			t.Errorf("oldest %v: got %q, want %q", oldest, got, want)
		}
	}
}

func TestSearchIsBounded(t *testing.T) {
	s := open(t, Options{})
	f, err := os.Create(s.path(engine.LogFileNames[engine.Catalog]))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	line := began.Format(timeLayout) + " [-] [c] [m] [INFO] needle " + strings.Repeat("x", 60<<10) + "\n"
	for i := 0; i < maxSearched+8<<20; i += len(line) {
		if _, err := f.WriteString(line); err != nil {
			t.Fatal(err)
		}
		line = strings.Replace(line, "needle", "nothing", 1)
	}
	q := engine.LogQuery{Text: "needle", Services: []string{engine.Catalog}}
	p := tailOf(t, s, q)
	if len(p.Lines) != 0 || !p.More || !p.Seen.Equal(began) {
		t.Errorf("%d lines, more %v, seen %v", len(p.Lines), p.More, p.Seen)
	}
	q.Until = p.First
	if p = tailOf(t, s, q); len(p.Lines) != 1 || p.More {
		t.Errorf("continued: %d lines, more %v", len(p.Lines), p.More)
	}
}

func TestFiles(t *testing.T) {
	s := open(t, Options{})
	write(t, s.dir, engine.Catalog, 30, 10, time.Second, info)
	if err := os.WriteFile(s.path("anchore-catalog-secret.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := s.Files()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range files {
		if f.Service == engine.Catalog {
			names = append(names, f.Name)
		}
	}
	want := []string{"anchore-catalog.log", "anchore-catalog-2026-11-22T10-00-19.000-size.log", "anchore-catalog-2026-11-22T10-00-09.000-size.log"}
	if !slices.Equal(names, want) {
		t.Errorf("files are %q, want %q", names, want)
	}
	for _, name := range []string{"../x", "/etc/passwd", "anchore-catalog-secret.txt", ""} {
		if _, _, err := s.Open(name); engine.MessageOf(err, "") == "" {
			t.Errorf("Open(%q) = %v", name, err)
		}
	}
}
