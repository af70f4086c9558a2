// Package bff is the console: server-rendered pages, their live updates and
// the proxy to the v1 API, over an Engine that it does not look behind. It may
// import package engine (the vocabulary) and the web packages, and no other
// part of the engine.
package bff

import (
	"context"
	"log/slog"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/engine"
)

// Engine is everything the console asks of a scanner, grouped by role. Each
// role is declared beside the pages that ask for it.
type Engine interface {
	Auth
	Services
	Events
	Feeds
	Images
	Registries
	Samples
	Logs
	// Watch calls each with every change after the given number, in order,
	// until ctx ends (nil) or the connection is lost (an error: resume).
	Watch(ctx context.Context, after int64, each func(engine.Change) error) error
	LastChange(ctx context.Context) (int64, error)
}

// Server is the console's listener.
type Server struct {
	engine Engine
	log    *slog.Logger
	app    *fiber.App
}

// routes lists every page. A page's handlers stand in the file of its name.
func (s *Server) routes(r fiber.Router) {
	s.overviewRoutes(r)
	s.servicesRoutes(r)
	s.eventsRoutes(r)
	s.feedsRoutes(r)
	s.imagesRoutes(r)
	s.registriesRoutes(r)
	s.samplesRoutes(r)
	s.logsRoutes(r)
}
