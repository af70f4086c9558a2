package bff

import (
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// ImageComparisons is what the Compare tab asks of an engine.
type ImageComparisons interface {
	// CompareImages tells what changed from one analyzed image to another.
	CompareImages(ctx context.Context, before, after engine.Image, withFiles bool) (engine.Comparison, error)
	// ImagesByName lists the images that a name stands for: those that carried
	// a tag, newest detection first, or the one with a digest or an image id.
	ImagesByName(ctx context.Context, account, name string, f engine.ImageFilter) ([]engine.Image, string, error)
}

// How many images are offered to compare with, of each kind.
const (
	compareTags    = 3 // names of the image that are looked at
	compareOffered = 12
)

func (s *Server) openCompare(c *fiber.Ctx, _ view.Page, i engine.Image, _ view.Image) (templ.Component, error) {
	q := present.ParseCompareQuery(query(c))
	in := present.CompareIn{Image: i, Query: q, CanRead: s.api != nil}
	if err := s.offerImages(c.UserContext(), &in); err != nil {
		return nil, err
	}
	with, fault, err := s.compareWith(c.UserContext(), &in)
	if err != nil {
		return nil, err
	}
	in.Fault = fault
	if with != nil {
		made, err := s.engine.CompareImages(c.UserContext(), *with, i, in.Query.Part == "files")
		if err != nil {
			return nil, err
		}
		in.Result = &made
	}
	return templates.ImageCompare(present.ImageCompare(in, s.clock(c))), nil
}

// offerImages looks for what a person may want to compare with: what stood
// under the same tag before, its neighbours in the repository, and what a search
// finds.
func (s *Server) offerImages(ctx context.Context, in *present.CompareIn) error {
	i := in.Image
	analyzed := engine.ImageFilter{State: engine.Analyzed, Limit: compareOffered}
	if in.Query.Find != "" {
		f := analyzed
		f.Text = in.Query.Find
		var err error
		in.Found, _, err = s.engine.Images(ctx, i.Account, f)
		return err
	}
	for n, t := range i.Tags {
		if n == compareTags {
			break
		}
		list, _, err := s.engine.ImagesByName(ctx, i.Account, t.Full(), analyzed)
		if err != nil {
			return err
		}
		in.SameTag = append(in.SameTag, list...)
	}
	if len(i.Tags) > 0 {
		f := analyzed
		f.Registry, f.Repository = i.Tags[0].Registry, i.Tags[0].Repository
		var err error
		if in.SameRepo, _, err = s.engine.Images(ctx, i.Account, f); err != nil {
			return err
		}
	}
	var err error
	in.Recent, _, err = s.engine.Images(ctx, i.Account, analyzed)
	return err
}

// compareWith finds the image to compare with: the one that was asked for, by
// digest or by tag, or else the one before under the same tag. What is not
// there is said beside the choice, and is no error of the page.
func (s *Server) compareWith(ctx context.Context, in *present.CompareIn) (*engine.Image, string, error) {
	name := in.Query.With
	if name == "" {
		before := in.Previous()
		return before, "", nil
	}
	var i engine.Image
	var err error
	if strings.HasPrefix(name, "sha256:") {
		i, err = s.engine.Image(ctx, in.Image.Account, name)
	} else {
		var list []engine.Image
		list, _, err = s.engine.ImagesByName(ctx, in.Image.Account, name, engine.ImageFilter{Limit: 1})
		if err == nil && len(list) == 0 {
			err = engine.ErrNotFound
		} else if err == nil {
			i = list[0]
		}
	}
	switch {
	case errors.Is(err, engine.ErrNotFound), errors.Is(err, engine.ErrInvalid):
		return nil, "There is no image " + present.ShortName(name) + " to compare with. It may have been deleted.", nil
	case err != nil:
		return nil, "", err
	case i.State != engine.Analyzed:
		return nil, present.ImageTitle(i) + " has not been analyzed, so there is nothing to compare with yet.", nil
	case i.Digest == in.Image.Digest:
		return nil, "That is this image. Choose another to compare with.", nil
	}
	return &i, "", nil
}

// exportCompare sends what the tab shows as a table.
func (s *Server) exportCompare(c *fiber.Ctx) error {
	i, err := s.analyzedImage(c)
	if err != nil {
		return err
	}
	in := present.CompareIn{Image: i, Query: present.ParseCompareQuery(query(c))}
	if in.Query.With == "" {
		return engine.Invalidf("Name the image to compare with.")
	}
	with, fault, err := s.compareWith(c.UserContext(), &in)
	if err != nil {
		return err
	}
	if with == nil {
		return engine.NotFoundf("%s", fault)
	}
	made, err := s.engine.CompareImages(c.UserContext(), *with, i, in.Query.Part == "files")
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(present.CompareCSV(made, in.Query)); err != nil {
		return err
	}
	download(c, "text/csv; charset=utf-8", "compare-"+with.Digest.Short()+"-"+i.Digest.Short()+"-"+in.Query.Part+".csv")
	return c.Send(b.Bytes())
}

// compareTicked leads from two ticked images of the list to what changed from
// the earlier to the later.
func (s *Server) compareTicked(c *fiber.Ctx, q url.Values) error {
	var list []engine.Image
	for _, d := range ticked(q["digest"]) {
		i, err := s.engine.Image(c.UserContext(), s.who(c).Account, d)
		if errors.Is(err, engine.ErrNotFound) {
			continue // gone in the meantime
		}
		if err != nil {
			return err
		}
		list = append(list, i)
	}
	if len(list) != 2 || list[0].Digest == list[1].Digest {
		return s.done(c, "/images"+keepFilter(q), "Tick the two images that are to be compared.", "")
	}
	slices.SortStableFunc(list, func(a, b engine.Image) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), a.AnalyzedAt.Compare(b.AnalyzedAt))
	})
	return c.Redirect(present.CompareHref(list[1].Digest, list[0].Digest), fiber.StatusSeeOther)
}
