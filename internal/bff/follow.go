package bff

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/url"
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
// part again, a few times a second at most.
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
	ID   string // of the element
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

	last atomic.Int64
	mu   sync.Mutex
	past []engine.Change // the newest, in order, for browsers that come back
}

const (
	keepPast  = 2000
	rowTime   = 2 * time.Second
	retryLast = 10 * time.Second
)

func newFollower(e Engine, hub *live.Hub, log *slog.Logger) *follower {
	return &follower{engine: e, hub: hub, log: log, topics: map[string]topic{}, kinds: map[engine.ChangeKind][]string{}}
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
	wait := 100 * time.Millisecond
	for ctx.Err() == nil {
		err := f.follow(ctx, func() { wait = 100 * time.Millisecond })
		if ctx.Err() != nil {
			return
		}
		f.log.WarnContext(ctx, "changes lost", "error", err, "retry", wait)
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, retryLast)
	}
}

func (f *follower) follow(ctx context.Context, alive func()) error {
	if f.last.Load() == 0 {
		n, err := f.engine.LastChange(ctx)
		if err != nil {
			return err
		}
		f.last.Store(n)
	}
	alive()
	return f.engine.Watch(ctx, f.last.Load(), func(c engine.Change) error {
		alive()
		f.tell(ctx, c)
		return nil
	})
}

// tell offers one change to the sockets.
func (f *follower) tell(ctx context.Context, c engine.Change) {
	f.mu.Lock()
	f.past = append(f.past, c)
	if len(f.past) > keepPast+keepPast/2 {
		f.past = append([]engine.Change(nil), f.past[len(f.past)-keepPast:]...)
	}
	f.mu.Unlock()
	// After the backlog holds it and before it is offered: a socket that joins
	// in between gets it twice and cuts one, never none.
	f.last.Store(c.Seq)

	rows := f.rows(ctx, c, f.wanted(c))
	f.hub.Offer(live.Frame{Seq: c.Seq, Body: encode(frame{Seq: c.Seq, Kind: c.Kind, ID: c.ID})}, func(v any) bool {
		s := v.(*subscription)
		return s.sees(c) && s.kinds[string(c.Kind)]
	})
	for name, r := range rows {
		body := encode(rowFrame(c, name, r))
		f.hub.Offer(live.Frame{Seq: c.Seq, Body: body}, func(v any) bool {
			s := v.(*subscription)
			return s.sees(c) && s.takes(name, r)
		})
	}
}

// wanted lists the topics of a change that an open page shows.
func (f *follower) wanted(c engine.Change) []string {
	names := f.kinds[c.Kind]
	if len(names) == 0 {
		return nil
	}
	var out []string
	subjects := f.hub.Subjects()
	for _, name := range names {
		for _, v := range subjects {
			if s := v.(*subscription); s.sees(c) && s.filters[name] != nil {
				out = append(out, name)
				break
			}
		}
	}
	return out
}

// rows draws a change for each of the topics. One that cannot be drawn (it is
// gone again) is left out: the change of its removal follows.
func (f *follower) rows(ctx context.Context, c engine.Change, names []string) map[string]row {
	if len(names) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, rowTime)
	defer cancel()
	rows := map[string]row{}
	for _, name := range names {
		r, err := f.topics[name].row(ctx, c)
		switch {
		case errors.Is(err, errNoRow), errors.Is(err, engine.ErrNotFound):
		case err != nil:
			f.log.WarnContext(ctx, "row failed", "topic", name, "change", c.Seq, "error", err)
		default:
			rows[name] = r
		}
	}
	return rows
}

// missed is what a browser that has seen everything up to after has to be
// told: the frames, or one that says to fetch all live parts again.
func (f *follower) missed(ctx context.Context, after int64, s *subscription) []live.Frame {
	f.mu.Lock()
	last := f.last.Load()
	var list []engine.Change
	known := after == last && after > 0 // a page drawn before the first change was heard is of unknown age
	if after > 0 && after < last && len(f.past) > 0 && f.past[0].Seq <= after+1 {
		known = true
		for _, c := range f.past {
			if c.Seq > after && s.sees(c) && s.wants(c, f.kinds) {
				list = append(list, c)
			}
		}
	}
	f.mu.Unlock()
	if !known || len(list) > 300 {
		return []live.Frame{{Seq: last, Body: encode(frame{Seq: last, Do: "refetch"})}}
	}
	var out []live.Frame
	for _, c := range list {
		if s.kinds[string(c.Kind)] {
			out = append(out, live.Frame{Seq: c.Seq, Body: encode(frame{Seq: c.Seq, Kind: c.Kind, ID: c.ID})})
		}
		var names []string
		for _, name := range f.kinds[c.Kind] {
			if s.filters[name] != nil {
				names = append(names, name)
			}
		}
		for name, r := range f.rows(ctx, c, names) {
			if s.takes(name, r) {
				out = append(out, live.Frame{Seq: c.Seq, Body: encode(rowFrame(c, name, r))})
			}
		}
	}
	return out
}

// frame is a message to the script in web/static/js/live.js.
type frame struct {
	Seq   int64             `json:"seq"`
	Do    string            `json:"do,omitempty"`   // refetch: fetch all live parts again
	Kind  engine.ChangeKind `json:"kind,omitempty"` // fetch the parts that name this kind
	ID    string            `json:"id,omitempty"`
	Topic string            `json:"topic,omitempty"` // insert, replace or (without html) remove element id in this list
	HTML  string            `json:"html,omitempty"`
}

func rowFrame(c engine.Change, name string, r row) frame {
	return frame{Seq: c.Seq, Topic: name, ID: r.ID, HTML: string(bytes.TrimSpace(r.HTML))}
}

// encode cannot fail: a frame is strings and a number.
func encode(f frame) []byte {
	raw, _ := json.Marshal(f)
	return raw
}
