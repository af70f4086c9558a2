package bff

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"windlass/internal/bff/live"
	"windlass/internal/engine"
)

// How a page becomes live. One follower reads the engine's changes for the
// whole console and tells the sockets of every open page.
//
// Most pages need no code: a @Live part names the kinds of change that alter
// it, the socket tells the page that one happened, and the script fetches the
// part again, ten times a second at most.
//
// A long list registers a topic instead, so that a new row costs no query a
// browser. In NAMERoutes:
//
//	s.live.topic("events", topic{
//		kinds: []engine.ChangeKind{engine.ChangeEvent, engine.ChangeEventDeleted},
//		// what the list was drawn with, from the page's query
//		filter: func(q url.Values, who engine.Identity) func(item any) bool { ... },
//		// one change as a row, drawn once for all browsers
//		row: func(ctx context.Context, c engine.Change) (row, error) { ... },
//	})
//
// and the list is `<tbody id="events-rows" data-topic="events">` within a
// @Live part or a templ.Fragment of that id, by which it is fetched again when too
// much was missed. Place @NewRows("events") above it: rows that are not on the
// page yet gather behind it; those that are change in place.
type topic struct {
	kinds  []engine.ChangeKind
	filter func(q url.Values, who engine.Identity) func(item any) bool
	row    func(ctx context.Context, c engine.Change) (row, error)
}

// row is what a change does to a list: insert (or replace, when an element of
// that id is there) or, without HTML, remove. Item is what filters look at;
// nil passes all of them.
type row struct {
	ID   string // of the element; of several, with spaces between, to be removed
	HTML []byte
	Item any
}

// errNoRow says that a change does nothing to the list.
var errNoRow = errors.New("no row")

// follower is the one reader of the engine's changes.
type follower struct {
	engine Engine
	hub    *live.Hub
	log    *slog.Logger
	topics map[string]topic
	kinds  map[engine.ChangeKind][]string // topics by kind
	each   func(engine.Change)            // is told of every change before the pages are

	last    atomic.Int64 // the newest change that was read
	told    atomic.Int64 // the newest that every page has been offered
	stalled atomic.Bool  // changes cannot be read: pages say so
	begun   bool         // last has been set, of run alone
	primed  chan struct{}

	mu    sync.Mutex
	past  []engine.Change // the newest, in order, for browsers that come back
	drawn map[drawnKey]row
}

const (
	keepPast  = 2000
	rowTime   = 2 * time.Second
	retryLast = time.Second
	// After such a break some changes may have been trimmed before they were read.
	longBreak = 6 * time.Hour
	// A break that is over before is nobody's business.
	stallAfter = 1500 * time.Millisecond
)

func newFollower(e Engine, hub *live.Hub, log *slog.Logger) *follower {
	return &follower{engine: e, hub: hub, log: log, topics: map[string]topic{}, kinds: map[engine.ChangeKind][]string{},
		each: func(engine.Change) {}, primed: make(chan struct{}), drawn: map[drawnKey]row{}}
}

// topic registers a list's rows; while the server is being built, not later.
func (f *follower) topic(name string, t topic) {
	f.topics[name] = t
	for _, k := range t.kinds {
		f.kinds[k] = append(f.kinds[k], name)
	}
}

// seq is the number of the newest change that was told of.
func (f *follower) seq() int64 { return f.last.Load() }

// run follows until ctx ends, starting again where it stopped when the
// engine's connection is lost.
func (f *follower) run(ctx context.Context) {
	const first = 50 * time.Millisecond
	wait, lost := first, time.Time{}
	for ctx.Err() == nil {
		err := f.follow(ctx, func() {
			if !lost.IsZero() && time.Since(lost) > longBreak {
				f.restart(f.last.Load())
			}
			wait, lost = first, time.Time{}
			f.stall(false)
		})
		if ctx.Err() != nil {
			return
		}
		if lost.IsZero() {
			lost = time.Now()
			f.log.WarnContext(ctx, "changes lost", "error", err)
		}
		if time.Since(lost) > stallAfter {
			f.stall(true)
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, retryLast)
	}
}

// stall tells the pages that what they show may be out of date, and when that
// is over: their own connection stands all the while.
func (f *follower) stall(yes bool) {
	if f.stalled.Swap(yes) == yes {
		return
	}
	body := encode(frame{Do: doResumed})
	if yes {
		body = encode(frame{Do: doStalled})
	}
	f.hub.Offer(0, toLive(body))
}

// toLive picks a message for every page, and for no log viewer.
func toLive(body []byte) func(any) []byte {
	return func(v any) []byte {
		if len(v.(*subscription).wish.Load().names) == 0 {
			return nil
		}
		return body
	}
}

