package live

import (
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Codes with which a socket is closed. The script reconnects after any of
// them but CodeSignedOut, which sends it to the login page.
const (
	codeAway      = websocket.CloseGoingAway
	codeSlow      = websocket.CloseTryAgainLater
	CodeSignedOut = 4401
)

const (
	writeWait = 10 * time.Second
	pingEvery = 25 * time.Second
	pongWait  = 60 * time.Second
	readLimit = 1 << 10 // browsers have nothing to say
)

// Socket is one browser tab.
type Socket struct {
	Subject any
	hub     *Hub
	out     chan Frame

	once   sync.Once
	end    chan struct{}
	code   int
	reason string
}

// finish asks the writer to close the socket; the first reason counts.
func (s *Socket) finish(code int, reason string) {
	s.once.Do(func() {
		s.code, s.reason = code, reason
		close(s.end)
	})
}

func (s *Socket) ended() bool {
	select {
	case <-s.end:
		return true
	default:
		return false
	}
}

// Serve writes first and then whatever is offered, until the browser leaves or
// the socket is ended. It is the only writer; the reader only notices that the
// browser has gone. first is read after the socket has joined, so queued
// frames may repeat it: those up to its last number are cut.
func (s *Socket) Serve(ws *websocket.Conn, first []Frame) {
	defer ws.Close()
	ws.SetReadLimit(readLimit)
	ws.SetReadDeadline(time.Now().Add(pongWait))
	ws.SetPongHandler(func(string) error { return ws.SetReadDeadline(time.Now().Add(pongWait)) })
	left := make(chan struct{})
	go func() {
		defer close(left)
		for {
			if _, _, err := ws.NextReader(); err != nil {
				return
			}
		}
	}()
	defer func() {
		ws.Close()
		<-left
	}()

	var known int64
	write := func(f Frame) bool {
		ws.SetWriteDeadline(time.Now().Add(writeWait))
		return ws.WriteMessage(websocket.TextMessage, f.Body) == nil
	}
	for _, f := range first {
		if !write(f) {
			return
		}
		known = max(known, f.Seq)
	}
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case f := <-s.out:
			if f.Seq != 0 && f.Seq <= known {
				continue
			}
			if !write(f) {
				return
			}
		case <-ping.C:
			if ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWait)) != nil {
				return
			}
		case <-s.end:
			ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(s.code, s.reason), time.Now().Add(time.Second))
			select { // let the browser's own close arrive
			case <-left:
			case <-time.After(time.Second):
			}
			return
		case <-left:
			return
		}
	}
}
