package bff

import (
	"context"
	"errors"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

func (s *Server) openContent(c *fiber.Ctx, _ view.Page, i engine.Image, v view.Image) (templ.Component, error) {
	in, err := s.contentOf(c.UserContext(), i, present.ParseContentQuery(query(c)))
	if err != nil {
		return nil, err
	}
	return templates.ImageContent(v, *present.ImageContent(in)), nil
}

func (s *Server) contentOf(ctx context.Context, i engine.Image, q present.ContentQuery) (present.ContentIn, error) {
	in := present.ContentIn{Image: i, Query: q}
	var err error
	digest := string(i.Digest)
	if in.Counts, err = s.engine.PackageClasses(ctx, i.Account, digest); err != nil {
		return in, err
	}
	if q.Class == "files" {
		if in.Files, err = s.engine.Files(ctx, i.Account, digest); errors.Is(err, engine.ErrNotFound) {
			err = nil
		}
		return in, err
	}
	in.Packages, in.Total, err = s.engine.PackagePage(ctx, i.Account, digest, engine.PackageFilter{
		Class: q.Class, Text: q.Text, Offset: (q.Page - 1) * present.ContentPage, Limit: present.ContentPage,
	})
	return in, err
}
