package registry

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"windlass/internal/engine"
)

// verifyTimeout bounds the check of a credential: people wait for it.
const verifyTimeout = 30 * time.Second

// Verify checks that the registry answers and takes the credential. Without a
// user it only has to answer.
func (c *Client) Verify(ctx context.Context, r engine.Registry) error {
	ctx, cancel := context.WithTimeout(ctx, verifyTimeout)
	defer cancel()
	host, _, _ := strings.Cut(r.Name, "/")
	if !reHost.MatchString(host) {
		return engine.Invalidf("%q is not a registry's host name", host)
	}
	if trades(r) {
		var err error
		if r, err = c.trade(ctx, r); err != nil {
			return err
		}
	}
	auth := authn.Anonymous
	var opts []name.Option
	if !r.Verify {
		opts = append(opts, name.Insecure)
	}
	if r.User != "" {
		auth = authn.FromConfig(authn.AuthConfig{Username: r.User, Password: r.Password.Reveal()})
	}
	reg, err := name.NewRegistry(host, opts...)
	if err != nil {
		return engine.Invalidf("%q is not a registry's host name", host)
	}
	rt := c.way(reg.RegistryStr(), r.Verify, false)
	if r.User == "" {
		if _, err := transport.Ping(ctx, reg, rt); err != nil {
			return fault(err, host)
		}
		return nil
	}
	rt, err = transport.NewWithContext(ctx, reg, auth, rt, nil)
	if err != nil {
		return fault(err, host)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, reg.Scheme()+"://"+reg.RegistryStr()+"/v2/", nil)
	if err != nil {
		return err
	}
	resp, err := (&http.Client{Transport: rt}).Do(req)
	if err != nil {
		return fault(err, host)
	}
	defer resp.Body.Close()
	if err := transport.CheckError(resp, http.StatusOK); err != nil {
		return fault(err, host)
	}
	return nil
}
