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

func (s *Server) openOverview(c *fiber.Ctx, p view.Page, i engine.Image, v view.Image) (templ.Component, error) {
	in, err := s.overviewOf(c.UserContext(), i)
	if err != nil {
		return nil, err
	}
	return templates.ImageOverview(p, v, *present.ImageOverview(in, s.clock(c))), nil
}

func (s *Server) overviewOf(ctx context.Context, i engine.Image) (present.OverviewIn, error) {
	in := present.OverviewIn{Image: i}
	var err error
	if in.Timeline, err = s.engine.Timeline(ctx, i.Account, string(i.Digest)); err != nil {
		return in, err
	}
	if i.State == engine.Analyzed {
		if in.Verdicts, err = s.engine.ImageVerdicts(ctx, i.Account, []engine.Digest{i.Digest}); err != nil {
			return in, err
		}
	}
	for name, to := range map[string]*[]byte{engine.DocConfig: &in.Config, engine.DocHistory: &in.History, engine.DocDockerfile: &in.Dockerfile} {
		body, err := s.engine.Document(ctx, i.Account, name, string(i.Digest))
		if err != nil && !errors.Is(err, engine.ErrNotFound) { // not there before the analysis
			return in, err
		}
		*to = body
	}
	return in, nil
}
