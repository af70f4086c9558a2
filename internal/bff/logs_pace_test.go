package bff

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"windlass/internal/engine"
)

// TestLogPace sends a single line at once, many in bounded messages, and loses
// count of none.
func TestLogPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		cursor := func(n int) engine.LogCursor { return engine.LogCursor{catalogLog: {Offset: int64(n)}} }
		p := newLogPace(cursor(0))
		add := func(from, to, skipped int) {
			f := engine.LogFrame{Skipped: skipped, Last: cursor(to)}
			for n := from; n < to; n++ {
				f.Lines = append(f.Lines, logLine(engine.Catalog, "info", "line", int64(n)))
			}
			if err := p.add(f); err != nil {
				t.Error(err)
			}
		}
		began, next := time.Now(), 0
		var at []time.Duration
		enough := errors.New("enough")
		add(0, 1, 0)
		err := p.run(ctx, func(f engine.LogFrame, from engine.LogCursor) error {
			at = append(at, time.Since(began))
			if from[catalogLog].Offset != int64(next) {
				t.Errorf("message %d is from %v, want %d", len(at), from, next)
			}
			next += f.Skipped
			for _, l := range f.Lines {
				if l.Offset != int64(next) {
					t.Fatalf("line %d, want %d", l.Offset, next)
				}
				next++
			}
			if len(f.Lines) > paceLines {
				t.Errorf("%d lines in a message", len(f.Lines))
			}
			switch len(at) {
			case 1:
				add(1, 201, 0)
				for n := 201; n < 2201; n += 200 {
					add(n, n+200, 0)
				}
				add(2301, 2401, 100) // the source itself passed over some
			case 2:
				if f.Skipped != 2300 || len(f.Lines) != 100 {
					t.Errorf("%d skipped, %d lines", f.Skipped, len(f.Lines))
				}
				add(2401, 3001, 0)
			case 3:
				return enough
			}
			return nil
		})
		if !errors.Is(err, enough) || next != 3001 || at[0] != 0 || at[1] != paceTime || at[2] != 2*paceTime {
			t.Errorf("%v: up to %d at %v", err, next, at)
		}
	})
}
