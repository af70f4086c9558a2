package bff

import (
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates"
	"windlass/web/templates/view"
)

// Judgements is what the pages ask of policy evaluations. Tags may be any: a
// bundle can be asked about an image under a name that it does not have.
type Judgements interface {
	// Judgement asks a bundle, the active one when policy is empty. Only with
	// store is the answer kept and told of.
	Judgement(ctx context.Context, i engine.Image, tag, policy string, store bool) (engine.Judgement, error)
	// StoredJudgement is the stored evaluation of a moment.
	StoredJudgement(ctx context.Context, account, digest, tag string, at time.Time) (engine.Judgement, error)
	// JudgementHistory lists stored evaluations, newest first, and whether there
	// are more.
	JudgementHistory(ctx context.Context, account, digest, tag string, limit int) ([]engine.JudgementStep, bool, error)
	// ImageVerdicts lists what the active bundle said last of images.
	ImageVerdicts(ctx context.Context, account string, digests []engine.Digest) ([]engine.ImageVerdict, error)
	EachPolicy(ctx context.Context, account string, documents bool, each func(engine.PolicyBundle) error) error
}

// policyHistory is how many stored evaluations are listed: those of one
// outcome that follow each other are one.
const policyHistory = 30

func (s *Server) openPolicy(c *fiber.Ctx, p view.Page, i engine.Image, _ view.Image) (templ.Component, error) {
	in, err := s.policyOf(c, i)
	if err != nil {
		return nil, err
	}
	if in.Query.Tag != "" {
		if in.History, in.More, err = s.engine.JudgementHistory(c.UserContext(), i.Account, string(i.Digest), in.Query.Tag, policyHistory); err != nil {
			return nil, err
		}
	}
	return templates.ImagePolicy(p, present.ImagePolicy(in, s.clock(c))), nil
}

// policyOf asks what the tab and its exports show. What a bundle cannot decide
// is not an error of the page.
func (s *Server) policyOf(c *fiber.Ctx, i engine.Image) (present.PolicyIn, error) {
	ctx, q := c.UserContext(), present.ParsePolicyQuery(query(c))
	if q.Tag == "" && len(i.Tags) > 0 {
		q.Tag = i.Tags[0].Full()
	}
	who := s.who(c)
	in := present.PolicyIn{
		Image: i, Query: q, CanAsk: who.May(who.Home(), "getImageEvaluation"), CanEdit: who.May(who.Home(), "updatePolicy"),
	}
	err := s.engine.EachPolicy(ctx, i.Account, false, func(b engine.PolicyBundle) error {
		in.Bundles = append(in.Bundles, b)
		return nil
	})
	if err != nil || q.Tag == "" {
		return in, err
	}
	asked := q.Policy == ""
	for _, b := range in.Bundles {
		asked = asked || b.ID == q.Policy
	}
	if !asked && q.At.IsZero() {
		return in, engine.NotFoundf("There is no policy bundle %s. It may have been deleted.", q.Policy)
	}
	var v engine.Judgement
	if q.At.IsZero() {
		v, err = s.engine.Judgement(ctx, i, q.Tag, q.Policy, false)
	} else {
		v, err = s.engine.StoredJudgement(ctx, i.Account, string(i.Digest), q.Tag, q.At)
	}
	switch {
	case err == nil:
		in.Verdict = &v
	case q.At.IsZero() && errors.Is(err, engine.ErrNotFound):
		in.Fault = err
	default:
		return in, err
	}
	return in, nil
}

// evaluateImage asks the chosen bundle and keeps what it says.
func (s *Server) evaluateImage(c *fiber.Ctx) error {
	i, err := s.imageOf(c)
	if err != nil {
		return err
	}
	if i.State != engine.Analyzed {
		return engine.Conflictf("The image is not analyzed: there is nothing to evaluate.")
	}
	q := present.ParsePolicyQuery(url.Values{"tag": {c.FormValue("tag")}, "policy": {c.FormValue("policy")}})
	if q.Tag == "" {
		return engine.Invalidf("Name the tag under which the image is evaluated.")
	}
	v, err := s.engine.Judgement(c.UserContext(), i, q.Tag, q.Policy, true)
	if errors.Is(err, engine.ErrNotFound) { // the tab says why
		return c.Redirect(q.Href(i.Digest), fiber.StatusSeeOther)
	}
	if err != nil {
		return err
	}
	return s.done(c, q.Href(i.Digest), "Evaluated and stored: "+v.Action+".", "")
}
