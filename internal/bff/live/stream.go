package live

import (
	"context"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Stream is Serve for a socket that has its own source instead of the hub's
// frames: produce sends one message at a time and waits until the network has
// taken it, so a slow browser slows its source and nothing else. produce runs
// until its context ends, because the browser left, the session ended or the
// console stops, or until it returns.
func (s *Socket) Stream(ctx context.Context, ws *websocket.Conn, produce func(ctx context.Context, send func(body []byte) error)) {
	ctx, cancel := context.WithCancel(ctx)
	ws.SetReadLimit(readLimit)
	ws.SetReadDeadline(time.Now().Add(pongWait))
	ws.SetPongHandler(func(string) error { return ws.SetReadDeadline(time.Now().Add(pongWait)) })
	var own sync.WaitGroup
	own.Go(func() { // notices that the browser has gone
		defer cancel()
		for {
			if _, _, err := ws.NextReader(); err != nil {
				return
			}
		}
	})
	own.Go(func() {
		ping := time.NewTicker(Beats * time.Second)
		defer ping.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-s.end:
				cancel()
				ws.NetConn().SetWriteDeadline(time.Now().Add(time.Second)) // a message that is stuck
				return
			case <-ping.C:
				if ws.WriteControl(websocket.PingMessage, nil, time.Now().Add(writeWait)) != nil {
					cancel()
					return
				}
			}
		}
	})
	produce(ctx, func(body []byte) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		ws.SetWriteDeadline(time.Now().Add(writeWait))
		return ws.WriteMessage(websocket.TextMessage, body)
	})
	s.finish(websocket.CloseGoingAway, "ended") // unless it has a reason already
	ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(s.code, s.reason), time.Now().Add(time.Second))
	cancel()
	ws.Close()
	own.Wait()
}
