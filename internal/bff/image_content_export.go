package bff

import (
	"bytes"
	"context"
	"encoding/csv"

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
	from := 0
	return s.sendPages(c, "text/csv; charset=utf-8", i.Digest.Short()+"-"+q.Class+".csv", func(ctx context.Context, w *bytes.Buffer) (bool, error) {
		rows, n, err := s.contentRows(ctx, i, q, from)
		if err != nil {
			return false, err
		}
		from += n
		return n < exportPage, csv.NewWriter(w).WriteAll(rows)
	})
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
