package relay

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/logs"
)

const (
	// gather is how long lines of one host wait for those of others that were
	// written before them.
	gather = 80 * time.Millisecond
	// enough lines are delivered at once.
	enough = 400
	// again bounds the pauses between two tries to reach a host.
	againFirst, againMost = time.Second, 30 * time.Second
	// look is how often the records are asked for hosts that have come.
	look = 10 * time.Second
)

// Follow delivers what comes behind a cursor on all hosts that are asked for,
// in frames, until ctx ends (nil) or each returns an error. Lines are in the
// order of time within a frame. A host that cannot be followed is told of once
// and tried again from where it was; hosts that join are followed from their
// end.
func (r *Reader) Follow(ctx context.Context, q engine.LogQuery, after engine.LogCursor, each func(engine.LogFrame) error) error {
	if err := logs.Check(q); err != nil {
		return err
	}
	if len(q.Hosts) == 1 && q.Hosts[0] == r.own.Host() {
		return r.own.Follow(ctx, q, after, each)
	}
	ctx, cancel := context.WithCancel(ctx)
	f := &following{reader: r, query: q, each: each, last: maps.Clone(after), said: make(chan said), on: map[string]bool{}}
	if f.last == nil {
		f.last = engine.LogCursor{}
	}
	defer f.hosts.Wait()
	defer cancel()
	return f.run(ctx)
}

// following is the state of one Follow.
type following struct {
	reader  *Reader
	query   engine.LogQuery
	each    func(engine.LogFrame) error
	said    chan said
	on      map[string]bool // hosts that are followed
	hosts   sync.WaitGroup
	last    engine.LogCursor
	frame   engine.LogFrame // gathered
	pending bool
}

// said is one thing heard of a host. Nobody waits in line behind it: a host
// whose word is not taken reads no further.
type said struct {
	host  string
	frame engine.LogFrame
	ended bool // it is not followed any more
}

func (f *following) run(ctx context.Context) error {
	f.start(ctx, false)
	ticks := time.NewTicker(look)
	defer ticks.Stop()
	flush := time.NewTimer(time.Hour)
	defer flush.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticks.C:
			f.start(ctx, true)
		case s := <-f.said:
			if s.ended {
				delete(f.on, s.host)
			}
			first := !f.pending
			f.add(s.frame)
			switch {
			case !f.pending:
			case len(f.frame.Lines) >= enough || len(f.on) < 2:
				if err := f.send(); err != nil {
					return err
				}
			case first:
				flush.Reset(gather)
			}
		case <-flush.C:
			if f.pending {
				if err := f.send(); err != nil {
					return err
				}
			}
		}
	}
}

// start follows the hosts that are asked for and not followed yet. Those that
// come late are announced when they answer.
func (f *following) start(ctx context.Context, late bool) {
	for _, h := range f.reader.choose(ctx, f.query.Hosts) {
		if f.on[h.host] || h.logs == nil {
			continue
		}
		f.on[h.host] = true
		after := of(f.last, h.host)
		f.hosts.Go(func() { f.host(ctx, h, after, late) })
	}
}

// host follows one host until ctx ends or its record is gone.
func (f *following) host(ctx context.Context, h chosen, after engine.LogCursor, failed bool) {
	q := f.query
	q.Hosts = nil
	for pause := againFirst; ; pause = min(2*pause, againMost) {
		err := h.logs.Follow(ctx, q, after, func(frame engine.LogFrame) error {
			if failed {
				frame.Back, failed, pause = append(frame.Back, h.host), false, againFirst
			}
			if frame.Last != nil {
				after = frame.Last
			}
			return f.say(ctx, said{host: h.host, frame: frame})
		})
		if ctx.Err() != nil {
			return
		}
		if !failed {
			failed = true
			fault := f.reader.faultOf(h.host, err)
			if f.say(ctx, said{host: h.host, frame: engine.LogFrame{Failed: []engine.LogHostFault{fault}}}) != nil {
				return
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		// Its services may have another address by now, or no record.
		now := f.reader.choose(ctx, []string{h.host})
		if now[0].logs == nil {
			_ = f.say(ctx, said{host: h.host, ended: true})
			return
		}
		h = now[0]
	}
}

func (f *following) say(ctx context.Context, s said) error {
	select {
	case f.said <- s:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// add gathers a frame.
func (f *following) add(g engine.LogFrame) {
	maps.Copy(f.last, g.Last)
	to := &f.frame
	to.Lines = append(to.Lines, g.Lines...)
	to.Skipped += g.Skipped
	to.Gap = to.Gap || g.Gap
	to.Failed = append(to.Failed, g.Failed...)
	to.Back = append(to.Back, g.Back...)
	f.pending = len(to.Lines) > 0 || to.Skipped > 0 || to.Gap || len(to.Failed) > 0 || len(to.Back) > 0
}

// send delivers what was gathered.
func (f *following) send() error {
	frame := f.frame
	f.frame, f.pending = engine.LogFrame{}, false
	if len(f.on) > 1 {
		slices.SortStableFunc(frame.Lines, func(a, b engine.LogLine) int { return a.At.Compare(b.At) })
	}
	frame.Last = maps.Clone(f.last)
	return f.each(frame)
}
