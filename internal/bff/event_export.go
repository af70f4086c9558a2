package bff

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

// exportTime is how long one export may take: ten million events in chunks of
// a thousand, to a slow client.
const exportTime = time.Hour

// An exportFormat turns events into bytes; first is set for the first page.
type exportFormat struct {
	name, mime string
	encode     func(w *bytes.Buffer, list []engine.Event, first bool) error
}

var (
	csvEvents    = exportFormat{"events.csv", "text/csv; charset=utf-8", encodeCSV}
	ndjsonEvents = exportFormat{"events.ndjson", "application/x-ndjson", encodeNDJSON}
)

// exportEvents sends exactly the events that the page's filter selects at
// this moment, a page of them in memory at a time.
func (s *Server) exportEvents(format exportFormat) fiber.Handler {
	return func(c *fiber.Ctx) error {
		clock := s.clock(c)
		q := present.ParseEventQuery(func(name string) string { return c.Query(name) })
		f, err := q.Filter(clock)
		if err != nil {
			return err
		}
		if f.Before.IsZero() { // the log grows while it is read
			f.Before = clock.Now
		}
		account := s.who(c).Account
		// The handler's context ends before the body is sent.
		ctx, cancel := context.WithTimeout(s.base, exportTime)
		r := &eventExport{
			cancel: cancel, encode: format.encode, first: true,
			next: func(cursor string) (engine.EventList, error) {
				return s.engine.Events(ctx, account, f, engine.EventPage{Cursor: cursor, Limit: 1000, Oldest: q.Order == "oldest"})
			},
		}
		if err := r.fill(); err != nil { // while it can still be an error page
			cancel()
			return err
		}
		c.Set(fiber.HeaderContentType, format.mime)
		c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+format.name+`"`)
		c.Set(fiber.HeaderCacheControl, "no-store")
		// The compressor would hide an error in the middle: it ends its stream
		// in order, and half an export would look like a whole one.
		c.Set(fiber.HeaderContentEncoding, "identity")
		c.Context().SetBodyStream(r, -1)
		return nil
	}
}

// eventExport reads events as a stream, a page when it is needed.
type eventExport struct {
	next   func(cursor string) (engine.EventList, error)
	encode func(w *bytes.Buffer, list []engine.Event, first bool) error
	cancel context.CancelFunc

	buf    bytes.Buffer
	cursor string
	first  bool
	last   bool
}

func (r *eventExport) Read(p []byte) (int, error) {
	for r.buf.Len() == 0 {
		if r.last {
			return 0, io.EOF
		}
		if err := r.fill(); err != nil {
			return 0, err
		}
	}
	return r.buf.Read(p)
}

func (r *eventExport) fill() error {
	list, err := r.next(r.cursor)
	if err != nil {
		return err
	}
	r.buf.Reset()
	if err := r.encode(&r.buf, list.Events, r.first); err != nil {
		return err
	}
	r.first, r.cursor, r.last = false, list.Next, list.Next == ""
	return nil
}

// Close is called when the body is sent or the browser has left.
func (r *eventExport) Close() error {
	r.cancel()
	return nil
}

func encodeNDJSON(w *bytes.Buffer, list []engine.Event, _ bool) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	for _, e := range list {
		if err := enc.Encode(present.EventRecord(e)); err != nil {
			return err
		}
	}
	return nil
}

func encodeCSV(w *bytes.Buffer, list []engine.Event, first bool) error {
	out := csv.NewWriter(w)
	if first {
		out.Write([]string{"timestamp", "level", "service", "host", "type", "name", "resource_type", "resource_id", "message", "cause", "id"})
	}
	for _, e := range list {
		row := []string{e.At.UTC().Format("2006-01-02T15:04:05.000000Z"), e.Level, e.Service, e.Host, e.Type,
			engine.ShortEventName(e.Type), e.ResourceType, e.ResourceID, e.Message, present.EventCause(e), e.ID}
		for i := range row {
			row[i] = engine.SheetCell(row[i])
		}
		out.Write(row)
	}
	out.Flush()
	return out.Error()
}
