package logs

import (
	"context"
	"fmt"
	"slices"
	"time"

	"windlass/internal/engine"
)

const (
	// DefaultLimit is how many lines a page has unless the query says.
	DefaultLimit = 500
	maxLimit     = 10_000
	// maxSearched bounds the bytes one query reads: a search that finds little
	// says how far it came and can be continued there.
	maxSearched = 64 << 20
	// maxPage bounds the text of one page.
	maxPage = 16 << 20
	// maxContext bounds the lines beside one that matches.
	maxContext = 50
	// disorder is how much later than its neighbours a line may stand: its time
	// is taken before its turn to be written comes.
	disorder = 2 * time.Second
)

// reader gives a service's lines one by one in one direction.
type reader interface {
	next() (record, bool, error)
	close()
}

// head is the line of one service that waits to be merged.
type head struct {
	service string
	from    reader
	near    surroundings
	record
	ok bool
}

func (h *head) step() error {
	var err error
	if h.record, h.ok, err = h.from.next(); err != nil {
		return fmt.Errorf("log of %s: %w", h.service, err)
	}
	return nil
}

// Tail selects lines of the files as they are now, merged by time.
func (s *Set) Tail(ctx context.Context, q engine.LogQuery) (engine.LogPage, error) {
	f, err := compile(q)
	if err != nil {
		return engine.LogPage{}, err
	}
	t := &tail{set: s, query: q, filter: f, limit: min(q.Limit, maxLimit),
		page: engine.LogPage{First: engine.LogCursor{}, Last: engine.LogCursor{}}}
	if t.limit <= 0 {
		t.limit = DefaultLimit
	}
	defer t.close()
	if !s.asked(q) {
		return t.page, nil
	}
	for _, service := range services(q) {
		start := t.newest
		if q.Oldest {
			start = t.oldest
		}
		if err := start(service); err != nil {
			return engine.LogPage{}, fmt.Errorf("log of %s: %w", service, err)
		}
	}
	if err := t.run(ctx); err != nil {
		return engine.LogPage{}, err
	}
	t.page.Lines = inOrder(t.found)
	if !q.Oldest {
		slices.Reverse(t.page.Lines)
	}
	return t.page, nil
}

// asked reports whether a query wants the logs of this host.
func (s *Set) asked(q engine.LogQuery) bool {
	return len(q.Hosts) == 0 || slices.Contains(q.Hosts, s.host)
}

func (s *Set) source(service string) engine.LogSource {
	return engine.LogSource{Service: service, Host: s.host}
}

// services lists those asked for, in the documented order.
func services(q engine.LogQuery) []string {
	if len(q.Services) == 0 {
		return engine.ServiceNames
	}
	return slices.DeleteFunc(slices.Clone(engine.ServiceNames), func(s string) bool {
		return !slices.Contains(q.Services, s)
	})
}

// tail is one query being answered.
type tail struct {
	set    *Set
	query  engine.LogQuery
	filter *filter
	limit  int
	heads  []*head
	found  []numbered
	bytes  int // of text in found
	spent  int64
	page   engine.LogPage
}

func (t *tail) close() {
	for _, h := range t.heads {
		h.from.close()
	}
}

// add starts merging a reader.
func (t *tail) add(service string, r reader) error {
	h := &head{service: service, from: r, near: surroundings{n: t.filter.context}}
	t.heads = append(t.heads, h)
	return h.step()
}

// newest starts a service that is read backward: from Until, from Before, or
// from the end.
func (t *tail) newest(service string) error {
	b := &backward{set: t.set, service: service, spent: &t.spent}
	var at place
	src := t.set.source(service)
	until, bounded := t.query.Until[src]
	return t.begin(service, b, func() (err error) {
		var end engine.LogPosition
		if at, end, err = t.set.end(service); err != nil {
			return err
		}
		t.page.First[src], t.page.Last[src] = end, end
		switch {
		case bounded:
			var known bool
			if at, known, err = t.set.resolve(service, until); err != nil {
				return err
			}
			t.page.First[src], t.page.Last[src] = until, until
			t.page.Missed = t.page.Missed || !known
		case !t.query.Before.IsZero():
			if _, at, err = t.set.seek(service, t.query.Before); err != nil {
				return err
			}
		}
		if at.index == len(at.gens) {
			return nil
		}
		b.older = at.gens[:at.index]
		if err := b.use(at.gens[at.index], at.off); err != nil {
			return err
		}
		if !bounded && !t.query.Before.IsZero() {
			end = engine.LogPosition{Generation: b.generation, Offset: at.off}
			t.page.First[src], t.page.Last[src] = end, end
		}
		return nil
	})
}

