package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// What one answer may be, layers aside.
const (
	maxAnswer    = 9 << 20
	maxHeader    = 256 << 10
	maxRedirects = 5
)

var (
	errPlainHTTP = errors.New("the registry answers only over plain HTTP")
	errRedirect  = errors.New("the redirect is not followed")
	errTooMuch   = errors.New("the answer is too long")

	errLongManifest = errors.New("the manifest is too long")
)

// bases are the connections that all sessions share: by whether certificates
// are verified, and whether only public addresses are connected to.
type bases map[[2]bool]*http.Transport

func newBases() bases {
	b := bases{}
	for _, verify := range []bool{false, true} {
		for _, public := range []bool{false, true} {
			dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
			t := &http.Transport{
				DialContext:            dialer.DialContext,
				ForceAttemptHTTP2:      true,
				TLSHandshakeTimeout:    10 * time.Second,
				ResponseHeaderTimeout:  30 * time.Second,
				IdleConnTimeout:        90 * time.Second,
				MaxIdleConnsPerHost:    8,
				MaxResponseHeaderBytes: maxHeader,
				DisableCompression:     true, // digests are of the bytes as they are stored
				TLSClientConfig:        &tls.Config{InsecureSkipVerify: !verify, MinVersion: tls.VersionTLS12},
			}
			if public {
				dialer.Control = publicOnly
			} else {
				t.Proxy = http.ProxyFromEnvironment
			}
			b[[2]bool{verify, public}] = t
		}
	}
	return b
}

func publicOnly(_, address string, _ syscall.RawConn) error {
	if at, err := netip.ParseAddrPort(address); err != nil || !isPublic(at.Addr()) {
		return fmt.Errorf("%w: it leads to an address that is not public", errRedirect)
	}
	return nil
}

func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsGlobalUnicast() && !a.IsPrivate() && !sharedSpace.Contains(a)
}

// sharedSpace is between carriers and their customers.
var sharedSpace = netip.MustParsePrefix("100.64.0.0/10")

// way is how the requests of one session go out.
func (c *Client) way(host string, verify, trusted bool) http.RoundTripper {
	var rt http.RoundTripper = &guard{bases: c.bases, home: host, verify: verify, trusted: trusted}
	rt = transport.NewRetry(rt,
		transport.WithRetryBackoff(transport.Backoff{Duration: 200 * time.Millisecond, Factor: 3, Jitter: 0.2, Steps: 3}),
		transport.WithRetryStatusCodes(http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout))
	return transport.NewUserAgent(heedsLater{rt}, c.opts.UserAgent)
}

// guard holds what a registry can make this program do to what is safe. It
// keeps verified registries from being asked in the clear: the library tries
// http for private addresses, which would hand a credential to whoever answers
// there; only this machine is exempt. A registry in the public net may not send
// on to addresses that are not, since this program reaches more of those than
// the registry does. And no answer but a layer is longer than it needs to be.
type guard struct {
	bases   bases
	home    string // host, with port
	verify  bool
	trusted bool // named by the operator, not by a user

	once   sync.Once
	public bool // home is in the public net
}

func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	away := r.URL.Host != g.home
	switch sent := redirects(r); {
	case r.URL.Scheme != "http" && r.URL.Scheme != "https":
		return nil, fmt.Errorf("%w: %s is no scheme of the web", errRedirect, clip(r.URL.Scheme))
	case sent > maxRedirects:
		return nil, fmt.Errorf("%w: more than %d in a row", errRedirect, maxRedirects)
	case g.verify && r.URL.Scheme == "http" && !loopback(r.URL.Hostname()):
		if sent > 0 {
			return nil, fmt.Errorf("%w: it leads from TLS to plain HTTP", errRedirect)
		}
		return nil, errPlainHTTP
	}
	public := away && !g.trusted && !proxied(r) && g.isPublic(r.Context())
	resp, err := g.bases[[2]bool{g.verify, public}].RoundTrip(r)
	if err == nil && (resp.StatusCode != http.StatusOK || r.Context().Value(layerKey{}) == nil) {
		resp.Body = &shortBody{resp.Body, maxAnswer}
	}
	return resp, err
}

// redirects is how many redirects have led to a request.
func redirects(r *http.Request) (n int) {
	for ; r.Response != nil && r.Response.Request != nil; r = r.Response.Request {
		n++
	}
	return n
}

func proxied(r *http.Request) bool {
	u, err := http.ProxyFromEnvironment(r)
	return err == nil && u != nil
}

// isPublic looks the registry's own address up, once: few registries send on.
func (g *guard) isPublic(ctx context.Context) bool {
	g.once.Do(func() {
		host := g.home
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		list, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		g.public = err == nil
		for _, a := range list {
			g.public = g.public && isPublic(a)
		}
	})
	return g.public
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || ip != nil && ip.IsLoopback()
}

// layerKey marks, in the context of a request, that its answer is counted by
// whoever reads it.
type layerKey struct{}

// shortBody ends an answer that goes on for too long.
type shortBody struct {
	io.ReadCloser
	left int64
}

func (b *shortBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooMuch
	}
	return n, err
}
