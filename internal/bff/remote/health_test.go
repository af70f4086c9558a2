package remote

import (
	"errors"
	"testing"
	"time"

	"windlass/internal/engine"
)

func TestServicesAreRemembered(t *testing.T) {
	var c Client
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	see := func(after time.Duration, state engine.ServiceState) engine.Service {
		list := []engine.Service{{Name: "catalog", Host: "host-1", State: state, Detail: engine.ServiceDetail{Message: "why"}}}
		c.health.note(list, at.Add(after))
		return list[0]
	}
	see(0, engine.ServiceAvailable)
	if s := see(time.Minute, engine.ServiceAvailable); !s.Since.Equal(at) {
		t.Errorf("it is so since %v", s.Since)
	}
	see(2*time.Minute, engine.ServiceUnavailable)
	see(3*time.Minute, engine.ServiceAvailable)
	list, err := c.ServiceHistory(t.Context(), at.Add(150*time.Second))
	if !errors.Is(err, engine.ErrUnsupported) || len(list) != 2 || list[0].To != engine.ServiceUnavailable || list[0].Cause != "why" || list[1].From != engine.ServiceUnavailable {
		t.Errorf("%+v, %v", list, err)
	}
	lines := engine.Timelines(nil, list, at.Add(-time.Hour), at.Add(time.Hour))[engine.Instance{Name: "catalog", Host: "host-1"}]
	if len(lines) != 3 || lines[0].Health != engine.HealthUnknown {
		t.Errorf("what was before is not known: %+v", lines)
	}
}
