package remote

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"time"

	"windlass/internal/engine"
)

// About is what is known of the engine on the other side.
type About struct {
	Version  string
	Windlass bool            // it has operations beyond v1
	Paths    map[string]bool // those beyond v1, as "GET /console/queues"
}

// How long what is known holds: an engine may be another after an upgrade.
const (
	aboutLife  = 5 * time.Minute
	aboutRetry = 5 * time.Second // while it is not known
)

// learn asks the engine what it is, when that is due. It needs no password:
// both documents are open.
func (c *Client) learn(ctx context.Context) {
	c.about.Lock()
	due := time.Now().After(c.knownUntil)
	if due {
		c.knownUntil = time.Now().Add(aboutRetry)
	}
	c.about.Unlock()
	if !due {
		return
	}
	var v struct {
		Service struct {
			Version string `json:"version"`
		} `json:"service"`
	}
	if err := c.call(ctx, call{method: http.MethodGet, path: "/version", out: &v, as: nobody}); err != nil {
		return
	}
	known := About{Version: clean(clip(v.Service.Version, 40)), Paths: map[string]bool{}}
	var doc struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := c.call(ctx, call{method: http.MethodGet, path: "/swagger.json", out: &doc, as: nobody}); err == nil {
		for p, methods := range doc.Paths {
			if !strings.HasPrefix(p, "/console/") {
				continue
			}
			for m := range methods {
				known.Paths[strings.ToUpper(m)+" "+p] = true
			}
		}
	}
	known.Windlass = len(known.Paths) > 0
	c.about.Lock()
	defer c.about.Unlock()
	c.known, c.knownUntil = known, time.Now().Add(aboutLife)
}

// last is what is known of the engine now.
func (c *Client) last() About {
	c.about.Lock()
	defer c.about.Unlock()
	return c.known
}

// has reports whether the engine knows an operation beyond v1.
func (c *Client) has(ctx context.Context, operation string) bool {
	c.learn(ctx)
	return c.last().Paths[operation]
}

// Named is the engine in a few words.
func (c *Client) Named() string {
	v := c.last()
	name := "The engine"
	if v.Windlass {
		name = "The Windlass"
	}
	if v.Version != "" {
		name += " (" + v.Version + ")"
	}
	return name + " at " + c.base.Host
}

// featureOperations are what must be there for a feature.
var featureOperations = map[engine.Feature]string{
	engine.FeatureQueues:        "GET /console/queues",
	engine.FeatureVEX:           "GET /console/vex",
	engine.FeatureNotifications: "GET /console/notifications",
	engine.FeatureWebhooks:      "GET /console/webhooks",
	engine.FeatureAudit:         "GET /console/audit",
	engine.FeatureFeedData:      "GET /console/feeds",
}

// Lacks reports whether the engine has nothing for a part of the console.
func (c *Client) Lacks(f engine.Feature) bool {
	switch f {
	case engine.FeatureAPIDocument:
		return c.knows.APIDocument == nil
	case engine.FeatureChecks:
		return false // v1 has answers for some of them
	}
	operation, ok := featureOperations[f]
	return !ok || !c.last().Paths[operation]
}
