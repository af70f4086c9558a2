package bff

import "github.com/gofiber/fiber/v2"

// Events is what the events pages ask of an engine.
type Events interface{}

func (s *Server) eventsRoutes(r fiber.Router) {}
