package bff

import "github.com/gofiber/fiber/v2"

func (s *Server) overviewRoutes(r fiber.Router) {}