func (f *follower) follow(ctx context.Context, alive func()) error {
	n, err := f.engine.LastChange(ctx)
	if err != nil {
		return err
	}
	switch from := f.last.Load(); {
	case !f.begun:
		f.begun = true
		f.last.Store(n)
		f.told.Store(n)
		if n == 0 {
			f.ready()
		}
	case n < from: // another database, or an older copy of it
		f.restart(n)
	}
	alive()
	from := f.last.Load()
	if !f.isReady() {
		// The past comes with the first read, so that browsers that were open
		// while this program was not are told what they missed.
		from = max(0, from-keepPast)
	}
	return f.engine.Watch(ctx, from, func(c engine.Change) error {
		alive()
		if c.Seq <= f.last.Load() {
			f.keep(c)
			if c.Seq == f.last.Load() {
				f.ready()
			}
			if time.Since(c.At) < time.Minute { // a session may have been looked up before it
				f.each(c)
			}
			return nil
		}
		f.ready()
		f.tell(ctx, c)
		return nil
	})
}

// ready says that the past is read.
func (f *follower) ready() {
	if !f.isReady() {
		close(f.primed)
	}
}

func (f *follower) isReady() bool {
	select {
	case <-f.primed:
		return true
	default:
		return false
	}
}

// await waits for the past, not for long: without it a page is fetched again.
func (f *follower) await(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	select {
	case <-f.primed:
	case <-ctx.Done():
	}
}

// restart begins a new count of changes, at n: what any page shows is of
// unknown age.
func (f *follower) restart(n int64) {
	f.mu.Lock()
	f.past, f.drawn = nil, map[drawnKey]row{}
	f.last.Store(n)
	f.told.Store(n)
	f.mu.Unlock()
	f.hub.Offer(0, toLive(encode(frame{Seq: n, Do: doRefetch})))
}

// keep notes a change for those who come back.
func (f *follower) keep(c engine.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.past) > 0 && c.Seq <= f.past[len(f.past)-1].Seq {
		return // read again after a break in the first read
	}
	f.past = append(f.past, c)
	if len(f.past) > keepPast+keepPast/2 {
		f.past = append([]engine.Change(nil), f.past[len(f.past)-keepPast:]...)
		for k := range f.drawn {
			if k.seq < f.past[0].Seq {
				delete(f.drawn, k)
			}
		}
	}
	// After the past holds it and before it is offered: a socket that asks in
	// between is given it once, since what it was given is not offered to it.
	f.last.Store(max(c.Seq, f.last.Load()))
}

// tell offers one change to the sockets.
func (f *follower) tell(ctx context.Context, c engine.Change) {
	f.each(c)
	f.keep(c)
	m := f.message(ctx, c, f.wanted(c))
	f.hub.Offer(c.Seq, func(v any) []byte { return m.of(v.(*subscription).wish.Load()) })
	f.told.Store(c.Seq)
}

// wanted lists the topics of a change that an open page shows.
func (f *follower) wanted(c engine.Change) []string {
	var out []string
	for _, name := range f.kinds[c.Kind] {
		f.hub.Each(func(v any) bool {
			w := v.(*subscription).wish.Load()
			if w.filters[name] == nil || !w.sees(c) {
				return true
			}
			out = append(out, name)
			return false
		})
	}
	return out
}

// missed is what a browser that has seen everything up to after has to be
// told: the frames, or one that says to fetch all live parts again; and the
// number up to which that is all. Of several changes of one thing the last is
// enough.
func (f *follower) missed(ctx context.Context, after int64, w *wish) ([]live.Frame, int64) {
	f.mu.Lock()
	last := f.last.Load()
	known := after == last && after > 0 // a page drawn before the first change was heard is of unknown age
	var list []engine.Change
	if after > 0 && after < last && len(f.past) > 0 && f.past[0].Seq <= after+1 && f.past[len(f.past)-1].Seq == last {
		known = true
		type thing struct {
			kind engine.ChangeKind
			id   string
		}
		later := map[thing]bool{}
		for _, c := range slices.Backward(f.past) {
			if c.Seq <= after {
				break
			}
			if t := (thing{c.Kind, c.ID}); !later[t] && w.sees(c) && f.wants(w, c.Kind) {
				later[t] = true
				list = append(list, c)
			}
		}
	}
	f.mu.Unlock()
	switch {
	case len(w.names) == 0:
		return nil, last
	case !known || len(list) > maxMissed:
		return []live.Frame{{Seq: last, Body: encode(frame{Seq: last, Do: doRefetch})}}, last
	}
	slices.Reverse(list)
	var out []live.Frame
	for _, c := range list {
		var names []string
		for _, name := range f.kinds[c.Kind] {
			if w.filters[name] != nil {
				names = append(names, name)
			}
		}
		if body := f.message(ctx, c, names).of(w); body != nil {
			out = append(out, live.Frame{Seq: c.Seq, Body: body})
		}
	}
	return out, last
}

// maxMissed is how much a browser is told one by one; with more it is quicker
// to fetch the parts of the page again.
const maxMissed = 300

// wants reports whether a page hears of a kind, by itself or by a topic.
func (f *follower) wants(w *wish, kind engine.ChangeKind) bool {
	return w.hears(kind) || slices.ContainsFunc(f.kinds[kind], func(name string) bool { return w.filters[name] != nil })
}
