package enginecontract

import (
	"errors"
	"slices"

	"windlass/internal/engine"
)

// happen makes events: each look-up of a name that no registry has is one.
func (t *trial) happen(names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := t.Engine.AddImage(t.ctx, engine.AddImage{Account: account, Tag: name}); err == nil {
			t.Fatalf("there is an image %s", name)
		}
	}
}

// nowhere is a name at an address where nothing listens.
func (t *trial) nowhere(what string) string { return "127.0.0.1:9/" + what + "-" + t.tag + ":1" }

func eventPages(t *trial) {
	for range 5 {
		t.happen(t.nowhere("paged"))
	}
	f := engine.EventFilter{ResourceID: t.nowhere("paged")}
	var seen []string
	p := engine.EventPage{Limit: 2}
	for {
		list, err := t.Engine.Events(t.ctx, account, f, p)
		t.need(err, "Events")
		for n, e := range list.Events {
			if slices.Contains(seen, e.ID) {
				t.Errorf("event %s comes twice", e.ID)
			}
			if n > 0 && e.At.After(list.Events[n-1].At) {
				t.Errorf("event %s is newer than the one before", e.ID)
			}
			if e.Type != engine.EvRegistryLookupFailed || e.Level != engine.LevelError || e.ResourceID != f.ResourceID || e.At.IsZero() || e.Service == "" {
				t.Errorf("event %+v", e)
			}
			seen = append(seen, e.ID)
		}
		if list.Next == "" {
			break
		}
		p.Cursor = list.Next
	}
	if len(seen) != 5 {
		t.Errorf("%d events in pages, want 5", len(seen))
	}
	if n, exact, err := t.Engine.CountEvents(t.ctx, account, f, 0); err != nil || n != 5 || !exact {
		t.Errorf("CountEvents = %d, %v, %v", n, exact, err)
	}
	if e, err := t.Engine.Event(t.ctx, account, seen[0]); err != nil || e.ID != seen[0] {
		t.Errorf("Event = %+v, %v", e, err)
	}
	text := engine.EventFilter{Text: "paged-" + t.tag, Level: engine.LevelError}
	if list, err := t.Engine.Events(t.ctx, account, text, engine.EventPage{Limit: 10}); err != nil || len(list.Events) != 5 {
		t.Errorf("by a text: %d events, %v", len(list.Events), err)
	}
	if list, err := t.Engine.Events(t.ctx, account, engine.EventFilter{IDs: seen[:2]}, engine.EventPage{Limit: 10}); err != nil || len(list.Events) != 2 {
		t.Errorf("by ids: %d events, %v", len(list.Events), err)
	}
}

func clearEvents(t *trial) {
	t.happen(t.nowhere("cleared"), t.nowhere("cleared"), t.nowhere("kept"))
	gone, stays := engine.EventFilter{ResourceID: t.nowhere("cleared")}, engine.EventFilter{ResourceID: t.nowhere("kept")}
	c, err := t.Engine.ClearEvents(t.ctx, account, gone, engine.AdminUser)
	t.need(err, "ClearEvents")
	t.until("the clear has ended", func() bool {
		c, err = t.Engine.EventClear(t.ctx, account, c.ID)
		t.need(err, "EventClear")
		return !c.Working() || c.Status == engine.ClearPurging
	})
	if c.Total != 2 {
		t.Errorf("the clear is %+v", c)
	}
	for _, tc := range []struct {
		f    engine.EventFilter
		want int64
	}{{gone, 0}, {stays, 1}} {
		if n, _, err := t.Engine.CountEvents(t.ctx, account, tc.f, 0); err != nil || n != tc.want {
			t.Errorf("%s: %d events, want %d; %v", tc.f.ResourceID, n, tc.want, err)
		}
	}
	if _, err := t.Engine.UndoClear(t.ctx, account, c.ID); err == nil {
		t.until("the events are back", func() bool {
			n, _, err := t.Engine.CountEvents(t.ctx, account, gone, 0)
			t.need(err, "CountEvents")
			return n == 2
		})
	} else {
		t.is(err, engine.ErrUnsupported, "UndoClear")
	}
}

func noEvent(t *trial) {
	if _, err := t.Engine.Event(t.ctx, account, "00000000000000000000000000000000"); !errors.Is(err, engine.ErrNotFound) {
		t.Errorf("Event = %v", err)
	}
}

func feeds(t *trial) {
	if _, err := t.Engine.Feeds(t.ctx); err != nil {
		t.Errorf("Feeds = %v", err)
	}
	if _, err := t.Engine.FeedStatus(t.ctx); err != nil {
		t.Errorf("FeedStatus = %v", err)
	}
	if _, err := t.Engine.SetFeedGroup(t.ctx, "vulnerabilities", "no-such-group-"+t.tag, false); err == nil {
		t.Error("a group that is not there was switched off")
	}
}
