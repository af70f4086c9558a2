package bff

import (
	"context"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/engine"
)

// Samples is what the offer of the built-in sample asks of an engine.
type Samples interface {
	SampleStatus(ctx context.Context, account string) (engine.SampleStatus, error)
	// TrySample analyses the sample images, with the starter vulnerability
	// data when no other is active.
	TrySample(ctx context.Context, account string) error
	// RemoveSample takes away the sample images and the starter data.
	RemoveSample(ctx context.Context, account string) error
}

func (s *Server) samplesRoutes(r fiber.Router) {
	r.Post("/sample", s.may("createImage"), s.trySample)
	r.Post("/sample/remove", s.may("deleteImage"), s.removeSample)
}

func (s *Server) trySample(c *fiber.Ctx) error {
	if err := s.engine.TrySample(c.UserContext(), s.who(c).Account); err != nil {
		return err
	}
	return s.done(c, "/images", "The sample images are being analyzed.", "")
}

func (s *Server) removeSample(c *fiber.Ctx) error {
	if err := s.engine.RemoveSample(c.UserContext(), s.who(c).Account); err != nil {
		return err
	}
	return s.done(c, "/images", "The sample is removed.", "")
}
