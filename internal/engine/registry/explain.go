package registry

import (
	"context"
	"errors"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"windlass/internal/engine"
)

// Explain tells where ref would be asked for and with which of the records. It
// asks nobody.
func (c *Client) Explain(ref Reference, creds []engine.Registry) engine.RegistryRoute {
	route := engine.RegistryRoute{Image: ref.String()}
	for _, e := range c.endpoints(ref, creds) {
		route.Asks = append(route.Asks, e.explain(ref))
	}
	used := ""
	if last := route.Asks[len(route.Asks)-1].Choice; last.Found {
		used = last.Registry.Name
	}
	full := ref.Registry + "/" + ref.Repository
	for _, r := range inOrder(creds) {
		_, ok := matches(r.Name, ref.Registry, full)
		route.Stored = append(route.Stored, engine.RegistryMatch{Name: r.Name, Rule: rule(r.Name), Matches: ok, Used: ok && r.Name == used})
	}
	return route
}

func (e endpoint) explain(ref Reference) engine.RegistryAsk {
	ask := engine.RegistryAsk{
		Mirror: e.mirror, Library: e.library, Verify: e.verify && !e.plain, Plain: e.plain, Choice: e.choice,
	}
	host, scheme := e.host, "https"
	if reg, err := name.NewRegistry(e.host); err == nil {
		host = reg.RegistryStr() // docker.io is asked as index.docker.io
	}
	if e.plain {
		scheme = "http"
	}
	what := ref.Digest
	if what == "" {
		what = ref.Tag
	}
	ask.Address = scheme + "://" + host + "/v2/" + e.repo + "/manifests/" + what
	return ask
}

// Try asks for ref as an analysis does and tells what each address answered.
// Addresses after the one that has the image are not asked.
func (c *Client) Try(ctx context.Context, ref Reference, creds []engine.Registry) (engine.RegistryRoute, error) {
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	route := c.Explain(ref, creds)
	for i, e := range c.endpoints(ref, creds) {
		began := time.Now()
		found, err := c.resolveAt(ctx, ref, e)
		if err == nil {
			err = c.checkSize(found)
			c.used(ctx, e, ref.String())
		}
		if cause := context.Cause(ctx); errors.Is(cause, context.Canceled) {
			return route, cause
		}
		if err != nil {
			err = fault(err, e.host)
		}
		try := engine.RegistryTry{RegistryCheck: engine.CheckedRegistry(began, time.Now(), err), Digest: found.Digest, Size: found.Size, Layers: len(found.Layers)}
		route.Asks[i].Tried = &try
		if err == nil || found.Digest != "" {
			break
		}
	}
	return route, nil
}

// Records names the stored records with which ref is asked for, mirrors
// included.
func (c *Client) Records(ref Reference, creds []engine.Registry) []string {
	var names []string
	for _, e := range c.endpoints(ref, creds) {
		if e.choice.Found {
			names = append(names, e.choice.Registry.Name)
		}
	}
	return names
}
