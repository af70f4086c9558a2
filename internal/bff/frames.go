package bff

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"

	"windlass/internal/engine"
)

// frame is a message to the script in web/static/js/live.js, or one of several
// in an array. What a page is told of one change is one message: a connection
// that breaks loses all of it or nothing.
type frame struct {
	Seq   int64             `json:"seq,omitempty"`
	Do    string            `json:"do,omitempty"`
	Kind  engine.ChangeKind `json:"kind,omitempty"` // fetch the parts that name this kind
	ID    string            `json:"id,omitempty"`
	Topic string            `json:"topic,omitempty"` // insert, replace or (without html) remove element id in this list
	HTML  string            `json:"html,omitempty"`
	N     int               `json:"n,omitempty"`
}

// What a frame may say to do.
const (
	doRefetch = "refetch" // fetch all live parts again; with a topic, that list
	doUpdated = "updated" // another build answers now than drew the page
	doStalled = "stalled" // changes cannot be read for now
	doResumed = "resumed"
	doRights  = "rights" // the user may do other things than before
	doAnswer  = "answer" // what follows belongs to what the page asked under n
)

// encode cannot fail: a frame is strings and numbers.
func encode(f frame) []byte {
	raw, _ := json.Marshal(f)
	return raw
}

// message is what pages are told of one change, each part encoded once.
type message struct {
	change engine.Change
	kind   []byte
	rows   []drawnRow
	joined map[uint64][]byte // by which parts are in it
}

type drawnRow struct {
	topic string
	row   row
	body  []byte
}

type drawnKey struct {
	seq   int64
	topic string
}

// message draws a change for some topics.
func (f *follower) message(ctx context.Context, c engine.Change, topics []string) *message {
	m := &message{change: c, kind: encode(frame{Seq: c.Seq, Kind: c.Kind, ID: c.ID}), joined: map[uint64][]byte{}}
	for _, name := range topics {
		r, err := f.draw(ctx, c, name)
		switch {
		case errors.Is(err, errNoRow), errors.Is(err, engine.ErrNotFound): // gone again: the change of its removal follows
		case err != nil:
			f.log.WarnContext(ctx, "row failed", "topic", name, "change", c.Seq, "error", err)
			m.rows = append(m.rows, drawnRow{topic: name, body: encode(frame{Seq: c.Seq, Topic: name, Do: doRefetch})})
		default:
			m.rows = append(m.rows, drawnRow{name, r, encode(frame{Seq: c.Seq, Topic: name, ID: r.ID, HTML: string(bytes.TrimSpace(r.HTML))})})
		}
	}
	return m
}

// draw draws a change as a row, once for all who hear of it now or later. A
// connection that broke is tried again: there is another one.
func (f *follower) draw(ctx context.Context, c engine.Change, name string) (row, error) {
	key := drawnKey{c.Seq, name}
	f.mu.Lock()
	r, ok := f.drawn[key]
	f.mu.Unlock()
	if ok {
		return r, nil
	}
	var err error
	for range 3 {
		try, cancel := context.WithTimeout(ctx, rowTime)
		r, err = f.topics[name].row(try, c)
		cancel()
		if err == nil || errors.Is(err, errNoRow) || errors.Is(err, engine.ErrNotFound) || ctx.Err() != nil {
			break
		}
	}
	if err == nil {
		f.mu.Lock()
		f.drawn[key] = r
		f.mu.Unlock()
	}
	return r, err
}

// of is the message for a page; nil when it has nothing for it.
func (m *message) of(w *wish) []byte {
	if len(w.names) == 0 || !w.sees(m.change) {
		return nil
	}
	var parts [][]byte
	var which uint64
	if w.hears(m.change.Kind) {
		parts, which = append(parts, m.kind), 1
	}
	for i, r := range m.rows {
		if w.takes(r.topic, r.row) {
			parts, which = append(parts, r.body), which|2<<i
		}
	}
	if len(parts) < 2 {
		if len(parts) == 0 {
			return nil
		}
		return parts[0]
	}
	body, ok := m.joined[which]
	if !ok {
		body = append(append([]byte{'['}, bytes.Join(parts, []byte{','})...), ']')
		m.joined[which] = body
	}
	return body
}
