package bff

import "github.com/gofiber/fiber/v2"

// Feeds is what the feeds pages ask of an engine.
type Feeds interface{}

func (s *Server) feedsRoutes(r fiber.Router) {}
