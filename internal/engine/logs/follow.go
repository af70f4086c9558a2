package logs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"time"

	"windlass/internal/engine"
)

const (
	maxFrame  = 200                    // lines
	frameTime = 100 * time.Millisecond // least time between two frames that are not full
	// readPause is the least time between two looks at the end of the files, so
	// that a writer of many lines does not wake a reader for each.
	readPause = 5 * time.Millisecond
	// poll is for changes that the watch lost, slowPoll for hosts without one.
	poll     = 2 * time.Second
	slowPoll = 200 * time.Millisecond
	// maxBehind is how many bytes of one log a follower may lie behind before
	// it passes over lines, and keepBehind how many it then still gets.
	maxBehind  = 1 << 20
	keepBehind = 128 << 10
)

// Follow delivers the lines that come after the cursor, in frames, until ctx
// ends (nil) or each returns an error. A service that the cursor does not name
// is followed from its end. Since, Before and Limit of the query are not used.
//
// It reads the files, like Tail: while each is busy, lines wait on disk. A
// follower that falls too far behind is told how many matching lines it was
// not given, and goes on near the end.
func (s *Set) Follow(ctx context.Context, q engine.LogQuery, after engine.LogCursor, each func(engine.LogFrame) error) error {
	return s.follow(ctx, q, after, maxBehind, each)
}

func (s *Set) follow(ctx context.Context, q engine.LogQuery, after engine.LogCursor, maxBehind int64, each func(engine.LogFrame) error) error {
	filter, err := compile(q)
	if err != nil {
		return err
	}
	wake, watched := s.watch.subscribe() // before the backlog, so that nothing falls between
	defer s.watch.unsubscribe(wake)
	f := &follower{set: s, filter: filter, maxBehind: maxBehind, each: each, last: engine.LogCursor{}}
	defer f.close()
	asked := services(q)
	if !s.asked(q) {
		asked = nil
	}
	for _, service := range asked {
		if err := f.add(service, after); err != nil {
			return fmt.Errorf("log of %s: %w", service, err)
		}
	}
	interval := slowPoll
	if watched {
		interval = poll
	}
	for ctx.Err() == nil {
		if err := f.read(ctx); err != nil {
			return err
		}
		wait := interval
		if f.waiting() {
			if wait = frameTime - time.Since(f.sent); wait <= 0 {
				if err := f.send(); err != nil {
					return err
				}
				continue
			}
		}
		if err := pause(ctx, wake, wait); err != nil {
			return nil
		}
	}
	return nil
}

// pause waits for a wake-up, not shorter than readPause and not longer than
// wait.
func pause(ctx context.Context, wake <-chan struct{}, wait time.Duration) error {
	long, short := time.NewTimer(wait), time.NewTimer(readPause)
	defer long.Stop()
	defer short.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-wake:
	case <-long.C:
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-short.C:
		return nil
	}
}

// follower is the state of one Follow.
type follower struct {
	set       *Set
	filter    *filter
	maxBehind int64
	each      func(engine.LogFrame) error
	heads     []*head
	frame     engine.LogFrame // without its lines
	found     []numbered
	taken     int
	last      engine.LogCursor // behind the last line taken, whether it matched or not
	sent      time.Time
}

func (f *follower) close() {
	for _, h := range f.heads {
		h.from.close()
	}
}

// add opens a service at its place.
func (f *follower) add(service string, after engine.LogCursor) error {
	r := &forward{set: f.set, service: service}
	src := f.set.source(service)
	f.heads = append(f.heads, &head{service: service, from: r, near: surroundings{n: f.filter.context}})
	return retry(func() error {
		p, bounded := after[src]
		var at place
		var err error
		if bounded {
			var known bool
			at, known, err = f.set.resolve(service, p)
			f.frame.Gap = f.frame.Gap || !known
		} else {
			at, p, err = f.set.end(service)
		}
		if err != nil {
			return err
		}
		f.last[src] = p
		if at.index == len(at.gens) {
			return nil // opened when it comes to be
		}
		return r.use(at.gens[at.index], at.off)
	})
}

// read takes all there is, in the order of time as far as it is known, and
// sends what fills a frame. Services that had nothing are asked again only
// once a frame: asking is two system calls.
func (f *follower) read(ctx context.Context) error {
	for n := 0; ; n++ {
		var h *head
		if n%maxFrame != 0 {
			h = f.pick()
		}
		if h == nil {
			if ctx.Err() != nil {
				return nil
			}
			if err := f.catchUp(ctx); err != nil {
				return err
			}
			if err := f.ask(); err != nil {
				return err
			}
			if h = f.pick(); h == nil {
				return nil
			}
		}
		f.take(h)
		if err := h.step(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if len(f.found) >= maxFrame {
			if err := f.send(); err != nil {
				return err
			}
		}
	}
}

// ask looks for a line of those services that have none waiting.
func (f *follower) ask() error {
	for _, h := range f.heads {
		if h.ok {
			continue
		}
		if err := h.step(); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// pick is the head with the oldest line.
func (f *follower) pick() *head {
	var best *head
	for _, h := range f.heads {
		if h.ok && (best == nil || h.at.Before(best.at)) {
			best = h
		}
	}
	return best
}

func (f *follower) take(h *head) {
	r := h.from.(*forward)
	f.taken++
	f.found = h.near.take(f.found, f.taken, f.filter.match(h.record), func() engine.LogLine { return h.line(h.service, f.set.host) })
	f.frame.Gap = f.frame.Gap || r.gap
	r.gap = false
	f.last[f.set.source(h.service)] = h.behind()
	h.ok = false
}

// catchUp passes over the lines of those services that lie too far behind,
// counting those that match.
func (f *follower) catchUp(ctx context.Context) error {
	for _, h := range f.heads {
		r := h.from.(*forward)
		ahead, err := r.ahead()
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("log of %s: %w", h.service, err)
		}
		if ahead <= f.maxBehind {
			continue
		}
		if err := f.skip(ctx, h, ahead-keepBehind); err != nil {
			return err
		}
	}
	return nil
}

func (f *follower) skip(ctx context.Context, h *head, bytes int64) error {
	if len(f.found) > 0 { // these come before the gap
		if err := f.send(); err != nil {
			return err
		}
	}
	h.near.forget()
	for n := 0; bytes > 0; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return nil
		}
		if !h.ok {
			if err := h.step(); err != nil {
				return err
			}
		}
		if !h.ok {
			return nil
		}
		if f.filter.match(h.record) {
			f.frame.Skipped++
		}
		bytes -= h.end - h.offset
		f.last[f.set.source(h.service)] = h.behind()
		h.ok = false
	}
	return nil
}

// waiting reports whether there is something to send.
func (f *follower) waiting() bool {
	return len(f.found) > 0 || f.frame.Skipped > 0 || f.frame.Gap
}

func (f *follower) send() error {
	frame := f.frame
	frame.Lines, frame.Last = inOrder(f.found), maps.Clone(f.last)
	f.frame, f.found = engine.LogFrame{}, f.found[:0]
	err := f.each(frame)
	f.sent = time.Now()
	return err
}
