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
	done, total := Count(e.Done), Plural(max(e.Total, e.Done), "event", "events")
	switch e.Status {
	case engine.ClearRunning:
		v.Title, v.State = "Clearing "+total, view.Pill{Tone: "run", Text: "Running"}
		v.Meter = view.Meter{Label: "Events cleared", Value: e.Done, Max: max(e.Total, 1), Text: done + " of " + Count(e.Total) + rate(e, c)}
		v.Cancel = page + "/cancel"
	case engine.ClearUndoing:
		v.Title, v.State = "Bringing events back", view.Pill{Tone: "run", Text: "Undoing"}
		v.Meter = view.Meter{Label: "Events still to bring back", Text: done + " still to come"}
	case engine.ClearUndone:
		v.Title, v.State = "All events are back", view.Pill{Tone: "off", Text: "Undone"}
	case engine.ClearCancelled:
		v.Title, v.State = "Stopped after "+done+" of "+total, view.Pill{Tone: "warn", Text: "Stopped"}
	case engine.ClearPurging, engine.ClearPurged:
		v.Title, v.State = "Cleared "+Plural(e.Done, "event", "events"), view.Pill{Tone: "off", Text: "Deleted for good"}
		v.Working = false // nothing a person waits for
	default:
		v.Title, v.State = "Cleared "+Plural(e.Done, "event", "events"), view.Pill{Tone: "ok", Text: "Cleared"}
	}
	if e.Undoable(c.Now) {
		v.Undo = page + "/undo"
		if !e.UndoUntil.IsZero() {
			v.UndoUntil = c.Until(e.UndoUntil)
		}
	}
	return v
}

// rate says how fast a clear goes and how long it will take.
func rate(e engine.EventClear, c Clock) string {
	took := c.Now.Sub(e.StartedAt)
	if took.Seconds() < 1 || e.Done == 0 {
		return ""
	}
	perSecond := float64(e.Done) / took.Seconds()
	left := float64(e.Total-e.Done) / perSecond
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
	case engine.ClearUndoing:
		return "The events are coming back."
	case engine.ClearCancelled:
		return "Stopped after " + Plural(e.Done, "event", "events") + "."
	}
	if e.Done == 0 && e.Total == 0 {
		return "No event matched: nothing was cleared."
	}
	return "Cleared " + Plural(e.Done, "event", "events") + "."
}
