package remote

import (
	"context"
	"net/url"
	"time"

	"windlass/internal/engine"
)

type wireCheck struct {
	At      stamp  `json:"at"`
	Cause   string `json:"cause"`
	Message string `json:"message"`
	Millis  int64  `json:"took_ms"`
}

func checkOf(w *wireCheck) engine.RegistryCheck {
	if w == nil {
		return engine.RegistryCheck{}
	}
	return engine.RegistryCheck{At: w.At.Time, Took: time.Duration(w.Millis) * time.Millisecond, Cause: w.Cause, Text: clean(w.Message)}
}

// wireFaring is a stored registry with how it fares.
type wireFaring struct {
	wireRegistry
	Check   *wireCheck `json:"check"`
	UsedAt  stamp      `json:"last_used_at"`
	UsedFor string     `json:"last_used_for"`
	Depend  struct {
		Tags          int `json:"tags"`
		Repositories  int `json:"repositories"`
		Subscriptions int `json:"subscriptions"`
	} `json:"used_by"`
}

func faringOf(w wireFaring, account string) engine.Registry {
	r := registryOf(w.wireRegistry, account)
	r.Check, r.UsedAt, r.UsedFor = checkOf(w.Check), w.UsedAt.Time, w.UsedFor
	return r
}

// faring lists what a Windlass tells of its registries.
func (c *Client) faring(ctx context.Context, account string) ([]wireFaring, error) {
	var body struct {
		Registries []wireFaring `json:"registries"`
	}
	err := c.beyond(ctx, "GET /console/registries", call{account: account, out: &body})
	return body.Registries, err
}

// RegistryUses tells what is asked for with each stored registry.
func (c *Client) RegistryUses(ctx context.Context, account string) (map[string]engine.RegistryUse, error) {
	list, err := c.faring(ctx, account)
	uses := map[string]engine.RegistryUse{}
	for _, w := range list {
		uses[w.Registry] = engine.RegistryUse(w.Depend)
	}
	return uses, err
}

// VerifyRegistry asks a stored registry.
func (c *Client) VerifyRegistry(ctx context.Context, account, name string) (engine.Registry, error) {
	var w wireFaring
	q := call{body: map[string]string{"registry": name}, account: account, out: &w}
	err := c.changed(ctx, "POST /console/registries/verify", q, engine.ChangeRegistry, name)
	return faringOf(w, account), absent(err, "There is no registry %s.", clip(name, 200))
}

type wireRoute struct {
	Image string `json:"image"`
	Asks  []struct {
		Address  string   `json:"address"`
		Mirror   bool     `json:"mirror"`
		Library  bool     `json:"library_added"`
		Verify   bool     `json:"tls_verified"`
		Registry *string  `json:"registry"`
		User     string   `json:"registry_user"`
		Why      string   `json:"why"`
		Others   []string `json:"passed_over"`
		Tried    *struct {
			wireCheck
			Digest string `json:"imageDigest"`
			Size   int64  `json:"size_bytes"`
			Layers int    `json:"layers"`
		} `json:"tried"`
	} `json:"asks"`
	Stored []struct {
		Registry string `json:"registry"`
		Rule     string `json:"rule"`
		Matches  bool   `json:"matches"`
		Used     bool   `json:"used"`
	} `json:"stored"`
}

func routeOf(w wireRoute, account string) engine.RegistryRoute {
	v := engine.RegistryRoute{Image: w.Image}
	for _, a := range w.Asks {
		ask := engine.RegistryAsk{Address: a.Address, Mirror: a.Mirror, Library: a.Library, Verify: a.Verify}
		ask.Choice = engine.RegistryChoice{Image: w.Image, Found: a.Registry != nil, Why: a.Why, Others: a.Others}
		if a.Registry != nil {
			ask.Choice.Registry = engine.Registry{Account: account, Name: *a.Registry, User: a.User, Verify: a.Verify}
		}
		if t := a.Tried; t != nil {
			ask.Tried = &engine.RegistryTry{RegistryCheck: checkOf(&t.wireCheck), Digest: engine.Digest(t.Digest), Size: t.Size, Layers: t.Layers}
		}
		v.Asks = append(v.Asks, ask)
	}
	for _, s := range w.Stored {
		v.Stored = append(v.Stored, engine.RegistryMatch{Name: s.Registry, Rule: s.Rule, Matches: s.Matches, Used: s.Used})
	}
	return v
}

// ExplainImage tells where an image would be asked for; it asks nobody.
func (c *Client) ExplainImage(ctx context.Context, account, image string) (engine.RegistryRoute, error) {
	var w wireRoute
	err := c.beyond(ctx, "GET /console/registries/explain", call{query: url.Values{"image": {image}}, account: account, out: &w})
	return routeOf(w, account), err
}

// TryImage asks.
func (c *Client) TryImage(ctx context.Context, account, image string) (engine.RegistryRoute, error) {
	var w wireRoute
	q := call{body: map[string]string{"image": image}, account: account, out: &w, timeout: 2 * c.timeout}
	err := c.beyond(ctx, "POST /console/registries/try", q)
	return routeOf(w, account), err
}
