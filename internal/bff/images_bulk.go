package bff

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// What is done to several images is asked for first: the list's form leads to
// a page that says exactly how many and which, and that page's form does it.
// The images are those ticked, or all that the list's filter selects.

// maxTicked bounds how many images a form names one by one; a page has fewer.
const maxTicked = 200

func (s *Server) confirmImages(c *fiber.Ctx) error {
	q := query(c)
	if q.Get("do") == "compare" {
		return s.compareTicked(c, q)
	}
	v := view.BulkImages{Do: q.Get("do"), Back: "/images" + keepFilter(q)}
	ctx, account := c.UserContext(), s.who(c).Account
	const named = 8 // more is a list nobody reads
	if q.Get("all") != "" {
		f, err := imageFilter(q)
		if err != nil {
			return err
		}
		f.Limit, f.AnyStatus = named, false // what is being deleted already does not count
		list, _, err := s.engine.Images(ctx, account, f)
		if err != nil {
			return err
		}
		if v.Count, err = s.engine.CountImages(ctx, account, f); err != nil {
			return err
		}
		for _, i := range list {
			v.Names = append(v.Names, present.ImageTitle(i))
		}
		v.Query = strings.TrimPrefix(keepFilter(q), "?") // empty: no filter at all
		if v.Query == "" {
			v.Query = "all=1"
		}
	} else {
		for _, d := range ticked(q["digest"]) {
			i, err := s.engine.Image(ctx, account, d)
			if errors.Is(err, engine.ErrNotFound) {
				continue // gone in the meantime
			}
			if err != nil {
				return err
			}
			v.Digests = append(v.Digests, string(i.Digest))
			if len(v.Names) < named {
				v.Names = append(v.Names, present.ImageTitle(i))
			}
		}
		v.Count = len(v.Digests)
	}
	if v.Count == 0 {
		return s.done(c, v.Back, "No image was chosen.", "")
	}
	if !present.Bulk(&v) {
		return engine.Invalidf("Choose what to do with the images.")
	}
	return s.render(c, templates.BulkImages(s.page(c, v.Title, "images"), v))
}

func ticked(list []string) []string {
	if len(list) > maxTicked {
		list = list[:maxTicked]
	}
	return list
}

// keepFilter is the part of a query that selects images.
func keepFilter(q url.Values) string {
	out := url.Values{}
	for _, k := range present.ImageFilterKeys {
		if v := q.Get(k); v != "" {
			out.Set(k, v)
		}
	}
	if len(out) == 0 {
		return ""
	}
	return "?" + out.Encode()
}

func (s *Server) bulkImages(c *fiber.Ctx) error {
	form, err := url.ParseQuery(string(c.Body()))
	if err != nil {
		return engine.Invalidf("The form is not validly encoded.")
	}
	account := s.who(c).Account
	act := s.bulkReanalyze
	if form.Get("do") == "delete" {
		force := form.Get("force") != ""
		act = func(ctx context.Context, account string, digests []string) (bulkResult, error) {
			return s.bulkDelete(ctx, account, digests, force)
		}
	} else if form.Get("do") != "reanalyze" {
		return engine.Invalidf("Choose what to do with the images.")
	}
	back := "/images"
	var done bulkResult
	if text := form.Get("query"); text != "" {
		q, err := url.ParseQuery(text)
		if err != nil {
			return engine.Invalidf("The filter is not validly encoded.")
		}
		back += keepFilter(q)
		done, err = s.eachMatching(c.UserContext(), account, q, act)
		if err != nil {
			return err
		}
	} else if done, err = act(c.UserContext(), account, ticked(form["digest"])); err != nil {
		return err
	}
	return s.done(c, back, done.text(form.Get("do")), "")
}

// eachMatching does something to all images of a filter, chunk by chunk from
// the newest on: what comes in meanwhile is newer and left alone.
func (s *Server) eachMatching(ctx context.Context, account string, q url.Values, act func(context.Context, string, []string) (bulkResult, error)) (bulkResult, error) {
	var sum bulkResult
	f, err := imageFilter(q)
	if err != nil {
		return sum, err
	}
	f.Limit, f.After, f.AnyStatus = 200, "", false
	for {
		list, next, err := s.engine.Images(ctx, account, f)
		if err != nil {
			return sum, err
		}
		digests := make([]string, len(list))
		for n, i := range list {
			digests[n] = string(i.Digest)
		}
		part, err := act(ctx, account, digests)
		sum = sum.plus(part)
		if err != nil {
			return sum, err
		}
		if next == "" {
			return sum, nil
		}
		f.After = next
	}
}

// bulkResult is how many images something was done to.
type bulkResult struct {
	done, refused int
	reason        string // of the first refusal
}

func (r bulkResult) plus(o bulkResult) bulkResult {
	if r.reason == "" {
		r.reason = o.reason
	}
	return bulkResult{r.done + o.done, r.refused + o.refused, r.reason}
}

func (r bulkResult) text(do string) string {
	verb := "queued for analysis again"
	if do == "delete" {
		verb = "deleted"
	}
	text := fmt.Sprintf("%s %s.", present.Plural(r.done, "image", "images"), verb)
	if r.refused > 0 {
		text += fmt.Sprintf(" %s left as %s: %s.", present.Plural(r.refused, "image", "images"), map[bool]string{true: "it is", false: "they are"}[r.refused == 1], strings.TrimSuffix(r.reason, "."))
	}
	return text
}

// bulkDelete deletes images. The page has said that subscriptions of their tags
// are switched off, so those alone stop nobody here.
func (s *Server) bulkDelete(ctx context.Context, account string, digests []string, force bool) (bulkResult, error) {
	var r bulkResult
	if len(digests) == 0 {
		return r, nil
	}
	list, err := s.engine.DeleteImages(ctx, account, digests, force)
	var subscribed []string
	for _, d := range list {
		switch {
		case d.Status == "deleting":
			r.done++
		case d.Status == "delete_failed" && d.Subscribed:
			subscribed = append(subscribed, d.Digest)
		case d.Status == "delete_failed":
			r = r.plus(bulkResult{refused: 1, reason: d.Detail})
		}
	}
	if err != nil || force || len(subscribed) == 0 {
		return r, err
	}
	rest, err := s.bulkDelete(ctx, account, subscribed, true)
	return r.plus(rest), err
}

func (s *Server) bulkReanalyze(ctx context.Context, account string, digests []string) (bulkResult, error) {
	var r bulkResult
	for _, d := range digests {
		err := s.engine.Reanalyze(ctx, account, d)
		switch {
		case err == nil:
			r.done++
		case errors.Is(err, engine.ErrNotFound):
		case errors.Is(err, engine.ErrConflict), errors.Is(err, engine.ErrInvalid):
			r = r.plus(bulkResult{refused: 1, reason: engine.MessageOf(err, "its state does not allow it")})
		default:
			return r, err
		}
	}
	return r, nil
}
