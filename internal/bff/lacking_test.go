package bff_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"windlass/internal/bff"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// partly is an engine without logs, queues and a history of its services.
type partly struct{ *enginetest.Fake }

func (partly) Lacks(f engine.Feature) bool {
	return f == engine.FeatureLogs || f == engine.FeatureQueues
}
func (partly) Named() string { return "Engine 0.9 at somewhere" }
func (partly) ServiceHistory(context.Context, time.Time) ([]engine.ServiceTransition, error) {
	return nil, engine.ErrUnsupported
}

// A page says what the engine has nothing for, be that all of it or a part.
func TestWhatTheEngineLacksIsSaid(t *testing.T) {
	fake := enginetest.New()
	c := start(t, bff.Options{Engine: partly{fake}})
	c.fake = fake
	c.login()
	code, body, _ := c.do(http.MethodGet, "/logs", nil)
	if code != http.StatusNotImplemented || !strings.Contains(body, "Engine 0.9 at somewhere does not give out the logs of its services.") {
		t.Errorf("the logs: %d %.400s", code, body)
	}
	code, body, _ = c.do(http.MethodGet, "/services", nil)
	if code != http.StatusOK || !strings.Contains(body, `data-testid="lacks"`) || !strings.Contains(body, "when services were down before this console looked") {
		t.Errorf("the services: %d, without a word of what lacks", code)
	}
	if n := strings.Count(body, "data-lacks"); n < 2 {
		t.Errorf("%d pages of the rail are told to lack", n)
	}
	if code, body, _ = c.do(http.MethodGet, "/events", nil); code != http.StatusOK || strings.Contains(body, `data-testid="lacks"`) {
		t.Errorf("the events, of which nothing lacks: %d", code)
	}
}
