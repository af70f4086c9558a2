package bff

import (
	"context"
	"slices"
	"sync"
	"time"

	"windlass/internal/engine"
)

const (
	// paceTime is the least time between two messages to a viewer, and paceLines
	// the most lines of one. Nobody reads 2,500 lines a second: drawing more would
	// only keep the browser and the console busy.
	paceTime  = 100 * time.Millisecond
	paceLines = 250
)

// logPace stands between a log that is followed and a viewer. A single line
// passes at once; of many only the newest do, and the rest are counted. Those
// who write and those who read the log never wait for the viewer.
type logPace struct {
	mu      sync.Mutex
	waiting engine.LogFrame
	any     bool
	wake    chan struct{}
	from    engine.LogCursor // before the first line that waits
}

func newLogPace(after engine.LogCursor) *logPace {
	return &logPace{wake: make(chan struct{}, 1), from: after}
}

// add takes a frame.
func (p *logPace) add(f engine.LogFrame) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := &p.waiting
	w.Gap = w.Gap || f.Gap
	if f.Skipped > 0 { // what waits comes before the gap, and joins it
		w.Skipped += len(w.Lines) + f.Skipped
		w.Lines = w.Lines[:0]
	}
	w.Lines = append(w.Lines, f.Lines...)
	if over := len(w.Lines) - paceLines; over > 0 {
		w.Skipped += over
		w.Lines = slices.Delete(w.Lines, 0, over)
	}
	w.Failed, w.Back, w.Last = append(w.Failed, f.Failed...), append(w.Back, f.Back...), f.Last
	p.any = true
	select {
	case p.wake <- struct{}{}:
	default:
	}
	return nil
}

// take gives what waits and where it begins.
func (p *logPace) take() (f engine.LogFrame, from engine.LogCursor, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f, from, ok = p.waiting, p.from, p.any
	p.waiting, p.any = engine.LogFrame{}, false
	if ok {
		p.from = f.Last
	}
	return f, from, ok
}

// run sends what is added until ctx ends (nil) or send fails.
func (p *logPace) run(ctx context.Context, send func(f engine.LogFrame, from engine.LogCursor) error) error {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-pause.C:
		}
		select {
		case <-ctx.Done():
			return nil
		case <-p.wake:
		}
		pause.Reset(paceTime)
		if f, from, ok := p.take(); ok {
			if err := send(f, from); err != nil {
				return err
			}
		}
	}
}
