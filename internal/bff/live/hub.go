package live

import (
	"context"
	"sync"
	"sync/atomic"
)

// Frame is one message to browsers: JSON, already encoded, once for all.
type Frame struct {
	Seq  int64 // number of the change it tells of; 0: none
	Body []byte
}

// behind is how many frames a socket may lag before it is dropped. At the rate
// at which a page can draw them that is many seconds.
const behind = 256

// Hub fans frames out to sockets.
type Hub struct {
	mu    sync.Mutex
	socks map[*Socket]struct{}
	done  bool
	gone  sync.WaitGroup

	dropped atomic.Int64
}

// NewHub is an empty hub.
func NewHub() *Hub { return &Hub{socks: map[*Socket]struct{}{}} }

// Join adds a socket; nil once the hub is closed. Subject is for Kick and for
// the predicates of Offer. Serve the socket, then Leave.
func (h *Hub) Join(subject any) *Socket {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.done {
		return nil
	}
	s := &Socket{Subject: subject, hub: h, out: make(chan Frame, behind), end: make(chan struct{})}
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

// Offer gives a frame to each socket that match accepts, without waiting. A
// socket whose queue is full is dropped.
func (h *Hub) Offer(f Frame, match func(subject any) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.socks {
		if s.ended() || !match(s.Subject) {
			continue
		}
		select {
		case s.out <- f:
		default:
			h.dropped.Add(1)
			s.finish(codeSlow, "too slow")
		}
	}
}

// Kick ends the sockets that match: their session is over.
func (h *Hub) Kick(match func(subject any) bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.socks {
		if match(s.Subject) {
			s.finish(CodeSignedOut, "signed out")
		}
	}
}

// Subjects lists what the sockets were joined with.
func (h *Hub) Subjects() []any {
	h.mu.Lock()
	defer h.mu.Unlock()
	list := make([]any, 0, len(h.socks))
	for s := range h.socks {
		list = append(list, s.Subject)
	}
	return list
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
