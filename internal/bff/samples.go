package bff

import "github.com/gofiber/fiber/v2"

// Samples is what the samples pages ask of an engine.
type Samples interface{}

func (s *Server) samplesRoutes(r fiber.Router) {}
