package bff

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// Images is what the images pages ask of an engine. A digest may be that of an
// image or of the index it was reached through.
type Images interface {
	// Images lists one page, newest first, and the cursor of the next.
	Images(ctx context.Context, account string, f engine.ImageFilter) ([]engine.Image, string, error)
	// CountImages counts exactly.
	CountImages(ctx context.Context, account string, f engine.ImageFilter) (int, error)
	ImageStates(ctx context.Context, account string) (map[engine.AnalysisState]int, error)
	// ImageNames lists the registries and repositories with the most tags.
	ImageNames(ctx context.Context, account string, limit int) (registries, repositories []string, err error)
	// ImageDistros lists the distributions of the images, and their versions.
	ImageDistros(ctx context.Context, account string, limit int) ([]string, error)
	AddImage(ctx context.Context, a engine.AddImage) (engine.Image, error)
	// UploadImage takes an OCI or docker archive; size is -1 when unknown.
	UploadImage(ctx context.Context, account, tag string, size int64, r io.Reader) (engine.Image, error)
	DeleteImages(ctx context.Context, account string, digests []string, force bool) ([]engine.DeleteResult, error)
	Reanalyze(ctx context.Context, account, digest string) error
	CancelAnalysis(ctx context.Context, account, digest string) error

	ImageParts
}

// imagesPage is how many images stand on one page of the list.
const imagesPage = 50

func (s *Server) imagesRoutes(r fiber.Router) {
	r.Get("/images", s.listImages)
	r.Post("/images", s.may("createImage"), s.addImage)
	r.Post("/images/upload", s.may("createImage"), s.uploadImage)
	r.Get("/images/confirm", s.confirmImages)
	r.Post("/images/bulk", s.may("deleteImage"), s.bulkImages)
	r.Get("/images/:digest", s.showImage)
	r.Post("/images/:digest/reanalyze", s.may("createImage"), s.reanalyzeImage)
	r.Post("/images/:digest/try", s.may("updateMessages"), s.tryImageNow)
	r.Post("/images/:digest/cancel", s.may("createImage"), s.cancelImage)
	r.Post("/images/:digest/evaluate", s.may("getImageEvaluation"), s.evaluateImage)
	r.Get("/images/:digest/content.csv", s.exportContent)
	r.Get("/images/:digest/kept", s.downloadKept)
	r.Get("/images/:digest/policy.csv", s.exportPolicyCSV)
	r.Get("/images/:digest/policy.json", s.exportPolicyJSON)
	s.exportRoutes(r)
}

func (s *Server) listImages(c *fiber.Ctx) error { return s.renderImages(c, view.AddImage{}) }

// renderImages draws the list; add is the form that adds an image, with what
// was wrong with it.
func (s *Server) renderImages(c *fiber.Ctx, add view.AddImage) error {
	q := query(c)
	f, err := imageFilter(q)
	if err != nil {
		return err
	}
	ctx, account := c.UserContext(), s.who(c).Account
	f.Limit = pageSize(c, f.Limit)
	in := present.ImagesIn{Filter: f, Query: q, Add: add, API: c.BaseURL(), User: s.who(c).User}
	in.Add.Open = in.Add.Open || q.Get("add") != ""
	in.Add.UploadLimit = present.Bytes(s.opts.UploadLimit)
	if in.States, err = s.engine.ImageStates(ctx, account); err != nil {
		return err
	}
	if s.wants(c, "images-list") {
		if in.Images, in.Next, err = s.engine.Images(ctx, account, f); err != nil {
			return err
		}
		if in.Verdicts, err = s.verdictsOf(ctx, account, in.Images); err != nil {
			return err
		}
		if in.Total, err = s.engine.CountImages(ctx, account, f); err != nil {
			return err
		}
		if in.Samples, err = s.engine.SampleStatus(ctx, account); err != nil {
			return err
		}
	}
	if len(fragments(c)) == 0 {
		if in.Registries, in.Repositories, err = s.engine.ImageNames(ctx, account, 50); err != nil {
			return err
		}
		if in.Distros, err = s.engine.ImageDistros(ctx, account, 100); err != nil {
			return err
		}
	}
	return s.render(c, templates.Images(s.page(c, "Images", "images"), present.Images(in, s.clock(c))))
}

// verdictsOf is what the active bundle said last of those images that can have
// been evaluated.
func (s *Server) verdictsOf(ctx context.Context, account string, list []engine.Image) ([]engine.ImageVerdict, error) {
	var digests []engine.Digest
	for _, i := range list {
		if i.State == engine.Analyzed {
			digests = append(digests, i.Digest)
		}
	}
	if len(digests) == 0 {
		return nil, nil
	}
	return s.engine.ImageVerdicts(ctx, account, digests)
}

