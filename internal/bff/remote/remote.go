// Package remote is an engine behind an address: it drives any engine that
// speaks the v1 API, for a console that runs without one of its own. It keeps
// nothing on disk and needs no database.
//
// What v1 has is asked of it, in the name of the user who is signed in: his
// password, proven by a call at the login, is kept in memory for as long as
// the session lasts (session.go), so that a restart of the console signs
// everybody out. What v1 lacks is answered with engine.ErrUnsupported, by
// Lacking, and the console says so in place of the part. A Windlass on the
// other side is recognised by its /console operations (about.go) and asked for
// more by them.
//
// Nothing that the other side sends is trusted: answers are bounded in bytes,
// entries and time, redirects are not followed, since a password goes along
// with each request, and what is not of the form expected is an error that
// says so. Reads that fail on the way are made once more; what alters
// something is never repeated.
//
// v1 tells of no change. While somebody looks, watch.go asks what can change
// and makes numbered changes of the differences.
//
// It may import the vocabulary of the engine and nothing else of ours.
package remote

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"windlass/internal/engine"
)

// Options are what a Client is made of. URL alone is needed.
type Options struct {
	URL string // base address, with or without /v1
	Log *slog.Logger
	// Timeout bounds one question to the engine; 0: 30 s.
	Timeout time.Duration
	// Pace is the time between two looks for what has changed; 0: 2 s.
	Pace time.Duration
	// Knows is what this program can tell without asking any engine.
	Knows Knowledge
}

// Knowledge is what a console knows of engines of version 1 by itself. Fields
// may be nil.
type Knowledge struct {
	APIDocument    func() ([]engine.APIGroup, error)
	DiagnosePolicy func(text []byte) []engine.BundleFault
	DefaultPolicy  func() []byte
	PolicyGates    func() []engine.PolicyGate
}

// Client is the engine at one address.
type Client struct {
	Lacking

	base     *url.URL // without /v1
	log      *slog.Logger
	timeout  time.Duration
	pace     time.Duration
	knows    Knowledge
	http     *http.Client
	sessions *sessions
	recent   recent
	changes  *changes
	clears   clears
	runs     feedRuns
	health   health
	own      sync.WaitGroup  // what goes on behind a request
	life     context.Context // of the client
	end      context.CancelFunc

	about      sync.Mutex
	known      About
	knownUntil time.Time
}

// New is a client; nothing is asked of the engine yet, which may be down.
func New(o Options) (*Client, error) {
	base, err := ParseURL(o.URL)
	if err != nil {
		return nil, err
	}
	c := &Client{base: base, log: o.Log, timeout: o.Timeout, pace: o.Pace, knows: o.Knows, sessions: newSessions(), changes: newChanges()}
	c.life, c.end = context.WithCancel(context.Background())
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.timeout <= 0 {
		c.timeout = 30 * time.Second
	}
	if c.pace <= 0 {
		c.pace = 2 * time.Second
	}
	c.http = &http.Client{
		Transport: &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{Timeout: 5 * time.Second}).DialContext, TLSHandshakeTimeout: 10 * time.Second,
			MaxIdleConnsPerHost: 16, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: 64 << 10,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return c, nil
}

// ParseURL reads the address of an engine.
func ParseURL(text string) (*url.URL, error) {
	u, err := url.Parse(strings.TrimSpace(text))
	switch {
	case err != nil, u.Host == "", u.Scheme != "http" && u.Scheme != "https":
		return nil, errors.New("want http://host:port or https://host:port")
	case u.User != nil:
		return nil, errors.New("must not hold a user or a password: people sign in with their own")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, errors.New("must not hold a query")
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v1")
	u.RawPath = ""
	return u, nil
}

// Base is the address without /v1, which is where the console's proxy sends
// /v1.
func (c *Client) Base() string { return c.base.String() }

// Run follows the engine's changes until ctx ends.
func (c *Client) Run(ctx context.Context) error {
	c.watch(ctx)
	return nil
}

// Close ends what goes on in the background.
func (c *Client) Close() {
	c.end()
	c.own.Wait()
	c.http.CloseIdleConnections()
}

// path joins segments, each escaped: names of registries have slashes in them.
func path(segments ...string) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(s))
	}
	return b.String()
}

// absent gives a missing record the sentence of its kind.
func absent(err error, format string, args ...any) error {
	if errors.Is(err, engine.ErrNotFound) {
		return &engine.Fault{Kind: engine.ErrNotFound, Message: fmt.Sprintf(format, args...), Cause: err}
	}
	return err
}
