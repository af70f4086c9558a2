package bff

import (
	"context"
	"sync"
	"time"

	"windlass/internal/bff/present"
	"windlass/web/templates"
	"windlass/web/templates/view"

	"github.com/gofiber/fiber/v2"
)

// statusCache keeps the pill of the whole engine for a moment, or until a change
// is heard of: it stands on every page, and says the same on all of them.
type statusCache struct {
	mu   sync.Mutex
	pill view.Pill
	at   time.Time
	seq  int64 // the newest change when it was asked for
}

const statusFor = 200 * time.Millisecond

// engineStatus never fails: that the engine does not answer is a status.
func (s *Server) engineStatus(ctx context.Context) view.Pill {
	s.status.mu.Lock()
	defer s.status.mu.Unlock()
	seq := s.live.seq()
	if time.Since(s.status.at) < statusFor && s.status.seq == seq {
		return s.status.pill
	}
	list, err := s.engine.Services(ctx)
	pill := present.EngineStatus(list, err)
	if pill.Tone == "ok" {
		if feeds, err := s.engine.Feeds(ctx); err == nil {
			pill = present.StatusWithData(pill, feeds)
		}
	}
	s.status.pill, s.status.at, s.status.seq = pill, time.Now(), seq
	return pill
}

func (s *Server) statusFragment(c *fiber.Ctx) error {
	return s.render(c, templates.Status(s.engineStatus(c.UserContext())))
}
