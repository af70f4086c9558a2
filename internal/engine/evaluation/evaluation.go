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
	"runtime"
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

	always bool // asks the bundle also when the answer is known; see AskAlways

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

// AskAlways has bundles asked also when what is kept is the answer. It is called
// before the evaluator is used.
func (e *Evaluator) AskAlways() { e.always = true }

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