// query is the request's query, copied.
func query(c *fiber.Ctx) url.Values {
	q, err := url.ParseQuery(string(c.Context().QueryArgs().QueryString()))
	if err != nil {
		return url.Values{}
	}
	return q
}

// imageFilter reads the list's query.
func imageFilter(q url.Values) (engine.ImageFilter, error) {
	get := func(k string) string { return strings.TrimSpace(q.Get(k)) }
	f := engine.ImageFilter{
		Text: get("q"), State: engine.AnalysisState(get("state")), Registry: get("registry"), Repository: get("repository"),
		Severity: get("severity"), Package: get("package"), Vuln: get("vuln"), Verdict: get("policy"), Cause: get("cause"), Distro: get("distro"),
		Fixable: get("fixable") == "1", Exploited: get("exploited") == "1", After: get("after"), Limit: imagesPage,
		AnyStatus: true, // what is being deleted says so until it is gone
	}
	for _, v := range []string{f.Text, f.Registry, f.Repository, f.Package, f.Vuln, f.Distro} {
		if len(v) > 512 {
			return f, engine.Invalidf("A filter may have 512 characters, and not more.")
		}
	}
	// What is not understood selects nothing: it must not select everything.
	for _, k := range []string{"fixable", "exploited"} {
		if v := get(k); v != "" && v != "1" {
			return f, engine.Invalidf("%s is 1 or left out, not %.40q.", k, v)
		}
	}
	if _, known := engine.CauseByCode(f.Cause); f.Cause != "" && !known {
		return f, engine.Invalidf("There is no cause of failure %.80q.", f.Cause)
	}
	switch f.Verdict {
	case "", engine.ActionStop, engine.ActionWarn, engine.ActionGo, "none":
	default:
		return f, engine.Invalidf("There is no policy result %q.", f.Verdict)
	}
	switch f.State {
	case "", engine.NotAnalyzed, engine.Analyzing, engine.Analyzed, engine.Failed:
	default:
		return f, engine.Invalidf("There is no state %q.", f.State)
	}
	return f, nil
}

func (s *Server) addImage(c *fiber.Ctx) error {
	a, form, err := addForm(c.FormValue)
	form.Open = true
	if err == nil {
		a.Account = s.who(c).Account
		var i engine.Image
		if i, err = s.engine.AddImage(c.UserContext(), a); err == nil {
			return s.done(c, present.ImageHref(i.Digest), "Image added.", "")
		}
	}
	return s.addFault(c, err, form, func(f *view.AddImage, text string) { f.Fault = text })
}

// addFault draws the list again with what was wrong beside the form; an error
// that no change of the form would cure is an error page.
func (s *Server) addFault(c *fiber.Ctx, err error, form view.AddImage, put func(*view.AddImage, string)) error {
	var f *engine.Fault
	if !errors.As(err, &f) {
		return err
	}
	put(&form, f.Message)
	c.Status(explain(err).Code)
	if c.Response().StatusCode() >= http.StatusInternalServerError {
		c.Status(http.StatusBadGateway)
	}
	return s.renderImages(c, form)
}

// addForm reads the form that adds an image: what to ask of the engine, and
// the form as it was sent.
func addForm(value func(string, ...string) string) (engine.AddImage, view.AddImage, error) {
	form := view.AddImage{
		Tag: strings.TrimSpace(value("tag")), Digest: strings.TrimSpace(value("digest")), Dockerfile: value("dockerfile"),
		Annotations: value("annotations"), Force: value("force") != "",
	}
	a := engine.AddImage{Tag: form.Tag, Digest: form.Digest, Force: form.Force}
	switch {
	case form.Tag == "" && form.Digest == "":
		return a, form, engine.Invalidf("Name the image to add: registry/repository:tag.")
	case form.Tag == "":
		return a, form, engine.Invalidf("An image by digest needs the tag under which to list it, too.")
	}
	// A bare digest is of the tag's repository.
	if strings.HasPrefix(a.Digest, "sha256:") {
		name := a.Tag
		if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
			name = name[:colon]
		}
		a.Digest = name + "@" + a.Digest
	}
	if strings.TrimSpace(form.Dockerfile) != "" {
		a.Dockerfile = base64.StdEncoding.EncodeToString([]byte(form.Dockerfile))
	}
	notes, err := annotations(form.Annotations)
	a.Annotations = notes
	return a, form, err
}

// annotations reads lines of name=value.
func annotations(text string) (map[string]any, error) {
	var m map[string]any
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		k, v, ok := strings.Cut(line, "=")
		if k = strings.TrimSpace(k); !ok || k == "" {
			return nil, engine.Invalidf("Annotations: %q is not name=value.", line)
		}
		if m == nil {
			m = map[string]any{}
		}
		m[k] = strings.TrimSpace(v)
	}
	return m, nil
}
