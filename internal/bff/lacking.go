package bff

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// Partial is an engine that has not everything that the console can show: one
// behind an address, which speaks v1 and perhaps no more. What it lacks it
// answers with engine.ErrUnsupported. A page whose subject that is says so, as
// does the rail; a part that a page can do without (tolerant) is named in a
// note on that page, so that its emptiness is not taken for good news.
type Partial interface {
	Lacks(f engine.Feature) bool
	// Named is the engine in a few words: what it is, and where.
	Named() string
}

// featurePages are the addresses of a feature, and what is said when it lacks.
var featurePages = []struct {
	feature engine.Feature
	path    string
	text    string
}{
	{engine.FeatureLogs, "/logs", "does not give out the logs of its services. Read them on its hosts."},
	{engine.FeatureLogs, "/ws/logs", "does not give out the logs of its services."},
	{engine.FeatureQueues, "/queue", "does not show its queues. The states of images say what waits and what is being analyzed."},
	{engine.FeatureChecks, "/troubleshoot", "does not check itself. Services, events and feeds say how it is."},
	{engine.FeatureVEX, "/policies/vex", "does not know exploitability documents (VEX)."},
	{engine.FeatureNotifications, "/subscriptions/deliveries", "does not tell what became of its notifications."},
	{engine.FeatureWebhooks, "/subscriptions/webhooks", "has the addresses of its webhooks in its own configuration."},
	{engine.FeatureAudit, "/audit", "keeps no log of administrative actions."},
	{engine.FeatureFeedData, "/feeds/rollback", "does not go back to data before the one in use."},
	{engine.FeatureFeedData, "/feeds/upload", "takes no archives of vulnerability data."},
	{engine.FeatureFeedData, "/feeds/uploads", "takes no archives of vulnerability data."},
	{engine.FeatureSavedFilters, "/events/filters", "keeps no filters for users."},
	{engine.FeatureRetention, "/events/retention", "keeps events until somebody clears them, or by rules of its own."},
	{engine.FeatureAPIDocument, "/api", "gives out no document of its API that can be shown."},
}

// engineHas lets pass what the engine has something for.
func (s *Server) engineHas(c *fiber.Ctx) error {
	partial, ok := s.opts.Engine.(Partial)
	if !ok {
		return c.Next()
	}
	for _, p := range featurePages {
		if (c.Path() == p.path || strings.HasPrefix(c.Path(), p.path+"/")) && partial.Lacks(p.feature) {
			return &engine.Fault{Kind: engine.ErrUnsupported, Message: partial.Named() + " " + p.text}
		}
	}
	return c.Next()
}

// lacking begins the list of what this page has to do without.
func (s *Server) lacking() *view.Lacks {
	v := &view.Lacks{}
	if partial, ok := s.opts.Engine.(Partial); ok {
		v.Engine, v.Pages = partial.Named(), map[string]bool{}
		for _, p := range featurePages {
			v.Pages[p.path] = partial.Lacks(p.feature)
		}
	}
	return v
}

// has reports whether the engine has something for a part of the console.
func (s *Server) has(f engine.Feature) bool {
	partial, ok := s.opts.Engine.(Partial)
	return !ok || !partial.Lacks(f)
}

// navigation is the rail: what the user may open, and which of it can only say
// that the engine has nothing for it.
func navigation(who engine.Identity, lacks *view.Lacks) []view.Nav {
	list := present.Navigation(mayOpen(who))
	for n := range list {
		list[n].Lack = lacks != nil && lacks.Pages[list[n].Href]
	}
	return list
}

// missingParts collects the parts that the engine had nothing for.
type missingParts struct {
	mu   sync.Mutex
	page *view.Lacks
}

type missingKey struct{}

// asking is the context in which a page asks the engine: in this session, and
// collecting what lacks.
func asking(ctx context.Context, found engine.Session, page *view.Lacks) context.Context {
	return engine.WithSession(context.WithValue(ctx, missingKey{}, &missingParts{page: page}), found.Hash)
}

// without turns the lack of a part into a note on the page.
func without(ctx context.Context, part string, err error) error {
	if !errors.Is(err, engine.ErrUnsupported) {
		return err
	}
	if m, ok := ctx.Value(missingKey{}).(*missingParts); ok {
		m.mu.Lock()
		defer m.mu.Unlock()
		if !slices.Contains(m.page.Parts, part) {
			m.page.Parts = append(m.page.Parts, part)
		}
	}
	return nil
}

