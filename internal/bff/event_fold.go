package bff

import (
	"context"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

const (
	// foldMost is how many events one page of the folded list reads at most: a
	// longer run goes on on the next page.
	foldMost = 10_000
	// unfoldMost is how many events of a run are shown below it.
	unfoldMost = 50
)

// foldEvents reads as much of the list as makes a page of rows when repeats are
// folded. Runs are those of the list, so this is a walk along it and needs no
// more of an engine than its pages; what a page costs is bounded by what it
// reads.
func foldEvents(cursor string, size int, page func(cursor string, limit int) (engine.EventList, error)) ([]present.EventFold, engine.EventList, error) {
	var rows []present.EventFold
	for read, limit := 0, size; ; {
		l, err := page(cursor, limit)
		if err != nil {
			return nil, l, err
		}
		for i, e := range l.Events {
			was := len(rows)
			if rows = present.Fold(rows, e); len(rows) <= size {
				continue
			}
			// One row too many: the page ends before the event that began it.
			rows = rows[:was]
			if i == 0 {
				return rows, engine.EventList{Next: cursor}, nil
			}
			l, err = page(cursor, i)
			return rows, engine.EventList{Next: l.Next}, err
		}
		read += len(l.Events)
		if l.Next == "" || !l.Searched.IsZero() {
			return rows, engine.EventList{Next: l.Next, Searched: l.Searched}, nil
		}
		if read >= foldMost {
			rows[len(rows)-1].More = true
			return rows, engine.EventList{Next: l.Next}, nil
		}
		if cursor = l.Next; read > 3*len(rows) { // much is folded: go in larger steps
			limit = min(1000, foldMost-read)
		}
	}
}

// readFolded reads the page of the folded list, and the events of the run that
// is open.
func (s *Server) readFolded(ctx context.Context, account string, size int, d *present.EventsData) error {
	q := d.Query
	rows, list, err := foldEvents(q.After, size, func(cursor string, limit int) (engine.EventList, error) {
		return s.engine.Events(ctx, account, d.Filter, engine.EventPage{Cursor: cursor, Limit: limit, Oldest: q.Order == "oldest"})
	})
	if err != nil {
		return err
	}
	d.Folds, d.List = rows, list
	for _, f := range rows {
		d.List.Events = append(d.List.Events, f.First)
		if f.Count == 1 || q.Unfold != f.Key() {
			continue
		}
		of := d.Filter
		of.Runs = []engine.EventRun{f.Run()}
		members, err := s.engine.Events(ctx, account, of, engine.EventPage{Limit: unfoldMost, Oldest: q.Order == "oldest"})
		if err != nil {
			return err
		}
		d.Members = members.Events
	}
	return nil
}
