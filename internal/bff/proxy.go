package bff

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/engine"
)

// proxy carries /v1 to the API's own listener, for browsers with a console
// session and for programs with their own user and password. Bodies stream in
// both directions and are never held.
type proxy struct {
	api    *url.URL
	client *http.Client
}

func newProxy(api *url.URL) *proxy {
	return &proxy{api: api, client: &http.Client{
		Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 3 * time.Second}).DialContext,
			MaxIdleConnsPerHost: 32, IdleConnTimeout: time.Minute,
			DisableCompression: true, // pass on what the client negotiated
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// hop lists the headers of one connection, which are not passed on; and those
// that this console sets or keeps to itself.
var (
	hop      = []string{"Connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Connection", "Te", "Trailer", "Transfer-Encoding", "Upgrade"}
	withheld = []string{"Cookie", "Host", "Content-Length", "X-Csrf-Token", "Origin", "Referer"}
)

func (s *Server) proxyRoutes(r fiber.Router) {
	if s.api == nil {
		return
	}
	r.All("/v1", s.proxyAPI)
	r.All("/v1/*", s.proxyAPI)
}

func (s *Server) proxyAPI(c *fiber.Ctx) error {
	authorization, err := s.authorize(c)
	if err != nil {
		return err
	}
	req, cancel, err := s.proxy.request(c)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", authorization)
	req.Header.Set("X-Request-Id", requestID(c))
	resp, err := s.proxy.client.Do(req)
	if err != nil {
		cancel()
		s.log.Warn("proxy failed", "request", requestID(c), "path", c.Path(), "error", err)
		return problem(c, http.StatusBadGateway, "The v1 API did not answer.")
	}
	c.Status(resp.StatusCode)
	for k, vs := range resp.Header {
		if contains(hop, k) || k == "Content-Length" || strings.HasPrefix(k, "Access-Control-") {
			continue
		}
		c.Response().Header.Del(k)
		for _, v := range vs {
			c.Response().Header.Add(k, v)
		}
	}
	// The body is read after the handler has returned; its end, or the
	// browser's leaving, closes it and with it the request to the API.
	c.Context().SetBodyStream(&proxyBody{resp.Body, cancel}, int(resp.ContentLength))
	return nil
}

// authorize is the Authorization header to call the API with: the client's
// own, or a token for the session's user.
func (s *Server) authorize(c *fiber.Ctx) (string, error) {
	if own := c.Get(fiber.HeaderAuthorization); own != "" {
		return own, nil
	}
	found, err := s.findSession(c)
	if errors.Is(err, engine.ErrNotFound) {
		if c.Get("Sec-Fetch-Mode") == "" { // a browser would ask for a password in a window of its own
			c.Set(fiber.HeaderWWWAuthenticate, `Basic realm="Authentication required"`)
		}
		return "", engine.ErrUnauthorized
	}
	if err != nil {
		return "", err
	}
	c.Locals(localSession, found)
	if err := checkCSRF(c, found.CSRF); err != nil {
		return "", err
	}
	authorization, err := s.engine.Authorization(engine.WithSession(c.UserContext(), found.Hash), found.Identity)
	if err != nil {
		return "", err
	}
	return authorization.Reveal(), nil
}

// request copies the request for the API. Its context lives until the answer
// has been passed on, or the server ends.
func (p *proxy) request(c *fiber.Ctx) (*http.Request, context.CancelFunc, error) {
	// As it was sent: a name may hold an escaped slash.
	sent, err := url.ParseRequestURI(string(c.Context().URI().PathOriginal()))
	if err != nil {
		return nil, nil, fiber.NewError(http.StatusBadRequest, "The address is not validly escaped.")
	}
	u := *p.api
	base := strings.TrimSuffix(u.Path, "/")
	u.Path, u.RawPath, u.RawQuery = base+sent.Path, base+sent.EscapedPath(), string(c.Context().QueryArgs().QueryString())
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.UserContext()))
	var body io.Reader
	length := int64(c.Request().Header.ContentLength())
	if c.Request().IsBodyStream() {
		body = c.Context().RequestBodyStream()
	} else if b := c.Body(); len(b) > 0 {
		body, length = strings.NewReader(string(b)), int64(len(b))
	}
	req, err := http.NewRequestWithContext(ctx, c.Method(), u.String(), body)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	if body != nil {
		req.ContentLength = max(length, -1)
	}
	for k, v := range c.Request().Header.All() {
		name := http.CanonicalHeaderKey(string(k))
		if !contains(hop, name) && !contains(withheld, name) {
			req.Header.Add(name, string(v))
		}
	}
	for _, name := range strings.Split(c.Get("Connection"), ",") {
		req.Header.Del(strings.TrimSpace(name))
	}
	return req, cancel, nil
}

type proxyBody struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (b *proxyBody) Close() error {
	b.cancel()
	return b.ReadCloser.Close()
}

func contains(list []string, name string) bool {
	for _, v := range list {
		if strings.EqualFold(v, name) {
			return true
		}
	}
	return false
}
