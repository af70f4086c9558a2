package bff

import "github.com/gofiber/fiber/v2"

// Logs is what the logs pages ask of an engine.
type Logs interface{}

func (s *Server) logsRoutes(r fiber.Router) {}
