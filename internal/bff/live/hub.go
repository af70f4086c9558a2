package live

import (
	"context"
	"sync"
	"sync/atomic"
)

// Frame is one message to a browser: JSON, already encoded, shared by all
// that are given it.
type Frame struct {
	Seq  int64 // number of the change it tells of; 0: none
	Body []byte

	ping bool // a control frame goes before it
}

// behind is how many frames a socket may lag before it is dropped. At the rate
// at which a page can draw them that is many seconds. The bodies are shared, so
// a full queue costs little.
const behind = 1024

// Hub fans frames out to sockets.
type Hub struct {
	mu    sync.Mutex
	socks map[*Socket]struct{}
	count int // of joins so far: spreads the beats
	done  bool
	gone  sync.WaitGroup

	dropped atomic.Int64
}

// NewHub is an empty hub.
func NewHub() *Hub { return &Hub{socks: map[*Socket]struct{}{}} }

// Join adds a socket; nil once the hub is closed. Subject is for Kick and for
// what is picked by Offer. Serve the socket, then Leave.
func (h *Hub) Join(subject any) *Socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.done {
		return nil
	}
	h.count++
	s := &Socket{Subject: subject, hub: h, slot: h.count % Beats, end: make(chan struct{})}
	h.socks[s] = struct{}{}
	h.gone.Add(1)
	return s
}

// Leave removes a socket that is no longer served.
func (h *Hub) Leave(s *Socket) {
	h.mu.Lock()
	delete(h.socks, s)
	h.mu.Unlock()
	h.gone.Done()
}

// Offer gives each socket the message that pick has for it, if any, without
// waiting. seq is the number of the change it tells of. A socket whose queue is
// full is dropped.
func (h *Hub) Offer(seq int64, pick func(subject any) []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.socks {
		if body := pick(s.Subject); body != nil {
			s.push(Frame{Seq: seq, Body: body})
		}
	}
}

// Beats is the number of groups that sockets are in: Beat is called for each
// in turn, once a second.
const Beats = 25

// Beat pings the sockets of a group and gives them the message that pick has
// for them: a browser cannot see pings, and learns from the message that the
// connection stands. It is spread over groups so that the writing to thousands of
// sockets does not fall into one moment.
func (h *Hub) Beat(group int, pick func(subject any) []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.socks {
		if s.slot == group {
			s.push(Frame{Body: pick(s.Subject), ping: true})
		}
	}
}

// Kick ends the sockets that match, with a code of the application's own.
func (h *Hub) Kick(code int, reason string, match func(subject any) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.socks {
		if match(s.Subject) {
			s.finish(code, reason)
		}
	}
}

// Each calls f with what each socket was joined with, until f returns false.
// f must not call the hub.
func (h *Hub) Each(f func(subject any) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.socks {
		if !f(s.Subject) {
			return
		}
	}
}

// Stats is the number of sockets, and of those dropped so far for being slow.
func (h *Hub) Stats() (open int, dropped int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.socks), h.dropped.Load()
}

// Close refuses new sockets, tells all to come back later (1001) and waits
// until they have gone or ctx ends. The server's own shutdown does not reach
// upgraded sockets, so this has to come before it.
func (h *Hub) Close(ctx context.Context) {
	h.mu.Lock()
	h.done = true
	for s := range h.socks {
		s.finish(codeAway, "restarting")
	}
	h.mu.Unlock()
	all := make(chan struct{})
	go func() {
		h.gone.Wait()
		close(all)
	}()
	select {
	case <-all:
	case <-ctx.Done():
	}
}
