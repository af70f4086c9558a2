package bff

import (
	"context"
	"errors"
	"net/url"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// ImageParts is what the page of one image asks of an engine.
type ImageParts interface {
	Image(ctx context.Context, account, digest string) (engine.Image, error)
	// Timeline lists the states the image went through, oldest first.
	Timeline(ctx context.Context, account, digest string) ([]engine.StateEntry, error)
	// Matches lists what the image is affected by, and names the data it was
	// matched with.
	Matches(ctx context.Context, account, digest string) ([]engine.Match, string, error)
	PackagePage(ctx context.Context, account, digest string, f engine.PackageFilter) ([]engine.Package, int, error)
	// PackageClasses counts packages by content class.
	PackageClasses(ctx context.Context, account, digest string) (map[string]int, error)
	// FilePage is one page of the files; engine.ErrNotFound when they are not
	// known, as of an imported analysis.
	FilePage(ctx context.Context, account, digest string, q engine.FileQuery) (engine.FilePage, error)
	// Document is one of engine.Doc...; engine.ErrNotFound without it.
	Document(ctx context.Context, account, name, digest string) ([]byte, error)
	Events(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage) (engine.EventList, error)

	Judgements
	ImageSBOMs
	ImageExports
	ImageComparisons
}

// imageOf finds the image of the page's address.
func (s *Server) imageOf(c *fiber.Ctx) (engine.Image, error) {
	digest, err := url.PathUnescape(c.Params("digest"))
	if err != nil {
		return engine.Image{}, engine.NotFoundf("There is no such image.")
	}
	i, err := s.engine.Image(c.UserContext(), s.who(c).Account, digest)
	if errors.Is(err, engine.ErrNotFound) {
		return i, engine.NotFoundf("There is no image %s. It may have been deleted.", engine.Digest(digest).Short())
	}
	return i, err
}

// openTab asks for what one tab of an image's page shows, and draws it.
type openTab func(c *fiber.Ctx, p view.Page, i engine.Image, v view.Image) (templ.Component, error)

// openers are the tabs of an image's page, by their key in present's table.
func (s *Server) openers() map[string]openTab {
	return map[string]openTab{
		"overview":        s.openOverview,
		"vulnerabilities": s.openVulns,
		"content":         s.openContent,
		"policy":          s.openPolicy,
		"sbom":            s.openSBOM,
		"compare":         s.openCompare,
		"events":          s.openEvents,
	}
}

func (s *Server) showImage(c *fiber.Ctx) error {
	i, err := s.imageOf(c)
	if err != nil {
		return err
	}
	v := present.Image(i, query(c).Get("tab"), c.BaseURL(), s.who(c).User)
	p, tab := s.page(c, v.Title, "images"), templ.Component(templ.NopComponent)
	if v.Waiting == "" && s.wants(c, "image-tab") {
		if tab, err = s.openers()[v.Tab](c, p, i, v); err != nil {
			return err
		}
	}
	return s.render(c, templates.Image(p, v, tab))
}

func (s *Server) reanalyzeImage(c *fiber.Ctx) error {
	i, err := s.imageOf(c)
	if err != nil {
		return err
	}
	if err := s.engine.Reanalyze(c.UserContext(), i.Account, string(i.Digest)); err != nil {
		return err
	}
	return s.done(c, present.ImageHref(i.Digest), "Queued for analysis.", "")
}

// tryImageNow has the next attempt made that waits for its time, with all
// attempts before it; what is known of the last one stays until then.
func (s *Server) tryImageNow(c *fiber.Ctx) error {
	i, err := s.imageOf(c)
	if err != nil {
		return err
	}
	f := engine.MessageFilter{Account: i.Account, Queue: engine.QueueAnalyze, State: engine.MessageDelayed, Text: string(i.Digest)}
	done, err := s.engine.AlterMessages(c.UserContext(), engine.MessageRetry, f, s.who(c).User)
	if err != nil {
		return err
	}
	text := "Tried as soon as an analyzer is free."
	if done.Done == 0 {
		text = "It does not wait for its time any more."
	}
	return s.done(c, present.ImageHref(i.Digest), text, "")
}

func (s *Server) cancelImage(c *fiber.Ctx) error {
	i, err := s.imageOf(c)
	if err != nil {
		return err
	}
	if err := s.engine.CancelAnalysis(c.UserContext(), i.Account, string(i.Digest)); err != nil {
		return err
	}
	return s.done(c, present.ImageHref(i.Digest), "Analysis cancelled.", "")
}
