package bff

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/websocket"

	"windlass/internal/bff/live"
	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

// logFrame is a message to web/static/js/logs_follow.js: rows to append, drawn
// here, and the position to come back to.
type logFrame struct {
	HTML    string `json:"html"`
	Lines   int    `json:"lines"`
	Skipped int    `json:"skipped,omitempty"`
	After   string `json:"after"`
}

// followLogs is the socket of an open log viewer: the filters of its page, and
// &after= the position behind the last line it has.
func (s *Server) followLogs(c *fiber.Ctx) error {
	clock := s.clock(c)
	form, err := logForm(c, clock)
	if err != nil {
		return err
	}
	after, err := engine.ParseLogCursor(c.Query("after"))
	if err != nil {
		return err
	}
	hosts, err := s.engine.LogHosts(c.UserContext())
	if err != nil {
		return err
	}
	return s.socket(c, s.subscriber(c), func(sock *live.Socket, ws *websocket.Conn) {
		sock.Stream(s.base, ws, func(ctx context.Context, send func([]byte) error) {
			rows := present.NewLogRows(form, clock, len(hosts) > 1)
			rows.After(clock.Now)
			pace := newLogPace(after)
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			var reader sync.WaitGroup
			reader.Go(func() {
				defer cancel()
				err := s.engine.FollowLogs(ctx, form.Query, after, pace.add)
				if err != nil && ctx.Err() == nil {
					s.log.WarnContext(ctx, "log follow ended", "error", err)
				}
			})
			defer reader.Wait()
			defer cancel()
			err := pace.run(ctx, func(f engine.LogFrame, from engine.LogCursor) error {
				body, err := encodeLogs(ctx, rows, f, form.Past(from))
				if err != nil {
					return err
				}
				if send(body) != nil {
					return errLeft
				}
				return nil
			})
			if err != nil && !errors.Is(err, errLeft) && ctx.Err() == nil {
				s.log.WarnContext(ctx, "log viewer ended", "error", err)
			}
		})
	})
}

var errLeft = errors.New("the browser has left")

// encodeLogs draws one frame, with a row in place of what is missing; past
// leads there.
func encodeLogs(ctx context.Context, rows *present.LogRows, f engine.LogFrame, past string) ([]byte, error) {
	var html bytes.Buffer
	for _, text := range present.LogNews(f) {
		if err := templates.LogNews(text).Render(ctx, &html); err != nil {
			return nil, err
		}
	}
	if text := present.LogGap(f); text != "" {
		if f.Gap {
			past = "" // nothing is left there
		}
		if err := templates.LogGap(text, past).Render(ctx, &html); err != nil {
			return nil, err
		}
	}
	if err := templates.LogRows(rows.Rows(f.Lines)).Render(ctx, &html); err != nil {
		return nil, err
	}
	return json.Marshal(logFrame{HTML: html.String(), Lines: len(f.Lines), Skipped: f.Skipped, After: f.Last.String()})
}
