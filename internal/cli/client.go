package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"windlass/internal/cli/python"
)

// Bounds of a request. A feed sync answers when it is done.
const (
	connectTimeout = 30 * time.Second
	requestTimeout = 15 * time.Minute
	syncTimeout    = 24 * time.Hour
	maxReply       = 256 << 20
)

// client speaks to the API.
type client struct {
	settings
	http    *http.Client
	trace   *trace
	version []int // of the API, once known
}

func newClient(s settings, w World) (*client, error) {
	c := &client{settings: s, http: &http.Client{Transport: w.Transport}, trace: &trace{w: w.Err, on: s.debug}}
	if w.Transport != nil {
		return c, nil
	}
	tlsConfig := &tls.Config{InsecureSkipVerify: !s.verify} //nolint:gosec // asked for
	if file, ok := w.Env("REQUESTS_CA_BUNDLE"); ok && file != "" && s.verify {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("certificates: %w", err)
		}
		tlsConfig.RootCAs = x509.NewCertPool()
		if !tlsConfig.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("certificates: %s holds none", file)
		}
	}
	c.http.Transport = &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: connectTimeout}).DialContext,
		TLSHandshakeTimeout: connectTimeout,
		TLSClientConfig:     tlsConfig,
	}
	return c, nil
}

// param is one parameter of a query; their order is the original's.
type param struct{ name, value string }

// query writes parameters, each value percent-encoded.
func query(params ...param) string {
	var b strings.Builder
	for _, p := range params {
		if b.Len() == 0 {
			b.WriteByte('?')
		} else {
			b.WriteByte('&')
		}
		b.WriteString(p.name + "=" + quote(p.value))
	}
	return b.String()
}

// given leaves out parameters without a value.
func given(params ...param) []param {
	var out []param
	for _, p := range params {
		if p.value != "" {
			out = append(out, p)
		}
	}
	return out
}

// quote percent-encodes all but letters, digits and -_.~ .
func quote(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~", c) >= 0 {
			b.WriteByte(c)
		} else {
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
	return b.String()
}

// segment is one step of a path as given: only what cannot stand in a step is
// encoded, so that digests and tags read as they do in the original's requests.
func segment(s string) string {
	return strings.NewReplacer("%", "%25", "/", "%2F", "?", "%3F", "#", "%23").Replace(s)
}

func (c *client) get(ctx context.Context, path string) (*reply, error) {
	return c.do(ctx, http.MethodGet, path, nil)
}

func (c *client) delete(ctx context.Context, path string) (*reply, error) {
	return c.do(ctx, http.MethodDelete, path, nil)
}

// do makes one request below the base URL. An error is one of this side; the
// server's are replies.
func (c *client) do(ctx context.Context, method, path string, body any) (*reply, error) {
	c.trace.account(c.account)
	c.trace.call(method, c.url+path, c.verify)
	return c.send(ctx, method, c.url+path, body)
}

// ping asks the base URL, which answers whoever may come in.
func (c *client) ping(ctx context.Context) (*reply, error) {
	c.trace.account(c.account)
	return c.send(ctx, http.MethodGet, c.url, nil)
}

func (c *client) send(ctx context.Context, method, target string, body any) (*reply, error) {
	ctx, cancel := limited(ctx)
	defer cancel()
	var content io.Reader
	if body != nil {
		content = strings.NewReader(python.Line(body))
	}
	req, err := http.NewRequestWithContext(ctx, method, target, content)
	if err != nil {
		return nil, err
	}
	if c.hasUser || c.pass != "" {
		req.SetBasicAuth(c.user, c.pass)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "anchore-cli/"+level)
	if c.account != "" {
		req.Header.Set("x-anchore-account", c.account)
	}
	c.trace.connect(req.URL)
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	c.trace.answered(req, resp)
	text, err := bounded(resp.Body, maxReply)
	if err != nil {
		return nil, err
	}
	return &reply{code: resp.StatusCode, body: decode(resp.StatusCode, text)}, nil
}

// limited gives a request its deadline, unless the caller has set one.
func limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if _, ok := ctx.Deadline(); ok {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, requestTimeout)
}

func bounded(r io.Reader, limit int64) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("the reply is longer than %d MiB", limit>>20)
	}
	return text, err
}

func decode(code int, text []byte) any {
	if v, err := python.Parse(text); err == nil {
		return v
	}
	if code == http.StatusUnauthorized && len(text) == 0 {
		return "Unauthorized - please check that the user name and the password are right"
	}
	return strings.ToValidUTF8(string(text), "\uFFFD")
}

// byTag reports whether images are looked up with a query: since version 0.1.6
// of the API. Before, the tag went into the body of a GET.
func (c *client) byTag(ctx context.Context) (bool, error) {
	if c.version == nil {
		v, err := c.findVersion(ctx)
		if err != nil {
			return false, err
		}
		c.version = v
	}
	for i, least := range []int{0, 1, 6} {
		switch {
		case i >= len(c.version) || c.version[i] < least:
			return false, nil
		case c.version[i] > least:
			return true, nil
		}
	}
	return true, nil
}

func (c *client) findVersion(ctx context.Context) ([]int, error) {
	if c.apiVersion != "" {
		return versionOf(c.apiVersion)
	}
	places := []string{c.url + "/swagger.json"}
	if u, err := url.Parse(c.url); err == nil {
		places = append([]string{u.Scheme + "://" + u.Host + "/swagger.json"}, places...)
	}
	for _, place := range places {
		r, err := c.send(ctx, http.MethodGet, place, nil)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil || !r.ok() {
			continue
		}
		look := &reader{}
		text := look.text(look.at(r.body, "info", "version"))
		if v, err := versionOf(text); look.err == nil && err == nil {
			return v, nil
		}
	}
	return nil, errors.New("the version of the API cannot be found out: no swagger.json answers")
}

func versionOf(text string) ([]int, error) {
	var v []int
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			return nil, fmt.Errorf("API version %q is not made of numbers and dots", text)
		}
		v = append(v, n)
	}
	return v, nil
}
