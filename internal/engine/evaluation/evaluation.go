// Package evaluation asks bundles about stored images. It loads what package
// policy wants to know of an image, lets it judge, keeps the outcome in the
// history, and tells of it when the active bundle says something else than it
// said before.
//
// An outcome is kept with the version of the facts and the digest of the
// document it was made from. While both are what they were, the bundle is not
// asked again: that is the cache, and it needs no invalidation. Bundles that
// ask how old something is are asked at least once an hour all the same, and
// an exception that expires ends the outcomes from before.
package evaluation

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// Store is what evaluations ask of the database.
type Store interface {
	Policy(ctx context.Context, account, id string) (engine.PolicyBundle, error)
	ActivePolicy(ctx context.Context, account string) (engine.PolicyBundle, error)
	PolicyFactsVersion(ctx context.Context, account, digest string) (string, error)
	PolicyFacts(ctx context.Context, account, digest string, want engine.PolicyFactsWanted) (engine.PolicyFacts, error)
	LastEvaluation(ctx context.Context, account, policy, digest, tag string) (engine.Evaluation, error)
	SaveEvaluation(ctx context.Context, e engine.Evaluation, tell func(last engine.Evaluation) (engine.Event, error)) (engine.Evaluation, error)
}

// Meter is told how evaluations went; its methods may be called at once.
type Meter interface {
	Evaluation(took time.Duration, ok bool)
	// EvaluationCache counts a look at what is kept: hit, notfound (never
	// asked), stale (the facts are newer) or invalid (the bundle is).
	EvaluationCache(outcome string, took time.Duration)
}

// Evaluator asks bundles about images. Make one with New.
type Evaluator struct {
	store  Store
	meter  Meter
	source engine.Source
	log    *slog.Logger
	now    func() time.Time
	// slots bounds how many images are in memory at once: a large one has some
	// hundred thousand files and packages.
	slots chan struct{}

	mu     sync.Mutex
	parsed map[string]*policy.Bundle // by digest of the document
}

// maxParsed is how many bundles are kept ready.
const maxParsed = 64

// New makes an evaluator; meter may be nil.
func New(store Store, meter Meter, source engine.Source, log *slog.Logger) *Evaluator {
	return &Evaluator{
		store: store, meter: meter, source: source, log: log, now: time.Now,
		slots: make(chan struct{}, max(2, runtime.NumCPU())), parsed: map[string]*policy.Bundle{},
	}
}

// Request is one question to a bundle.
type Request struct {
	Image  engine.Image // analyzed
	Tag    string       // full; it need not be one of the image's
	Policy string       // id of the bundle; empty: the active one
	// Interactive answers without leaving a trace.
	Interactive bool
	// Quiet keeps the outcome and tells nobody.
	Quiet bool

	facts *loaded // of an image that is asked about under several tags
}

// maxTries bounds how often a bundle is asked anew because it was replaced
// while it was being asked.
const maxTries = 3

// Check asks a bundle about an image under a tag. What a bundle cannot decide,
// as a rule whose regular expression is bad, is a Fault of kind not found: v1
// has no result then.
func (e *Evaluator) Check(ctx context.Context, q Request) (engine.Evaluation, error) {
	var err error
	for range maxTries {
		var out engine.Evaluation
		out, err = e.check(ctx, q)
		if !errors.Is(err, engine.ErrConflict) {
			return out, err
		}
	}
	return engine.Evaluation{}, err
}

func (e *Evaluator) check(ctx context.Context, q Request) (engine.Evaluation, error) {
	account, digest := q.Image.Account, string(q.Image.Digest)
	record, err := e.bundle(ctx, account, q.Policy)
	if err != nil {
		return engine.Evaluation{}, err
	}
	bundle, broken := e.parse(record)
	kept, ok, err := e.kept(ctx, q, record, bundle)
	if err != nil {
		return kept, err
	}
	if !ok {
		kept = engine.Evaluation{
			Account: account, Policy: record.ID, Digest: q.Image.Digest, Tag: q.Tag, Active: record.Active,
			BundleDigest: record.Digest, Bundle: record.Document, At: e.now().UTC(),
		}
		began := time.Now()
		err := e.judge(ctx, &kept, q, bundle, broken)
		if e.meter != nil {
			e.meter.Evaluation(time.Since(began), err == nil)
		}
		if err != nil {
			return engine.Evaluation{}, fmt.Errorf("evaluate %s: %w", engine.Digest(digest).Short(), err)
		}
	}
	if q.Interactive {
		return kept, nil
	}
	kept.ID = evalID(kept)
	var tell func(engine.Evaluation) (engine.Event, error)
	if !q.Quiet {
		tell = func(last engine.Evaluation) (engine.Event, error) { return e.event(last, kept, q.Image.Annotations) }
	}
	saved, err := e.store.SaveEvaluation(ctx, kept, tell)
	if errors.Is(err, engine.ErrNotFound) { // the bundle was deleted meanwhile
		return saved, noPolicy(q)
	}
	return saved, err
}

