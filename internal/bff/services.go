package bff

import "github.com/gofiber/fiber/v2"

// Services is what the services pages ask of an engine.
type Services interface{}

func (s *Server) servicesRoutes(r fiber.Router) {}
