package bff

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

const (
	downloadTime = 10 * time.Minute
	downloadPage = 5_000   // lines asked for at once
	downloadMax  = 5 << 20 // lines
)

// downloadLogs streams all lines that the filters select, oldest first: as
// text, or with format=ndjson an object a line.
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
	d := logDownload{engine: s.engine, write: logAsText}
	name := "windlass-logs-" + time.Now().UTC().Format("20060102-150405")
	if c.Query("format") == "ndjson" {
		d.write = logAsJSON
		attach(c, name+".ndjson", "application/x-ndjson")
	} else {
		attach(c, name+".log", "text/plain; charset=utf-8")
	}
	// The body is written after the handler has returned, when its own context
	// has ended.
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		ctx, cancel := context.WithTimeout(s.base, downloadTime)
		defer cancel()
		d.to = w
		if err := d.run(ctx, q, first); err != nil {
			s.log.WarnContext(ctx, "log download ended", "error", err)
			d.write(w, engine.LogLine{}, "the download ended early: "+engine.MessageOf(err, "something went wrong"))
		}
	})
	return nil
}

// logDownload writes page after page. A line that is none carries a note.
type logDownload struct {
	engine Logs
	to     *bufio.Writer
	write  func(w io.Writer, l engine.LogLine, note string)
	told   map[string]bool // hosts that could not be read
}

func (d *logDownload) run(ctx context.Context, q engine.LogQuery, page engine.LogPage) error {
	d.told = map[string]bool{}
	for n := 0; ; {
		for _, f := range page.Failed {
			if !d.told[f.Host] {
				d.told[f.Host] = true
				d.write(d.to, engine.LogLine{}, "the log of "+f.Host+" is not in here: "+f.Reason)
			}
		}
		for _, l := range page.Lines {
			d.write(d.to, l, "")
		}
		if err := d.to.Flush(); err != nil {
			return nil // the browser has left
		}
		if n += len(page.Lines); n > downloadMax {
			return engine.Invalidf("more than %d lines", downloadMax)
		}
		if !page.More || ctx.Err() != nil {
			return ctx.Err()
		}
		q.From = page.Last
		var err error
		if page, err = d.engine.LogLines(ctx, q); err != nil {
			return err
		}
	}
}

func logAsText(w io.Writer, l engine.LogLine, note string) {
	if note != "" {
		fmt.Fprintln(w, "#", note)
		return
	}
	fmt.Fprintln(w, present.LogText(l))
}

func logAsJSON(w io.Writer, l engine.LogLine, note string) {
	line := struct {
		Time      string `json:"time,omitempty"`
		Host      string `json:"host,omitempty"`
		Service   string `json:"service,omitempty"`
		Level     string `json:"level,omitempty"`
		Component string `json:"component,omitempty"`
		Module    string `json:"module,omitempty"`
		Message   string `json:"message,omitempty"`
		Beside    bool   `json:"beside,omitempty"` // stands beside a hit
		Note      string `json:"note,omitempty"`
	}{Note: note}
	if note == "" {
		line.Time, line.Host, line.Service, line.Level = l.At.UTC().Format("2006-01-02T15:04:05.000Z"), l.Host, l.Service, l.Level
		line.Component, line.Module, line.Message, line.Beside = l.Component, l.Module, l.Text, l.Context
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(line) // texts always encode; a browser that has left is seen by the flush
}

func (s *Server) downloadLogFile(c *fiber.Ctx) error {
	// The body is read after the handler has returned, when its own context has
	// ended.
	ctx, cancel := context.WithTimeout(s.base, downloadTime)
	file, r, err := s.engine.OpenLogFile(ctx, param(c, "host"), param(c, "name"))
	if err != nil {
		cancel()
		return err
	}
	attach(c, file.Name, "text/plain; charset=utf-8")
	return c.SendStream(until{r, cancel}, int(file.Bytes)) // closes it
}

// until is a body whose context ends when it is closed.
type until struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (u until) Close() error {
	defer u.cancel()
	return u.ReadCloser.Close()
}

// attach makes the answer a file to keep.
func attach(c *fiber.Ctx, name, kind string) {
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+strings.NewReplacer(`"`, "", "\\", "").Replace(name)+`"`)
	c.Set(fiber.HeaderCacheControl, "no-store")
}
