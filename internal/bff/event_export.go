package bff

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

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
		page := engine.EventPage{Limit: 1000, Oldest: q.Order == "oldest"}
		first := true
		return s.sendPages(c, format.mime, format.name, func(ctx context.Context, w *bytes.Buffer) (bool, error) {
			list, err := s.engine.Events(ctx, account, f, page)
			if err != nil {
				return false, err
			}
			err = format.encode(w, list.Events, first)
			first, page.Cursor = false, list.Next
			return list.Next == "", err
		})
	}
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
