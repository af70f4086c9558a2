package bff

import (
	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

func (s *Server) openVulns(c *fiber.Ctx, _ view.Page, i engine.Image, v view.Image) (templ.Component, error) {
	list, _, err := s.engine.Matches(c.UserContext(), i.Account, string(i.Digest))
	if err != nil {
		return nil, err
	}
	return templates.ImageVulns(v, *present.ImageVulns(i, list, present.ParseVulnQuery(query(c)), s.clock(c))), nil
}
