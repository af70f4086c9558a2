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

// ImageSBOMs is what the tab of the bill of materials asks of an engine.
type ImageSBOMs interface {
	// SBOMInfo tells how large the stored SBOM is; engine.ErrNotFound without.
	SBOMInfo(ctx context.Context, account, digest string) (engine.DocumentInfo, error)
	PackageSummary(ctx context.Context, account, digest string) (engine.PackageSummary, error)
}

func (s *Server) openSBOM(c *fiber.Ctx, _ view.Page, i engine.Image, _ view.Image) (templ.Component, error) {
	ctx, digest := c.UserContext(), string(i.Digest)
	in := present.SBOMIn{Image: i, Text: query(c).Get("q")}
	var err error
	if in.Info, err = s.engine.SBOMInfo(ctx, i.Account, digest); err != nil && !errors.Is(err, engine.ErrNotFound) {
		return nil, err
	}
	if in.Summary, err = s.engine.PackageSummary(ctx, i.Account, digest); err != nil {
		return nil, err
	}
	in.Packages, in.Total, err = s.engine.PackagePage(ctx, i.Account, digest, engine.PackageFilter{Text: in.Text, Limit: present.SBOMRows})
	if err != nil {
		return nil, err
	}
	return templates.ImageSBOM(present.ImageSBOM(in)), nil
}
