// Package registry turns image names into digests, manifests and layers: from
// registries (with stored credentials, mirrors, limits) and from uploaded
// archives. What it fetches it verifies by digest and size before anything
// else looks at it, and everything it reads is bounded.
//
// Its failures are engine.Fault with a v1 error code; CauseOf gives the stable
// cause and whether another try may help.
package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"windlass/internal/engine"
)

// Limits of what a registry may send.
const (
	maxManifest = 4 << 20
	maxConfig   = 8 << 20
	maxLayers   = 500
	maxImage    = 64 << 30 // bytes of all layers, compressed
)

var (
	errDigest  = errors.New("digest mismatch")
	errSize    = errors.New("size mismatch")
	errStalled = errors.New("no data received in time")
)

// Options of a client. The zero value works.
type Options struct {
	Mirrors      map[string][]string // registry host -> base addresses, tried in order before the registry itself
	MaxImageSize int64               // bytes of all compressed layers; 0: no limit
	UserAgent    string
	Stall        time.Duration // a transfer in which next to nothing comes for so long is given up; 0: one minute
	Answer       time.Duration // for one look-up, for which people wait; 0: one minute
	Pull         time.Duration // for all layers of an image; 0: two hours
	Logger       *slog.Logger
	// Login gives a stored registry of type awsecr the user and password that
	// the registry itself takes; nil: they are used as they are stored.
	Login func(context.Context, engine.Registry) (engine.Registry, error)
	// Used is told of each stored registry with which an image, or the tags of a
	// repository, were found; nil: nobody is.
	Used func(ctx context.Context, stored engine.Registry, what string)
}

// Client asks registries. It keeps connections and is safe for concurrent use.
type Client struct {
	opts  Options
	bases bases
	log   *slog.Logger
}

// New makes a client.
func New(o Options) *Client {
	if o.UserAgent == "" {
		o.UserAgent = "windlass/" + engine.Version
	}
	if o.Stall <= 0 {
		o.Stall = time.Minute
	}
	if o.Answer <= 0 {
		o.Answer = time.Minute
	}
	if o.Pull <= 0 {
		o.Pull = 2 * time.Hour
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Client{opts: o, bases: newBases(), log: o.Logger}
}

// ParseMirrors reads "docker.io=http://127.0.0.1:5001,quay.io=https://mirror".
func ParseMirrors(text string) (map[string][]string, error) {
	m := map[string][]string{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		host, base, ok := strings.Cut(part, "=")
		u, err := url.Parse(base)
		if !ok || err != nil || !reHost.MatchString(host) || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return nil, fmt.Errorf("%q is not registry=http(s)://mirror", part)
		}
		m[host] = append(m[host], strings.TrimSuffix(base, "/"))
	}
	return m, nil
}

// endpoint is one place to ask for a repository.
type endpoint struct {
	host   string
	repo   string
	verify bool
	plain  bool // http was asked for in so many words
	auth   authn.Authenticator
	choice engine.RegistryChoice
	mirror bool
	// library: the name was given the hub's prefix of official images.
	library bool
}

// cred is the name of the record that is used; empty: anonymous.
func (e endpoint) cred() string { return e.choice.Registry.Name }

// endpoints lists where a repository is asked for: mirrors first, then the
// registry itself. A mirror gets its own credential, never the registry's.
func (c *Client) endpoints(ref Reference, creds []engine.Registry) []endpoint {
	hub := ref.Registry == DockerHub && !strings.Contains(ref.Repository, "/")
	creds = inOrder(creds)
	var list []endpoint
	for _, base := range c.opts.Mirrors[ref.Registry] {
		u, err := url.Parse(base)
		if err != nil {
			continue
		}
		// A pull-through mirror of the hub wants the hub's own name of an
		// official image; one filled by hand has it as it is written.
		repos := []string{ref.Repository}
		if hub {
			repos = []string{"library/" + ref.Repository, ref.Repository}
		}
		for n, repo := range repos {
			e := place(creds, u.Host, strings.TrimPrefix(strings.Trim(u.Path, "/")+"/"+repo, "/"))
			e.mirror, e.plain, e.library = true, u.Scheme == "http", hub && n == 0
			list = append(list, e)
		}
	}
	e := place(creds, ref.Registry, ref.Repository)
	if hub {
		e.repo, e.library = "library/"+ref.Repository, true
	}
	return append(list, e)
}

func place(sorted []engine.Registry, host, repo string) endpoint {
	e := endpoint{host: host, repo: repo, verify: true, auth: authn.Anonymous, choice: choose(sorted, host, repo)}
	if stored := e.choice.Registry; e.choice.Found {
		e.verify = stored.Verify
		if stored.User != "" {
			e.auth = authn.FromConfig(authn.AuthConfig{Username: stored.User, Password: stored.Password.Reveal()})
		}
	}
	return e
}

// used tells that an endpoint had what was asked for.
func (c *Client) used(ctx context.Context, e endpoint, what string) {
	if e.choice.Found && c.opts.Used != nil {
		c.opts.Used(ctx, e.choice.Registry, what)
	}
}

// session is an authenticated way to one repository.
type session struct {
	endpoint
	base   string // scheme://host/v2/repo
	client *http.Client
	stall  time.Duration
}

func (c *Client) open(ctx context.Context, e endpoint) (*session, error) {
	if trades(e.choice.Registry) {
		r, err := c.trade(ctx, e.choice.Registry)
		if err != nil {
			return nil, err
		}
		e.auth = authn.FromConfig(authn.AuthConfig{Username: r.User, Password: r.Password.Reveal()})
	}
	var opts []name.Option
	verify := e.verify && !e.plain
	if !verify {
		opts = append(opts, name.Insecure)
	}
	reg, err := name.NewRegistry(e.host, opts...)
	if err != nil {
		return nil, err
	}
	repo := reg.Repo(e.repo)
	rt, err := transport.NewWithContext(ctx, reg, e.auth, c.way(reg.RegistryStr(), verify, e.mirror), []string{repo.Scope(transport.PullScope)})
	if err != nil {
		return nil, err
	}
	return &session{
		endpoint: e, base: reg.Scheme() + "://" + reg.RegistryStr() + "/v2/" + e.repo,
		client: &http.Client{Transport: rt}, stall: c.opts.Stall,
	}, nil
}

// get starts a GET below the repository and checks its status.
func (s *session) get(ctx context.Context, path, accept string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.base+path, nil)
	if err != nil {
		return nil, err
	}
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	if err := transport.CheckError(resp, http.StatusOK); err != nil {
		resp.Body.Close()
		return nil, err
	}
	return resp, nil
}

// readAll reads at most limit bytes and says so when there are more.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: more than %d bytes", errTooMuch, limit)
	}
	return b, nil
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
