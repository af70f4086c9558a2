package bff

import "github.com/gofiber/fiber/v2"

// Registries is what the registries pages ask of an engine.
type Registries interface{}

func (s *Server) registriesRoutes(r fiber.Router) {}
