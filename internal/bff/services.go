package bff

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/engine"
)

// Services is what the services pages ask of an engine.
type Services interface {
	// Services lists the records of all services on all hosts.
	Services(ctx context.Context) ([]engine.Service, error)
	// ServiceHistory lists what went up and down since a moment, oldest first.
	ServiceHistory(ctx context.Context, since time.Time) ([]engine.ServiceTransition, error)
	// RemoveService forgets a record; engine.ErrConflict while it is up.
	RemoveService(ctx context.Context, name, host string) error
}

func (s *Server) servicesRoutes(r fiber.Router) {}
