package bff

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/websocket"

	"windlass/internal/bff/live"
	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
)

const (
	downloadTime = 10 * time.Minute
	downloadPage = 10_000  // lines asked for at once
	downloadMax  = 5 << 20 // lines
)

// downloadLogs streams all lines that the filters select, oldest first, in the
// shape of the files with the service in front.
func (s *Server) downloadLogs(c *fiber.Ctx) error {
	form, err := logForm(c, s.clock(c))
	if err != nil {
		return err
	}
	q := form.Query
	q.Limit, q.Oldest, q.Until = downloadPage, true, nil
	first, err := s.engine.LogLines(c.UserContext(), q)
	if err != nil {
		return err
	}
	attach(c, "windlass-logs-"+time.Now().UTC().Format("20060102-150405")+".log")
	// The body is written after the handler has returned, when its own context
	// has ended.
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		ctx, cancel := context.WithTimeout(s.base, downloadTime)
		defer cancel()
		if err := s.writeLogs(ctx, w, q, first); err != nil {
			s.log.WarnContext(ctx, "log download ended", "error", err)
			fmt.Fprintln(w, "[the download ended early]")
		}
	})
	return nil
}

func (s *Server) writeLogs(ctx context.Context, w *bufio.Writer, q engine.LogQuery, page engine.LogPage) error {
	for n := 0; ; {
		for _, l := range page.Lines {
			fmt.Fprintf(w, "%s [%s] [%s] [%s] [%s] %s\n", l.At.UTC().Format("2006-01-02 15:04:05.000-0700"),
				l.Service, l.Component, l.Module, l.Level, l.Text)
		}
		if err := w.Flush(); err != nil {
			return nil // the browser has left
		}
		if n += len(page.Lines); n > downloadMax {
			return fmt.Errorf("more than %d lines", downloadMax)
		}
		if !page.More {
			return nil
		}
		q.From = page.Last
		var err error
		if page, err = s.engine.LogLines(ctx, q); err != nil {
			return err
		}
	}
}

// logFrame is a message to web/static/js/logs.js: rows to append, drawn here,
// and the position to come back to.
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
	return s.socket(c, s.subscriber(c), func(sock *live.Socket, ws *websocket.Conn) {
		sock.Stream(s.base, ws, func(ctx context.Context, send func([]byte) error) {
			rows := present.NewLogRows(form, clock)
			rows.After(time.Now())
			err := s.engine.FollowLogs(ctx, form.Query, after, func(f engine.LogFrame) error {
				body, err := encodeLogs(ctx, rows, f)
				if err != nil {
					return err
				}
				if err := send(body); err != nil {
					return errLeft
				}
				return nil
			})
			if err != nil && err != errLeft && ctx.Err() == nil {
				s.log.WarnContext(ctx, "log follow ended", "error", err)
			}
		})
	})
}

var errLeft = fmt.Errorf("the browser has left")

// encodeLogs draws one frame, with a row in place of what is missing.
func encodeLogs(ctx context.Context, rows *present.LogRows, f engine.LogFrame) ([]byte, error) {
	var html bytes.Buffer
	if text := present.LogGap(f); text != "" {
		if err := templates.LogGap(text).Render(ctx, &html); err != nil {
			return nil, err
		}
	}
	if err := templates.LogRows(rows.Rows(f.Lines)).Render(ctx, &html); err != nil {
		return nil, err
	}
	return json.Marshal(logFrame{HTML: html.String(), Lines: len(f.Lines), Skipped: f.Skipped, After: f.Last.String()})
}