// tolerant is an engine whose lacks leave parts of pages empty where the rest
// is of use without them.
type tolerant struct{ Engine }

func (t tolerant) ServiceHistory(ctx context.Context, since time.Time) ([]engine.ServiceTransition, error) {
	list, err := t.Engine.ServiceHistory(ctx, since)
	return list, without(ctx, "when services were down before this console looked", err)
}

func (t tolerant) Checks(ctx context.Context, q engine.CheckQuery) ([]engine.Check, error) {
	list, err := t.Engine.Checks(ctx, q)
	return list, without(ctx, "how its database, its queues, its clocks and its disks are", err)
}

func (t tolerant) VerdictCounts(ctx context.Context, account string) (engine.VerdictCounts, error) {
	n, err := t.Engine.VerdictCounts(ctx, account)
	return n, without(ctx, "how all images stand with the active policy", err)
}

func (t tolerant) Reevaluation(ctx context.Context, account string) (engine.Reevaluation, error) {
	r, err := t.Engine.Reevaluation(ctx, account)
	if errors.Is(err, engine.ErrUnsupported) {
		return r, engine.ErrNotFound
	}
	return r, err
}

func (t tolerant) Timeline(ctx context.Context, account, digest string) ([]engine.StateEntry, error) {
	list, err := t.Engine.Timeline(ctx, account, digest)
	return list, without(ctx, "when the image was in which state", err)
}

func (t tolerant) ImageVerdicts(ctx context.Context, account string, digests []engine.Digest) ([]engine.ImageVerdict, error) {
	list, err := t.Engine.ImageVerdicts(ctx, account, digests)
	return list, without(ctx, "what the policy said of each image", err)
}

func (t tolerant) JudgementHistory(ctx context.Context, account, digest, tag string, limit int) ([]engine.JudgementStep, bool, error) {
	list, more, err := t.Engine.JudgementHistory(ctx, account, digest, tag, limit)
	return list, more, without(ctx, "earlier evaluations", err)
}

func (t tolerant) SampleStatus(ctx context.Context, account string) (engine.SampleStatus, error) {
	v, err := t.Engine.SampleStatus(ctx, account)
	if errors.Is(err, engine.ErrUnsupported) {
		return v, nil // what is not offered is not missed
	}
	return v, err
}

func (t tolerant) LastNotifications(ctx context.Context, account string, of []engine.SubscriptionRef) (map[engine.SubscriptionRef]engine.Notification, error) {
	m, err := t.Engine.LastNotifications(ctx, account, of)
	return m, without(ctx, "what became of notifications", err)
}

func (t tolerant) RegistryUses(ctx context.Context, account string) (map[string]engine.RegistryUse, error) {
	m, err := t.Engine.RegistryUses(ctx, account)
	return m, without(ctx, "what depends on each registry", err)
}

func (t tolerant) RoleGrants(ctx context.Context, account string) ([]engine.RoleGrant, error) {
	list, err := t.Engine.RoleGrants(ctx, account)
	return list, without(ctx, "roles within accounts", err)
}

func (t tolerant) UserRoles(ctx context.Context, account, user string, by engine.Identity) ([]engine.RoleGrant, error) {
	list, err := t.Engine.UserRoles(ctx, account, user, by)
	return list, without(ctx, "roles within accounts", err)
}

func (t tolerant) Tokens(ctx context.Context, account, user string) ([]engine.APIToken, error) {
	list, err := t.Engine.Tokens(ctx, account, user)
	return list, without(ctx, "API tokens", err)
}

func (t tolerant) AccountLeft(ctx context.Context, account string) (images, events int64, err error) {
	images, events, err = t.Engine.AccountLeft(ctx, account)
	return images, events, without(ctx, "how far the deletion has come", err)
}

func (t tolerant) SBOMInfo(ctx context.Context, account, digest string) (engine.DocumentInfo, error) {
	v, err := t.Engine.SBOMInfo(ctx, account, digest)
	if errors.Is(err, engine.ErrUnsupported) {
		return v, nil // only the size beside a download is left out
	}
	return v, err
}

func (t tolerant) Webhooks(ctx context.Context, account string) ([]engine.Webhook, error) {
	list, err := t.Engine.Webhooks(ctx, account)
	return list, without(ctx, "which webhooks it has", err)
}

func (t tolerant) SettingWebhooks(ctx context.Context) ([]engine.Webhook, error) {
	list, err := t.Engine.SettingWebhooks(ctx)
	return list, without(ctx, "which webhooks it has", err)
}
