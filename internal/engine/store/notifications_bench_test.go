package store_test

import (
	"testing"

	"windlass/internal/engine"
)

// BenchmarkEmit stores an event while there are no webhooks (idle), while there
// is one that the event does not go to (hooks), and when it goes there (told).
func BenchmarkEmit(b *testing.B) {
	event := func() engine.Event { return analyzedEvent("admin", "docker.io/team/app:1") }
	log := func() engine.Event {
		return engine.NewEvent(engine.EvFeedStarted, "admin", "nvd", nil, engine.Source{})
	}
	hook := engine.Webhook{Type: "general", URL: "http://a"}
	for name, tc := range map[string]struct {
		hooks []engine.Webhook
		make  func() engine.Event
	}{
		"idle/event":    {nil, log},
		"idle/analysis": {nil, event},
		"hooks/event":   {[]engine.Webhook{hook}, log},
		"told/analysis": {[]engine.Webhook{hook}, event},
	} {
		b.Run(name, func(b *testing.B) {
			s := notifyStore(b, tc.hooks...)
			for b.Loop() {
				if err := s.AddEvent(b.Context(), tc.make()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
