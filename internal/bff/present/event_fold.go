package present

import (
	"encoding/base64"
	"encoding/json"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// EventFold is a row of the folded list: one event, or a run of its repeats
// that nothing else interrupts in the list as it is filtered.
type EventFold struct {
	First engine.Event // as the list has them
	Last  engine.Event
	Count int
	More  bool // the page ended before the run did
}

// Fold puts an event behind the others; when it says what the last of them
// does it joins that one's run.
func Fold(list []EventFold, e engine.Event) []EventFold {
	if n := len(list); n > 0 && engine.RunOf(list[n-1].First).Repeats(e) {
		list[n-1].Last = e
		list[n-1].Count++
		return list
	}
	return append(list, EventFold{First: e, Last: e, Count: 1})
}

// Run is what a clear of the row is for: exactly the events it stands for.
func (f EventFold) Run() engine.EventRun {
	r := engine.RunOf(f.First)
	if r.Since, r.Until = f.First.At, f.Last.At; r.Since.After(r.Until) {
		r.Since, r.Until = r.Until, r.Since
	}
	return r
}

// Key names the row in an address: by its oldest event, since a run that goes on
// gets newer ones.
func (f EventFold) Key() string {
	if f.First.At.Before(f.Last.At) {
		return f.First.ID
	}
	return f.Last.ID
}

// runWire is a run as a form sends it.
type runWire struct {
	T, L, S, H, R, I string
	F, U             int64 // microseconds
}

// maxRunText bounds a run in a form: a resource may have 4 KB.
const maxRunText = 16 << 10

// EncodeRun writes a run for a form.
func EncodeRun(r engine.EventRun) string {
	text, _ := json.Marshal(runWire{r.Type, r.Level, r.Service, r.Host, r.ResourceType, r.ResourceID, r.Since.UnixMicro(), r.Until.UnixMicro()})
	return base64.RawURLEncoding.EncodeToString(text)
}

// ParseRun reads what EncodeRun has written.
func ParseRun(text string) (engine.EventRun, error) {
	bad := engine.Invalidf("One of the chosen rows is none of a list of events. Reload the page and choose again.")
	if len(text) > maxRunText {
		return engine.EventRun{}, bad
	}
	raw, err := base64.RawURLEncoding.DecodeString(text)
	var w runWire
	if err != nil || json.Unmarshal(raw, &w) != nil {
		return engine.EventRun{}, bad
	}
	r := engine.EventRun{Type: w.T, Level: w.L, Service: w.S, Host: w.H, ResourceType: w.R, ResourceID: w.I, Since: time.UnixMicro(w.F).UTC(), Until: time.UnixMicro(w.U).UTC()}
	if y := r.Since.Year(); y < 1 || y > 9999 || r.Until.Year() > 9999 || r.Until.Before(r.Since) {
		return engine.EventRun{}, bad
	}
	return r, nil
}

// foldRow shapes a row of the folded list; members are its events when it is
// open.
func foldRow(f EventFold, q EventQuery, members []engine.Event, c Clock) view.EventRow {
	r := EventRow(f.First, c)
	if f.Count == 1 {
		return r
	}
	newest, oldest := f.First, f.Last
	if newest.At.Before(oldest.At) {
		newest, oldest = oldest, newest
	}
	run := f.Run()
	r.DOMID = "run-" + f.Key()
	r.Pick, r.PickValue, r.Events = "run", EncodeRun(run), int64(f.Count)
	r.Fold = &view.EventFold{Count: "×" + Count(f.Count), Newest: c.Exact(newest.At), Oldest: c.Exact(oldest.At), Open: q.Unfold == f.Key()}
	r.At = r.Fold.Newest
	if f.More {
		r.Fold.More = "and more on the next page"
	}
	if r.Fold.Open {
		shut := q
		shut.Unfold = ""
		r.Fold.Href = shut.Href()
		for _, e := range members {
			m := EventRow(e, c)
			m.Member = true
			r.Fold.Members = append(r.Fold.Members, m)
		}
		if rest := f.Count - len(members); rest > 0 && len(members) > 0 {
			all := q.with(func(q *EventQuery) {
				q.Fold, q.Range = "", ""
				q.Type, q.Level, q.Service, q.Host, q.ResourceType, q.Resource = run.Type, run.Level, run.Service, run.Host, run.ResourceType, run.ResourceID
				q.Since, q.Before = stamp(run.Since.Add(-time.Microsecond)), stamp(run.Until.Add(time.Microsecond))
			})
			r.Fold.Rest, r.Fold.RestHref = "The other "+Count(rest)+" as a list", all.Href()
		}
		return r
	}
	open := q
	open.Unfold = f.Key()
	r.Fold.Href = open.Href()
	return r
}
