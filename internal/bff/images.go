package bff

import "github.com/gofiber/fiber/v2"

// Images is what the images pages ask of an engine.
type Images interface{}

func (s *Server) imagesRoutes(r fiber.Router) {}
