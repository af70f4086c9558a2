package remote

import (
	"context"
	"slices"
	"sync"
	"time"

	"windlass/internal/engine"
)

// health is what was seen of the services from here: v1 keeps no history of
// them, and the events it has tell of the worst only. It begins with the first
// look and ends with the process, and nobody looks while nobody is signed in.
type health struct {
	mu    sync.Mutex
	now   map[string]engine.ServiceTransition // the last of each instance
	moves []engine.ServiceTransition
}

// keptMoves bounds the moves that are remembered.
const keptMoves = 5000

// note compares the records with those seen before, and gives each the moment
// since when it has been seen as it is.
func (h *health) note(list []engine.Service, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now == nil {
		h.now = map[string]engine.ServiceTransition{}
	}
	present := map[string]bool{}
	for n := range list {
		s := &list[n]
		present[s.Key()] = true
		last, known := h.now[s.Key()]
		if !known || last.To != s.State {
			last = engine.ServiceTransition{Host: s.Host, Name: s.Name, From: last.To, To: s.State, Cause: s.Detail.Message, At: at}
			h.now[s.Key()] = last
			h.moves = append(h.moves, last)
		}
		s.Since = last.At
	}
	for key := range h.now {
		if !present[key] {
			delete(h.now, key) // its record was removed
		}
	}
	if len(h.moves) > keptMoves {
		h.moves = slices.Clone(h.moves[len(h.moves)/2:])
	}
}

// ServiceHistory is what was seen from here. That it is not all there was is
// said by engine.ErrUnsupported beside it.
func (c *Client) ServiceHistory(_ context.Context, since time.Time) ([]engine.ServiceTransition, error) {
	c.health.mu.Lock()
	defer c.health.mu.Unlock()
	before := map[string]engine.ServiceTransition{}
	var list []engine.ServiceTransition
	for _, m := range c.health.moves {
		if m.At.Before(since) {
			before[m.Name+"/"+m.Host] = m
		} else {
			list = append(list, m)
		}
	}
	var first []engine.ServiceTransition
	for _, m := range before {
		first = append(first, m)
	}
	slices.SortFunc(first, func(a, b engine.ServiceTransition) int { return a.At.Compare(b.At) })
	return append(first, list...), lacks("ServiceHistory")
}