// bundle finds the bundle that is asked.
func (e *Evaluator) bundle(ctx context.Context, account, id string) (b engine.PolicyBundle, err error) {
	if id == "" {
		b, err = e.store.ActivePolicy(ctx, account)
	} else {
		b, err = e.store.Policy(ctx, account, id)
	}
	if errors.Is(err, engine.ErrNotFound) {
		return b, noPolicy(Request{Image: engine.Image{Account: account}, Policy: id})
	}
	return b, err
}

func noPolicy(q Request) error {
	if q.Policy == "" {
		return engine.NotFoundf("user has no active policy to evaluate: %s", q.Image.Account)
	}
	return engine.NotFoundf("policy not found in DB")
}

// parse gives the bundle of a document, ready to be asked; or what is wrong
// with a document from before this program looked at bundles as it does.
func (e *Evaluator) parse(b engine.PolicyBundle) (*policy.Bundle, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if p := e.parsed[b.Digest]; p != nil {
		return p, nil
	}
	p, err := policy.Parse(b.Document)
	if err != nil {
		return nil, err
	}
	if len(e.parsed) >= maxParsed {
		clear(e.parsed)
	}
	e.parsed[b.Digest] = p
	return p, nil
}

// kept is what the bundle said of the image before, when it would say the same
// now.
func (e *Evaluator) kept(ctx context.Context, q Request, record engine.PolicyBundle, bundle *policy.Bundle) (engine.Evaluation, bool, error) {
	began := time.Now()
	last, err := e.store.LastEvaluation(ctx, q.Image.Account, record.ID, string(q.Image.Digest), q.Tag)
	outcome := "hit"
	switch {
	case errors.Is(err, engine.ErrNotFound):
		outcome = "notfound"
	case err != nil:
		return last, false, err
	case last.BundleDigest != record.Digest || bundle == nil:
		outcome = "invalid"
	default:
		version, err := e.store.PolicyFactsVersion(ctx, q.Image.Account, string(q.Image.Digest))
		if err != nil && !errors.Is(err, engine.ErrNotFound) {
			return last, false, err
		}
		if last.Facts != e.stamped(version, bundle, e.now()) || expired(bundle, last.At, e.now()) {
			outcome = "stale"
		}
	}
	if e.meter != nil {
		e.meter.EvaluationCache(outcome, time.Since(began))
	}
	return last, outcome == "hit", nil
}

// stamped is the version of the facts, with the hour when the bundle asks for
// the age of something.
func (e *Evaluator) stamped(version string, b *policy.Bundle, now time.Time) string {
	if b == nil || !timed(b) {
		return version
	}
	return version + " " + now.UTC().Format("2006-01-02T15")
}

func timed(b *policy.Bundle) bool {
	for _, p := range b.Policies {
		for _, r := range p.Rules {
			for _, param := range r.Params {
				if strings.HasPrefix(param.Name, "max_days") {
					return true
				}
			}
		}
	}
	return false
}

// expired reports whether an exception of the bundle ended between two moments.
func expired(b *policy.Bundle, from, to time.Time) bool {
	for _, w := range b.Whitelists {
		for _, item := range w.Items {
			if item.ExpiresOn == "" {
				continue
			}
			at, err := engine.ParseTime(item.ExpiresOn)
			if err == nil && at.After(from) && !at.After(to) {
				return true
			}
		}
	}
	return false
}

// judge loads the image's facts and asks the bundle.
func (e *Evaluator) judge(ctx context.Context, out *engine.Evaluation, q Request, b *policy.Bundle, broken error) error {
	select {
	case e.slots <- struct{}{}:
		defer func() { <-e.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if b == nil {
		return put(out, q.Image, policy.Verdict{
			Action: policy.Stop, PolicyAction: policy.Stop, Reason: policy.ReasonPolicy,
			Problems: []policy.Problem{{Severity: "error", Type: policy.ProblemValidation, Details: engine.MessageOf(broken, "the document is no bundle")}},
		})
	}
	facts, err := e.load(ctx, q, wanted(b, out.Tag, q.Image))
	if err != nil {
		return err
	}
	out.Facts = e.stamped(facts.version, b, out.At)
	verdict, err := policy.Evaluate(b, out.Tag, &facts.image, out.At)
	if err != nil {
		e.log.WarnContext(ctx, "evaluation failed", "account", out.Account, "policy", out.Policy, "image", out.Digest, "tag", out.Tag, "err", err)
		return engine.NotFoundf("could not find any evaluations for input images")
	}
	return put(out, q.Image, verdict)
}

// loaded is an image as rules look at it.
type loaded struct {
	want    engine.PolicyFactsWanted
	version string
	image   policy.Image
}

// load gives what is wanted of an image; what was loaded for the tag before,
// when that is the same.
func (e *Evaluator) load(ctx context.Context, q Request, want engine.PolicyFactsWanted) (*loaded, error) {
	if q.facts != nil && q.facts.version != "" && reflect.DeepEqual(q.facts.want, want) {
		return q.facts, nil
	}
	facts, err := e.store.PolicyFacts(ctx, q.Image.Account, string(q.Image.Digest), want)
	if err != nil {
		return nil, err
	}
	l := loaded{want: want, version: facts.Version}
	if l.image, err = imageOf(facts); err != nil {
		return nil, err
	}
	if q.facts != nil {
		*q.facts = l
	}
	return &l, nil
}
