package bff

import (
	"context"
	"errors"
	"path"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

func (s *Server) openContent(c *fiber.Ctx, _ view.Page, i engine.Image, v view.Image) (templ.Component, error) {
	q := present.ParseContentQuery(query(c))
	if err := q.Known(); err != nil {
		return nil, err
	}
	in, err := s.contentOf(c.UserContext(), i, q)
	if err != nil {
		return nil, err
	}
	return templates.ImageContent(v, *present.ImageContent(in)), nil
}

func (s *Server) contentOf(ctx context.Context, i engine.Image, q present.ContentQuery) (present.ContentIn, error) {
	in := present.ContentIn{Image: i, Query: q}
	var err error
	if in.Counts, err = s.engine.PackageClasses(ctx, i.Account, string(i.Digest)); err != nil {
		return in, err
	}
	switch {
	case q.Key != "":
		return in, s.packageOf(ctx, &in)
	case q.Class == present.ClassFiles:
		in.Files, err = s.engine.FilePage(ctx, i.Account, string(i.Digest), q.Files())
		if errors.Is(err, engine.ErrNotFound) {
			in.NoFiles, err = true, nil
		}
	case !q.OfPackages():
		in.Document, err = s.contentDocument(ctx, i, q)
	default:
		in.Packages, in.Total, err = s.engine.PackagePage(ctx, i.Account, string(i.Digest), q.Packages())
	}
	return in, err
}

func (s *Server) contentDocument(ctx context.Context, i engine.Image, q present.ContentQuery) ([]byte, error) {
	doc, err := s.engine.Document(ctx, i.Account, present.ContentDocument(q.Class), string(i.Digest))
	if errors.Is(err, engine.ErrNotFound) {
		return nil, nil
	}
	return doc, err
}

// packageOf asks for all that is known of one package.
func (s *Server) packageOf(ctx context.Context, in *present.ContentIn) error {
	account, digest, key := in.Image.Account, string(in.Image.Digest), in.Query.Key
	list, _, err := s.engine.PackagePage(ctx, account, digest, engine.PackageFilter{Key: key, Limit: 1})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return engine.NotFoundf("This image has no such package. It may have been analyzed anew.")
	}
	in.Package = &list[0]
	in.Owned, err = s.engine.FilePage(ctx, account, digest, engine.FileQuery{Owner: key, Limit: present.ContentPage})
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return err
	}
	matches, _, err := s.engine.Matches(ctx, account, digest)
	for _, m := range matches {
		if m.PackageKey == key {
			in.Matches = append(in.Matches, m)
		}
	}
	return err
}

// downloadKept sends a file that the analysis kept, as it was.
func (s *Server) downloadKept(c *fiber.Ctx) error {
	i, err := s.imageOf(c)
	if err != nil {
		return err
	}
	q := present.ParseContentQuery(query(c))
	q.Class = present.ClassRetrieved
	doc, err := s.contentDocument(c.UserContext(), i, q)
	if err != nil {
		return err
	}
	body, ok := present.KeptFile(doc, q.File)
	if !ok {
		return engine.NotFoundf("The analysis kept no such file.")
	}
	// The browser is to lay it aside and never to show it: it is foreign.
	download(c, fiber.MIMEOctetStream, path.Base(q.File))
	return c.Send(body)
}
