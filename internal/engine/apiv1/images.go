package apiv1

import (
	"context"
	"iter"
	"net/http"

	"windlass/internal/engine"
)

// Images is what the image operations ask of the engine. Digests may be that
// of an image or of the index it was reached through.
type Images interface {
	// AddImage resolves the name in its registry and records the image.
	AddImage(ctx context.Context, a engine.AddImage) (engine.Image, error)
	// Images lists one page, newest first, and the cursor of the next.
	Images(ctx context.Context, account string, f engine.ImageFilter) ([]engine.Image, string, error)
	// ImagesByName lists one page of the images that a name stands for: those
	// that carried a tag, newest detection first, or the one with a digest or
	// an image id. Of f only the states and the page count.
	ImagesByName(ctx context.Context, account, name string, f engine.ImageFilter) ([]engine.Image, string, error)
	Image(ctx context.Context, account, digest string) (engine.Image, error)
	ImageByID(ctx context.Context, account, id string) (engine.Image, error)
	DeleteImages(ctx context.Context, account string, digests []string, force bool) ([]engine.DeleteResult, error)
	// EachTagSummary calls each with every tag of images of these statuses;
	// nil: of any.
	EachTagSummary(ctx context.Context, account string, statuses []string, each func(engine.TagSummary) error) error

	Content
	Vulnerabilities
}

func (s *Server) imagesOps() map[string]op {
	return map[string]op{
		"listImages":      {perm: acct("listImages"), call: s.listImages},
		"addImage":        {perm: acct("createImage"), call: s.addImage},
		"deleteImages":    {perm: acct("deleteImage"), call: s.deleteImages},
		"getImage":        {perm: acct("getImage"), call: s.getImage},
		"getImageById":    {perm: acct("getImage"), call: s.getImage},
		"deleteImage":     {perm: acct("deleteImage"), call: s.deleteImage},
		"deleteImageById": {perm: acct("deleteImage"), call: s.deleteImage},
		"listImageTags":   {perm: acct("listImages"), call: s.listImageTags},
	}
}

func (s *Server) listImages(w http.ResponseWriter, r *request) error {
	f := engine.ImageFilter{State: engine.AnalysisState(r.queryText("analysis_status"))}
	switch st := r.queryText("image_status"); st {
	case "all":
		f.AnyStatus = true
	default:
		f.Status = engine.ImageStatus(st)
	}
	name := r.queryText("fulltag")
	if name == "" {
		return replyList(w, walkImages(f, func(f engine.ImageFilter) ([]engine.Image, string, error) {
			return s.backend.Images(r.Context(), r.Account, f)
		}))
	}
	byName := func(f engine.ImageFilter) ([]engine.Image, string, error) {
		list, next, err := s.backend.ImagesByName(r.Context(), r.Account, name, f)
		if err == nil && len(list) == 0 && f.After == "" {
			err = engine.ErrNotFound
		}
		return list, next, missing(err, "image data not found in DB")
	}
	if r.queryBool("history", false) {
		return replyList(w, walkImages(f, byName))
	}
	f.Limit = 1
	list, _, err := byName(f)
	if err != nil {
		return err
	}
	return reply(w, wireImages(list))
}

// walkImages walks a list page by page: v1 has no paging here, and an account
// may have 100,000 images.
func walkImages(f engine.ImageFilter, page func(engine.ImageFilter) ([]engine.Image, string, error)) iter.Seq2[Image, error] {
	f.Limit = 500
	return func(yield func(Image, error) bool) {
		for {
			list, next, err := page(f)
			if err != nil {
				yield(Image{}, err)
				return
			}
			for _, i := range list {
				if !yield(wireImage(i), nil) {
					return
				}
			}
			if next == "" {
				return
			}
			f.After = next
		}
	}
}

func (s *Server) getImage(w http.ResponseWriter, r *request) error {
	i, err := s.imageOf(r)
	if err != nil {
		return err
	}
	return reply(w, wireImages([]engine.Image{i}))
}

// imageOf finds the image of a path, by digest or by_id. An id that no image
// has is tried as a digest, as v1 does.
func (s *Server) imageOf(r *request) (engine.Image, error) {
	id := r.param("imageId")
	if id == "" {
		i, err := s.backend.Image(r.Context(), r.Account, r.param("imageDigest"))
		return i, missing(err, "image not found in DB")
	}
	i, err := s.backend.ImageByID(r.Context(), r.Account, id)
	if isMissing(err) {
		i, err = s.backend.Image(r.Context(), r.Account, id)
	}
	return i, missing(err, "image not found in DB")
}

func (s *Server) deleteImage(w http.ResponseWriter, r *request) error {
	digest := r.param("imageDigest")
	if id := r.param("imageId"); id != "" {
		if !r.has("force") {
			// The original crashes here, and its client always sends it.
			return errorf(http.StatusInternalServerError, "query parameter force is missing")
		}
		digest = id
		if i, err := s.imageOf(r); err == nil {
			digest = string(i.Digest)
		} else if !isMissing(err) {
			return err
		}
	}
	list, err := s.backend.DeleteImages(r.Context(), r.Account, []string{digest}, r.queryBool("force", false))
	if err != nil {
		return err
	}
	if len(list) == 0 {
		list = []engine.DeleteResult{{Digest: digest, Status: "not_found"}}
	}
	return reply(w, wireDeleted(list[0]))
}

func (s *Server) deleteImages(w http.ResponseWriter, r *request) error {
	list, err := s.backend.DeleteImages(r.Context(), r.Account, r.queryList("imageDigests"), r.queryBool("force", false))
	if err != nil {
		return err
	}
	wire := make([]DeleteResult, len(list))
	for n, d := range list {
		wire[n] = wireDeleted(d)
	}
	return reply(w, wire)
}

func (s *Server) listImageTags(w http.ResponseWriter, r *request) error {
	statuses := r.queryList("image_status")
	if len(statuses) == 0 {
		statuses = []string{string(engine.ImageActive)}
	}
	for _, st := range statuses {
		if st == "all" {
			statuses = nil
			break
		}
	}
	return replyList(w, func(yield func(TagSummary, error) bool) {
		err := s.backend.EachTagSummary(r.Context(), r.Account, statuses, func(t engine.TagSummary) error {
			if !yield(wireTagSummary(t), nil) {
				return errStopped
			}
			return nil
		})
		if err != nil && err != errStopped { //nolint:errorlint // ours, unwrapped
			yield(TagSummary{}, err)
		}
	})
}
