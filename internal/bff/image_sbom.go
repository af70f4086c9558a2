package bff

import (
	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

func (s *Server) openSBOM(_ *fiber.Ctx, _ view.Page, i engine.Image, v view.Image) (templ.Component, error) {
	return templates.ImageSBOM(view.ImageSBOM{
		Href: v.Path + "/sbom.json", Name: i.Digest.Short() + ".syft.json", Packages: present.Plural(i.Packages, "package", "packages"),
	}), nil
}
