package live

import (
	"io"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Codes with which a socket is closed. The script reconnects after any of
// them but CodeSignedOut.
const (
	codeAway      = websocket.CloseGoingAway
	codeSlow      = websocket.CloseTryAgainLater
	CodeSignedOut = 4401
)

const (
	writeWait = 10 * time.Second
	pongWait  = 60 * time.Second // two beats and some
	readLimit = 16 << 10         // of what a page may say: what it wants to hear of
)

// Socket is one browser tab. While nothing is told it costs one goroutine, the
// reader: a writer is started when there is something to write and ends when
// that is written.
type Socket struct {
	Subject any
	hub     *Hub
	slot    int

	mu      sync.Mutex
	ws      *websocket.Conn // while Serve serves it
	queue   []Frame
	known   int64 // frames up to this number have been given, or are in the queue
	holding bool  // frames gather until Resume knows which come before them
	writing bool
	own     sync.WaitGroup // the writer, and who closes

	end    chan struct{} // closed by finish
	code   int
	reason string
}

// push queues a frame. Offered frames come in the order of their numbers.
func (s *Socket) push(f Frame) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over() || f.Seq != 0 && f.Seq <= s.known {
		return
	}
	if len(s.queue) >= behind {
		s.hub.dropped.Add(1)
		s.finishLocked(codeSlow, "too slow")
		return
	}
	s.queue = append(s.queue, f)
	s.wake()
}

// wake has the queue written, if nobody does already.
func (s *Socket) wake() {
	if s.ws == nil || s.writing || s.holding || len(s.queue) == 0 || s.over() {
		return
	}
	s.writing = true
	s.own.Go(s.write)
}

func (s *Socket) over() bool {
	select {
	case <-s.end:
		return true
	default:
		return false
	}
}

// write writes until the queue is empty.
func (s *Socket) write() {
	for {
		s.mu.Lock()
		if len(s.queue) == 0 || s.holding || s.over() {
			if len(s.queue) == 0 {
				s.queue = nil // an idle socket holds no memory for what it was told
			}
			s.writing = false
			s.mu.Unlock()
			return
		}
		f := s.queue[0]
		s.queue = s.queue[1:]
		s.mu.Unlock()
		if err := s.send(f); err != nil {
			s.ws.Close() // the reader notices
			s.mu.Lock()
			s.queue, s.writing = nil, false
			s.finishLocked(websocket.CloseAbnormalClosure, "gone")
			s.mu.Unlock()
			return
		}
	}
}

func (s *Socket) send(f Frame) error {
	if f.ping {
		if err := s.ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWait)); err != nil {
			return err
		}
	}
	if f.Body == nil {
		return nil
	}
	if err := s.ws.SetWriteDeadline(time.Now().Add(writeWait)); err != nil {
		return err
	}
	return s.ws.WriteMessage(websocket.TextMessage, f.Body)
}

// End closes the socket; the first reason counts.
func (s *Socket) End(code int, reason string) { s.finish(code, reason) }

func (s *Socket) finish(code int, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finishLocked(code, reason)
}

func (s *Socket) finishLocked(code int, reason string) {
	if s.over() {
		return
	}
	s.code, s.reason = code, reason
	close(s.end)
	if s.ws != nil {
		s.own.Go(s.say)
	}
}

// say tells the browser why its socket ends, and gives its own close a second
// to arrive.
func (s *Socket) say() {
	limit := time.Now().Add(time.Second)
	s.ws.SetReadDeadline(limit)
	s.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(s.code, s.reason), limit)
	s.ws.NetConn().SetWriteDeadline(limit) // of a message that is stuck
}

// Resume gives the browser anew what it wants to hear of. first is called while
// frames that are offered wait: it makes what the hub offers from now on be what
// is wanted, and returns what comes before that, with the number up to which
// that is complete. What is still queued is part of it, or is not wanted any
// more.
func (s *Socket) Resume(first func() (frames []Frame, upto int64)) {
	s.mu.Lock()
	s.queue, s.holding = nil, true
	s.mu.Unlock()

	list, upto := first()

	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = upto
	for _, f := range s.queue {
		if f.Seq == 0 || f.Seq > upto {
			list = append(list, f)
		}
	}
	s.queue, s.holding = list, false
	s.wake()
}

// Serve has what is queued and offered written, and calls hear with what the
// browser says, until it leaves or the socket is ended.
func (s *Socket) Serve(ws *websocket.Conn, hear func(message []byte)) {
	ws.SetReadLimit(readLimit)
	ws.SetReadDeadline(time.Now().Add(pongWait))
	ws.SetPongHandler(func(string) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.over() {
			return nil // the deadline is that of the end
		}
		return ws.SetReadDeadline(time.Now().Add(pongWait))
	})
	s.mu.Lock()
	s.ws = ws
	if s.over() { // before there was somebody to be told
		s.own.Go(s.say)
	}
	s.wake()
	s.mu.Unlock()

	s.listen(ws, hear)

	s.finish(websocket.CloseNormalClosure, "")
	ws.Close()
	s.own.Wait()
}

// listen is apart from Serve so that the goroutine of an idle socket waits on
// a small stack.
func (s *Socket) listen(ws *websocket.Conn, hear func([]byte)) {
	for {
		kind, r, err := ws.NextReader()
		if err != nil {
			return
		}
		if kind != websocket.TextMessage {
			continue
		}
		p, err := io.ReadAll(r)
		if err != nil {
			return
		}
		if !s.over() {
			hear(p)
		}
	}
}
