package bff

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

// exportPage is how many rows of content are in memory at once.
const exportPage = 1000

// exportContent sends what the tab lists, all pages of it, a page at a time.
func (s *Server) exportContent(c *fiber.Ctx) error {
	i, err := s.imageOf(c)
	if err != nil {
		return err
	}
	q := present.ParseContentQuery(query(c))
	if err := q.Known(); err != nil {
		return err
	}
	// The handler's context ends before the body is sent.
	ctx, cancel := context.WithTimeout(s.base, exportTime)
	r := &contentExport{cancel: cancel, next: func(from int) ([][]string, int, error) { return s.contentRows(ctx, i, q, from) }}
	if err := r.fill(); err != nil { // while it can still be an error page
		cancel()
		return err
	}
	download(c, "text/csv; charset=utf-8", i.Digest.Short()+"-"+q.Class+".csv")
	c.Set(fiber.HeaderContentEncoding, "identity") // see exportEvents
	c.Context().SetBodyStream(r, -1)
	return nil
}

// contentRows are the rows from one on, the head before the first, and how
// many things they stand for; none: that was all.
func (s *Server) contentRows(ctx context.Context, i engine.Image, q present.ContentQuery, from int) ([][]string, int, error) {
	switch {
	case q.OfPackages():
		f := q.Packages()
		f.Offset, f.Limit = from, exportPage
		list, _, err := s.engine.PackagePage(ctx, i.Account, string(i.Digest), f)
		return present.PackageCSV(list, from == 0), len(list), err
	case q.Class == present.ClassFiles:
		f := q.Files()
		f.Browse, f.Offset, f.Limit = false, from, exportPage
		page, err := s.engine.FilePage(ctx, i.Account, string(i.Digest), f)
		return present.FileCSV(page.Entries, from == 0), len(page.Entries), err
	case from > 0:
		return nil, 0, nil
	}
	doc, err := s.contentDocument(ctx, i, q)
	rows := present.FindingCSV(present.ContentIn{Image: i, Query: q, Document: doc})
	return rows, len(rows), err
}

// contentExport reads rows as a stream, some when they are needed.
type contentExport struct {
	next   func(from int) ([][]string, int, error)
	cancel context.CancelFunc
	buf    bytes.Buffer
	from   int
	last   bool
}

func (r *contentExport) Read(p []byte) (int, error) {
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

func (r *contentExport) fill() error {
	rows, n, err := r.next(r.from)
	if err != nil {
		return err
	}
	r.from += n
	r.last = n < exportPage
	return csv.NewWriter(&r.buf).WriteAll(rows)
}

// Close is called when the body is sent or the browser has left.
func (r *contentExport) Close() error {
	r.cancel()
	return nil
}
