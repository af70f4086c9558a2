package bff

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"slices"

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
	Files(ctx context.Context, account, digest string) ([]engine.File, error)
	// Document is one of engine.Doc...; engine.ErrNotFound without it.
	Document(ctx context.Context, account, name, digest string) ([]byte, error)
	Events(ctx context.Context, account string, f engine.EventFilter, p engine.EventPage) (engine.EventList, error)
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

func (s *Server) showImage(c *fiber.Ctx) error {
	i, err := s.imageOf(c)
	if err != nil {
		return err
	}
	q := query(c)
	tab := q.Get("tab")
	switch tab {
	case "vulnerabilities", "content", "sbom", "events":
	default:
		tab = "overview"
	}
	v := present.Image(i, tab, c.BaseURL(), s.who(c).User)
	if v.Waiting == "" {
		if err := s.fillTab(c, i, q, &v); err != nil {
			return err
		}
	}
	return s.render(c, templates.Image(s.page(c, v.Title, "images"), v))
}

// fillTab asks for what the chosen tab shows.
func (s *Server) fillTab(c *fiber.Ctx, i engine.Image, q url.Values, v *view.Image) error {
	ctx, clock := c.UserContext(), s.clock(c)
	switch v.Tab {
	case "vulnerabilities":
		list, _, err := s.engine.Matches(ctx, i.Account, string(i.Digest))
		if err != nil {
			return err
		}
		v.Vulns = present.ImageVulns(i, list, present.ParseVulnQuery(q), clock)
	case "content":
		in, err := s.contentOf(ctx, i, present.ParseContentQuery(q))
		if err != nil {
			return err
		}
		v.Content = present.ImageContent(in)
	case "sbom":
		v.SBOM = &view.ImageSBOM{Href: v.Path + "/sbom.json", Name: i.Digest.Short() + ".syft.json", Packages: present.Plural(i.Packages, "package", "packages")}
	case "events":
		list, err := s.eventsOf(ctx, i)
		if err != nil {
			return err
		}
		v.Events = present.ImageEvents(list, clock)
	default:
		in, err := s.overviewOf(ctx, i)
		if err != nil {
			return err
		}
		v.Overview = present.ImageOverview(in, clock)
	}
	return nil
}

func (s *Server) overviewOf(ctx context.Context, i engine.Image) (present.OverviewIn, error) {
	in := present.OverviewIn{Image: i}
	var err error
	if in.Timeline, err = s.engine.Timeline(ctx, i.Account, string(i.Digest)); err != nil {
		return in, err
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

// Events stand under the image's digest or under one of its tags.
const (
	eventTags  = 5  // tags whose events are looked for
	eventLimit = 50 // events that are shown
)

func (s *Server) eventsOf(ctx context.Context, i engine.Image) ([]engine.Event, error) {
	ids := []string{string(i.Digest)}
	for n, t := range i.Tags {
		if n == eventTags {
			break
		}
		ids = append(ids, t.Full())
	}
	var all []engine.Event
	for _, id := range ids {
		part, err := s.engine.Events(ctx, i.Account, engine.EventFilter{ResourceID: id}, engine.EventPage{Limit: eventLimit})
		if err != nil {
			return nil, err
		}
		all = append(all, part.Events...)
	}
	slices.SortFunc(all, func(a, b engine.Event) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.ID, b.ID)) })
	return all[:min(len(all), eventLimit)], nil
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
