package bff

import (
	"bytes"
	"context"
	"io"
	"time"

	"github.com/gofiber/fiber/v2"
)

// exportTime is how long one export may take: ten million events in chunks of
// a thousand, to a slow client.
const exportTime = time.Hour

// A pageWriter appends the next page of an export, and reports whether it was
// the last. It keeps its own place.
type pageWriter func(ctx context.Context, w *bytes.Buffer) (last bool, err error)

// sendPages answers with a file of any length, a page of it in memory at a
// time. What is wrong with the first page is still an error page; what goes
// wrong later breaks the connection off.
func (s *Server) sendPages(c *fiber.Ctx, mime, name string, next pageWriter) error {
	// The handler's context ends before the body is sent.
	ctx, cancel := context.WithTimeout(s.base, exportTime)
	body := &pagedBody{next: func(w *bytes.Buffer) (bool, error) { return next(ctx, w) }, cancel: cancel}
	if err := body.fill(); err != nil {
		cancel()
		return err
	}
	download(c, mime, name)
	// The compressor would hide an error in the middle: it ends its stream in
	// order, and half an export would look like a whole one.
	c.Set(fiber.HeaderContentEncoding, "identity")
	c.Context().SetBodyStream(body, -1)
	return nil
}

type pagedBody struct {
	next   func(*bytes.Buffer) (last bool, err error)
	cancel context.CancelFunc
	buf    bytes.Buffer
	last   bool
}

func (b *pagedBody) Read(p []byte) (int, error) {
	for b.buf.Len() == 0 {
		if b.last {
			return 0, io.EOF
		}
		if err := b.fill(); err != nil {
			return 0, err
		}
	}
	return b.buf.Read(p)
}

func (b *pagedBody) fill() (err error) {
	b.buf.Reset()
	b.last, err = b.next(&b.buf)
	return err
}

// Close is called when the body is sent or the browser has left.
func (b *pagedBody) Close() error {
	b.cancel()
	return nil
}
