package present

import (
	"fmt"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// EventClear shapes a bulk clearing.
func EventClear(e engine.EventClear, c Clock) view.EventClear {
	id := fmt.Sprint(e.ID)
	page := "/events/clears/" + id
	v := view.EventClear{
		ID: id, What: FilterWords(e.Filter), Working: e.Working(), Href: page, By: e.By, Started: c.Exact(e.StartedAt),
		Back: ClearBack(e),
	}
	events := Plural(e.Total, "event", "events")
	switch e.Status {
	case engine.ClearPurging:
		v.Title, v.State = "Cleared "+events, view.Pill{Tone: "run", Text: "Being deleted"}
		v.Meter = view.Meter{Label: "Events deleted for good", Value: e.Purged, Max: max(e.Total, 1), Text: Count(e.Purged) + " of " + Count(e.Total) + " deleted for good" + rate(e, c)}
		v.Cancel = page + "/cancel"
	case engine.ClearUndone:
		v.Title, v.State = "All "+events+" are back", view.Pill{Tone: "off", Text: "Undone"}
		if e.Total < 2 {
			v.Title = events + " is back"
		}
	case engine.ClearCancelled:
		v.Title, v.State = Count(e.Purged)+" of "+events+" deleted", view.Pill{Tone: "warn", Text: "Stopped"}
	case engine.ClearPurged:
		v.Title, v.State = "Cleared "+events, view.Pill{Tone: "off", Text: "Deleted for good"}
	default:
		v.Title, v.State = "Cleared "+events, view.Pill{Tone: "ok", Text: "Out of every list"}
	}
	if e.Undoable(c.Now) {
		v.Undo = page + "/undo"
		if !e.UndoUntil.IsZero() {
			v.UndoUntil = c.Until(e.UndoUntil)
		}
	}
	return v
}

// rate says how fast a deletion goes and how long it will take.
func rate(e engine.EventClear, c Clock) string {
	took := c.Now.Sub(e.UndoUntil)
	if took.Seconds() < 1 || e.Purged == 0 {
		return ""
	}
	perSecond := float64(e.Purged) / took.Seconds()
	left := float64(max(e.Total-e.Purged, 0)) / perSecond
	return fmt.Sprintf(", %s a second, about %s left", Count(int64(perSecond)), Span(time.Duration(left*float64(time.Second))))
}

// ClearBack is the list that a clear was asked for from: its filter without
// the end that the drawing of the form gave it.
func ClearBack(e engine.EventClear) string {
	q := QueryOf(e.Filter)
	q.Before = ""
	return q.Href()
}

// ClearedWords says what an action on a clear has come to.
func ClearedWords(e engine.EventClear) string {
	switch e.Status {
	case engine.ClearUndone:
		return "All events of that clear are back."
	case engine.ClearCancelled:
		return "Stopped: " + Plural(e.Total-e.Purged, "event is", "events are") + " back."
	}
	if e.Done == 0 && e.Total == 0 {
		return "No event matched: nothing was cleared."
	}
	return "Cleared " + Plural(e.Done, "event", "events") + "."
}
