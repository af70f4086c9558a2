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
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
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
)

var (
	errDigest    = errors.New("digest mismatch")
	errPlainHTTP = errors.New("the registry answers only over plain HTTP")
	errStalled   = errors.New("no data received in time")
)

// Options of a client. The zero value works.
type Options struct {
	Mirrors      map[string][]string // registry host -> base addresses, tried in order before the registry itself
	MaxImageSize int64               // bytes of all compressed layers; 0: no limit
	UserAgent    string
	Stall        time.Duration // a transfer without data for so long is given up; 0: one minute
	Logger       *slog.Logger
	// Login gives a stored registry of type awsecr the user and password that
	// the registry itself takes; nil: they are used as they are stored.
	Login func(context.Context, engine.Registry) (engine.Registry, error)
}

// Client asks registries. It keeps connections and is safe for concurrent use.
type Client struct {
	opts    Options
	strict  http.RoundTripper // verifies certificates
	lenient http.RoundTripper
	log     *slog.Logger
}

// New makes a client.
func New(o Options) *Client {
	if o.UserAgent == "" {
		o.UserAgent = "windlass/" + engine.Version
	}
	if o.Stall <= 0 {
		o.Stall = time.Minute
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	c := &Client{opts: o, log: o.Logger}
	c.strict, c.lenient = c.transport(true), c.transport(false)
	return c
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

func (c *Client) transport(verify bool) http.RoundTripper {
	t := &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   8,
		DisableCompression:    true, // digests are of the bytes as they are stored
		TLSClientConfig:       &tls.Config{InsecureSkipVerify: !verify, MinVersion: tls.VersionTLS12},
	}
	var rt http.RoundTripper = t
	if verify {
		rt = httpsOnly{t}
	}
	rt = transport.NewRetry(rt,
		transport.WithRetryBackoff(transport.Backoff{Duration: 200 * time.Millisecond, Factor: 3, Jitter: 0.2, Steps: 3}),
		transport.WithRetryStatusCodes(http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout))
	return transport.NewUserAgent(heedsLater{rt}, c.opts.UserAgent)
}

// httpsOnly keeps verified registries from being asked in the clear: the
// library tries http for private addresses, which would hand a credential to
// whoever answers there. Only this machine is exempt.
type httpsOnly struct{ inner http.RoundTripper }

func (h httpsOnly) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme == "http" && !loopback(r.URL.Hostname()) {
		return nil, errPlainHTTP
	}
	return h.inner.RoundTrip(r)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// endpoint is one place to ask for a repository.
type endpoint struct {
	host   string
	repo   string
	verify bool
	plain  bool // http was asked for in so many words
	auth   authn.Authenticator
	cred   string // name of the record used, empty: anonymous
	stored engine.Registry
	mirror bool
}

// endpoints lists where a repository is asked for: mirrors first, then the
// registry itself. A mirror gets its own credential, never the registry's.
func (c *Client) endpoints(ref Reference, creds []engine.Registry) []endpoint {
	hub := ref.Registry == DockerHub && !strings.Contains(ref.Repository, "/")
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
		for _, repo := range repos {
			e := place(creds, u.Host, strings.TrimPrefix(strings.Trim(u.Path, "/")+"/"+repo, "/"))
			e.mirror, e.plain = true, u.Scheme == "http"
			list = append(list, e)
		}
	}
	e := place(creds, ref.Registry, ref.Repository)
	if hub {
		e.repo = "library/" + ref.Repository
	}
	return append(list, e)
}

func place(creds []engine.Registry, host, repo string) endpoint {
	e := endpoint{host: host, repo: repo, verify: true, auth: authn.Anonymous}
	if ch := Choose(creds, host, repo); ch.Found {
		e.verify, e.cred, e.stored = ch.Registry.Verify, ch.Registry.Name, ch.Registry
		if ch.Registry.User != "" {
			e.auth = authn.FromConfig(authn.AuthConfig{Username: ch.Registry.User, Password: ch.Registry.Password.Reveal()})
		}
	}
	return e
}

// session is an authenticated way to one repository.
type session struct {
	endpoint
	base   string // scheme://host/v2/repo
	client *http.Client
	stall  time.Duration
}

func (c *Client) open(ctx context.Context, e endpoint) (*session, error) {
	if trades(e.stored) {
		r, err := c.trade(ctx, e.stored)
		if err != nil {
			return nil, err
		}
		e.auth = authn.FromConfig(authn.AuthConfig{Username: r.User, Password: r.Password.Reveal()})
	}
	rt := c.strict
	var opts []name.Option
	if !e.verify || e.plain {
		rt, opts = c.lenient, append(opts, name.Insecure)
	}
	reg, err := name.NewRegistry(e.host, opts...)
	if err != nil {
		return nil, err
	}
	repo := reg.Repo(e.repo)
	rt, err = transport.NewWithContext(ctx, reg, e.auth, rt, []string{repo.Scope(transport.PullScope)})
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
		return nil, fmt.Errorf("answer is larger than %d bytes", limit)
	}
	return b, nil
}

func digestOf(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
