package bff

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/engine"
)

// Overview is what the start page asks of an engine.
type Overview interface {
	// Overview is the state of everything an account can see, at one moment.
	Overview(ctx context.Context, account string) (engine.Overview, error)
}

func (s *Server) overviewRoutes(r fiber.Router) {}
