package logs

import (
	"errors"
	"testing"
	"time"

	"windlass/internal/engine"
)

func TestParse(t *testing.T) {
	at := time.Date(2026, 11, 22, 21, 45, 0, 0, time.UTC)
	tests := map[string]struct {
		in                             string
		ok                             bool
		at                             time.Time
		level, component, module, text string
	}{
		"ours": {"2026-11-22 21:45:00.123+0000 [-] [feeds] [feeds/Run()] [WARN] feed sync retry n=1", true,
			at.Add(123 * time.Millisecond), "warn", "feeds", "feeds/Run()", "feed sync retry n=1"},
		"the guide's": {"2026-11-22 22:45:00+0100 [-] [MainThread] [anchore_engine.x/y()] [SPEW] a [b] c", true,
			at, "spew", "MainThread", "anchore_engine.x/y()", "a [b] c"},
		"no message":     {"2026-11-22 21:45:00+0000 [-] [c] [m] [INFO] ", true, at, "info", "c", "m", ""},
		"nothing at all": {"2026-11-22 21:45:00+0000 [-] [c] [m] [INFO]", true, at, "info", "c", "m", ""},
		"carriage":       {"2026-11-22 21:45:00+0000 [-] [c] [m] [INFO] x\r", true, at, "info", "c", "m", "x"},
		"unknown level":  {"2026-11-22 21:45:00+0000 [-] [c] [m] [LOUD] x", false, time.Time{}, "", "", "", "2026-11-22 21:45:00+0000 [-] [c] [m] [LOUD] x"},
		"stack":          {"\tmain.main()", false, time.Time{}, "", "", "", "\tmain.main()"},
		"empty":          {"", false, time.Time{}, "", "", "", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			r, ok := parse([]byte(tc.in))
			if ok != tc.ok || !r.at.Equal(tc.at) || r.level != tc.level || string(r.component) != tc.component ||
				string(r.module) != tc.module || string(r.text) != tc.text {
				t.Errorf("parse(%q) = %v, %q [%s] [%s] [%s] %s", tc.in, ok, r.at, r.component, r.module, r.level, r.text)
			}
		})
	}
}

// FuzzLine feeds foreign bytes to the parser, and sends the same bytes through
// the handler's encoding, which must give them back as one line.
func FuzzLine(f *testing.F) {
	for _, s := range []string{
		"2026-11-22 21:45:00.123+0000 [-] [feeds] [feeds/Run()] [WARN] feed sync retry n=1",
		"2026-11-22 21:45:00+0000 [-] [] [] [INFO]", "2026-11-22 ", "\x1b[2J", "",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		parse(b)
		line := append([]byte("2026-11-22 21:45:00.123+0000 [-] ["), plainName(string(b))...)
		line = append(appendPlain(append(line, "] [a/b()] [INFO] "...), string(b)), ' ')
		line = appendQuoted(append(appendKey(line, string(b)), '='), string(b))
		for _, c := range line {
			if c < ' ' || c == 0x7f {
				t.Fatalf("%q passed in %q", c, line)
			}
		}
		if r, ok := parse(line); !ok || r.level != "info" || string(r.module) != "a/b()" {
			t.Errorf("%q reads as %v %s %s", line, ok, r.level, r.module)
		}
	})
}

func TestCompileRefuses(t *testing.T) {
	tests := map[string]engine.LogQuery{
		"an unknown service": {Services: []string{"mail"}},
		"an unknown level":   {Level: "loud"},
		"a bad pattern":      {Text: "a(", Regex: true},
		"a huge pattern":     {Text: string(make([]byte, maxPattern+1))},
	}
	for name, q := range tests {
		if _, err := compile(q); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
}