// oldest starts a service that is read forward: from From, from Since, or from
// the first line there is.
func (t *tail) oldest(service string) error {
	f := &forward{set: t.set, service: service}
	src := t.set.source(service)
	from, bounded := t.query.From[src]
	return t.begin(service, counted{f, &t.spent}, func() (err error) {
		var at place
		switch {
		case bounded:
			var known bool
			if at, known, err = t.set.resolve(service, from); err != nil {
				return err
			}
			t.page.Missed = t.page.Missed || !known
		case !t.query.Since.IsZero():
			if at, _, err = t.set.seek(service, t.query.Since); err != nil {
				return err
			}
		default:
			if at.gens, err = t.set.generations(service); err != nil {
				return err
			}
		}
		if at.index == len(at.gens) {
			return nil
		}
		if err := f.use(at.gens[at.index], at.off); err != nil {
			return err
		}
		from = engine.LogPosition{Generation: f.generation, Offset: at.off}
		t.page.First[src], t.page.Last[src] = from, from
		return nil
	})
}

// begin opens a reader at its start, again if rotation interferes, and adds
// it. A service without any file has no lines.
func (t *tail) begin(service string, r reader, start func() error) error {
	if err := retry(start); err != nil {
		r.close()
		return err
	}
	return t.add(service, r)
}

// run merges until the limit, the bound in time, or the budget is reached.
func (t *tail) run(ctx context.Context) error {
	for n := 0; ; n++ {
		if n%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		h := t.pick()
		if h == nil || t.past(h.at) {
			return nil
		}
		if t.full() {
			t.page.More = true
			return nil
		}
		if t.spent > maxSearched {
			t.page.More, t.page.Seen = true, h.at
			return nil
		}
		if t.within(h.at) {
			t.take(h, n)
		}
		t.bound(h)
		if err := h.step(); err != nil {
			return err
		}
	}
}

// take keeps a line that matches, and those beside it.
func (t *tail) take(h *head, n int) {
	had := len(t.found)
	t.found = h.near.take(t.found, n, t.filter.match(h.record), func() engine.LogLine { return h.line(h.service, t.set.host) })
	for _, f := range t.found[had:] {
		t.bytes += len(f.line.Text)
	}
}

// full reports whether the page holds what was asked for. The last match still
// gets the lines beside it.
func (t *tail) full() bool {
	if t.bytes > maxPage {
		return true
	}
	if len(t.found) < t.limit {
		return false
	}
	return len(t.found) >= t.limit+2*t.filter.context*len(t.heads) ||
		!slices.ContainsFunc(t.heads, func(h *head) bool { return h.near.owed > 0 })
}

// bound widens what the page's cursors enclose by a line that was looked at. A
// line on the near side of the bounds in time moves both.
func (t *tail) bound(h *head) {
	src := t.set.source(h.service)
	if t.query.Oldest {
		t.page.Last[src] = h.behind()
		if h.at.Before(t.query.Since) {
			t.page.First[src] = h.behind()
		}
		return
	}
	t.page.First[src] = h.position()
	if !t.query.Before.IsZero() && !h.at.Before(t.query.Before) {
		t.page.Last[src] = h.position()
	}
}

// pick is the head whose line comes next: the newest, or the oldest.
func (t *tail) pick() *head {
	var best *head
	for _, h := range t.heads {
		if !h.ok {
			continue
		}
		if best == nil || t.query.Oldest && h.at.Before(best.at) || !t.query.Oldest && h.at.After(best.at) {
			best = h
		}
	}
	return best
}

func (t *tail) within(at time.Time) bool {
	return !at.Before(t.query.Since) && (t.query.Before.IsZero() || at.Before(t.query.Before))
}

// past reports whether no line beyond this one can be within the bounds.
func (t *tail) past(at time.Time) bool {
	if t.query.Oldest {
		return !t.query.Before.IsZero() && at.After(t.query.Before.Add(disorder))
	}
	return at.Before(t.query.Since.Add(-disorder))
}

// counted adds what a forward reader reads to the budget of its query.
type counted struct {
	*forward
	spent *int64
}

func (c counted) next() (record, bool, error) {
	r, ok, err := c.forward.next()
	*c.spent += r.end - r.offset
	return r, ok, err
}
