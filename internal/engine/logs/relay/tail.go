package relay

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/logs"
)

// answer is what one host said to a query.
type answer struct {
	host string
	page engine.LogPage
	left int // lines of the page that were not taken into the whole
	err  error
}

// Tail selects lines of all hosts that are asked for, merged by time.
func (r *Reader) Tail(ctx context.Context, q engine.LogQuery) (engine.LogPage, error) {
	if err := logs.Check(q); err != nil {
		return engine.LogPage{}, err
	}
	hosts := r.choose(ctx, q.Hosts)
	if len(hosts) == 1 && hosts[0].logs == r.own {
		return r.own.Tail(ctx, q)
	}
	answers := make([]answer, len(hosts))
	var all sync.WaitGroup
	for i, h := range hosts {
		answers[i].host = h.host
		part, within := partOf(q, h.host)
		switch {
		case h.reason != "":
			answers[i].err = fault{h.reason}
		case !within:
			answers[i].err = fault{"it was not there when this walk through the log began: go to the newest lines to read it too"}
		default:
			all.Go(func() { answers[i].page, answers[i].err = h.logs.Tail(ctx, part) })
		}
	}
	all.Wait()
	if err := ctx.Err(); err != nil {
		return engine.LogPage{}, err
	}
	return r.merge(q, answers)
}

// partOf is a query as it is put to one host. within is false when the query
// goes on from positions among which the host has none.
func partOf(q engine.LogQuery, host string) (part engine.LogQuery, within bool) {
	part = q
	part.Hosts = nil
	part.From, part.Until = of(q.From, host), of(q.Until, host)
	return part, (q.From == nil || part.From != nil) && (q.Until == nil || part.Until != nil)
}

// merge makes one page of many. Of a host that could not be read the position
// stays as it was.
func (r *Reader) merge(q engine.LogQuery, answers []answer) (engine.LogPage, error) {
	page := engine.LogPage{First: engine.LogCursor{}, Last: engine.LogCursor{}}
	var good []*answer
	for i := range answers {
		a := &answers[i]
		if a.err == nil {
			good = append(good, a)
			page.More, page.Missed = page.More || a.page.More, page.Missed || a.page.Missed
			continue
		}
		if errors.Is(a.err, engine.ErrInvalid) {
			return page, a.err
		}
		page.Failed = append(page.Failed, r.faultOf(a.host, a.err))
		for _, c := range []engine.LogCursor{of(q.From, a.host), of(q.Until, a.host)} {
			for src, p := range c {
				page.First[src], page.Last[src] = p, p
			}
		}
	}
	limit := q.Limit
	if limit <= 0 {
		limit = logs.DefaultLimit
	}
	if q.Oldest {
		mergeOldest(&page, good, limit)
	} else {
		mergeNewest(&page, good, limit)
	}
	return page, nil
}

// faultOf words an error for the page; one that has no words for people is
// logged.
func (r *Reader) faultOf(host string, err error) engine.LogHostFault {
	var f fault
	if !errors.As(err, &f) {
		r.log.Warn("log unreadable", "host", host, "err", err)
		f.reason = "its logs cannot be read"
	}
	return engine.LogHostFault{Host: host, Reason: f.reason}
}

// mergeNewest takes the newest lines of the pages, and no line older than what
// each of them has looked at.
func mergeNewest(page *engine.LogPage, answers []*answer, limit int) {
	var reached time.Time // by all
	for _, a := range answers {
		a.left = len(a.page.Lines)
		if !a.page.More {
			continue
		}
		at := a.page.Seen
		if at.IsZero() && a.left > 0 {
			at = a.page.Lines[0].At
		}
		if at.After(reached) {
			reached = at
		}
		if a.page.Seen.After(page.Seen) {
			page.Seen = a.page.Seen
		}
	}
	for len(page.Lines) < limit {
		var best *answer
		for _, a := range answers {
			if a.left > 0 && (best == nil || a.page.Lines[a.left-1].At.After(best.page.Lines[best.left-1].At)) {
				best = a
			}
		}
		if best == nil || best.page.Lines[best.left-1].At.Before(reached) {
			break
		}
		best.left--
		page.Lines = append(page.Lines, best.page.Lines[best.left])
	}
	slices.Reverse(page.Lines)
	for _, a := range answers {
		out, in := a.page.Lines[:a.left], a.page.Lines[a.left:]
		page.More = page.More || len(out) > 0
		for src, p := range a.page.Last {
			page.Last[src] = p
			page.First[src] = a.page.First[src]
			if !hasLine(out, src) {
				continue
			}
			page.First[src] = p
			if i := slices.IndexFunc(in, func(l engine.LogLine) bool { return l.Source() == src }); i >= 0 {
				page.First[src] = in[i].Position()
			}
		}
	}
}

// mergeOldest takes the oldest lines of the pages, and no line newer than what
// each of them has looked at.
func mergeOldest(page *engine.LogPage, answers []*answer, limit int) {
	var reached time.Time
	for _, a := range answers {
		a.left = len(a.page.Lines)
		if !a.page.More {
			continue
		}
		at := a.page.Seen
		if at.IsZero() && a.left > 0 {
			at = a.page.Lines[a.left-1].At
		}
		if !at.IsZero() && (reached.IsZero() || at.Before(reached)) {
			reached = at
		}
		if s := a.page.Seen; !s.IsZero() && (page.Seen.IsZero() || s.Before(page.Seen)) {
			page.Seen = s
		}
	}
	next := func(a *answer) engine.LogLine { return a.page.Lines[len(a.page.Lines)-a.left] }
	for len(page.Lines) < limit {
		var best *answer
		for _, a := range answers {
			if a.left > 0 && (best == nil || next(a).At.Before(next(best).At)) {
				best = a
			}
		}
		if best == nil || !reached.IsZero() && next(best).At.After(reached) {
			break
		}
		page.Lines = append(page.Lines, next(best))
		best.left--
	}
	for _, a := range answers {
		out := a.page.Lines[len(a.page.Lines)-a.left:]
		page.More = page.More || len(out) > 0
		for src, p := range a.page.First {
			page.First[src] = p
			page.Last[src] = a.page.Last[src]
			if i := slices.IndexFunc(out, func(l engine.LogLine) bool { return l.Source() == src }); i >= 0 {
				page.Last[src] = out[i].Position()
			}
		}
	}
}

func hasLine(lines []engine.LogLine, src engine.LogSource) bool {
	return slices.ContainsFunc(lines, func(l engine.LogLine) bool { return l.Source() == src })
}
