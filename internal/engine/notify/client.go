package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"windlass/internal/engine"
)

// maxAnswer bounds what is read of a receiver's answer; maxHeader its header.
const (
	maxAnswer = 64 << 10
	maxHeader = 32 << 10
)

// maxRedirects within one host.
const maxRedirects = 3

// Client posts to webhooks.
type Client struct {
	allow   Allow
	timeout time.Duration
	// by whether the address is judged, and whether certificates are verified
	clients map[[2]bool]*http.Client
}

// NewClient makes a client. Its connections are kept for a while: a catalog
// posts to few receivers.
func NewClient(s Settings) *Client {
	s = s.WithDefaults()
	c := &Client{allow: s.Allow, timeout: s.Timeout, clients: map[[2]bool]*http.Client{}}
	for _, guarded := range []bool{false, true} {
		for _, verify := range []bool{false, true} {
			c.clients[[2]bool{guarded, verify}] = c.newHTTP(guarded, verify)
		}
	}
	return c
}

func (c *Client) newHTTP(guarded, verify bool) *http.Client {
	dialer := &net.Dialer{Timeout: c.timeout}
	t := &http.Transport{
		DialContext: dialer.DialContext, ForceAttemptHTTP2: true,
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: !verify, MinVersion: tls.VersionTLS12}, // ssl_verify: the operator's word
		MaxResponseHeaderBytes: maxHeader, MaxIdleConns: 64, MaxIdleConnsPerHost: laneHands, IdleConnTimeout: 30 * time.Second,
	}
	if guarded {
		// A proxy would make the connection in our place, unjudged.
		dialer.Control = c.allow.control
	} else {
		t.Proxy = http.ProxyFromEnvironment
	}
	return &http.Client{Transport: t, CheckRedirect: stayOnHost}
}

// stayOnHost follows only redirects that repeat the request to the same host.
func stayOnHost(r *http.Request, via []*http.Request) error {
	from := via[0].URL
	switch {
	case len(via) > maxRedirects:
		return fmt.Errorf("more than %d redirects", maxRedirects)
	case r.URL.Host != from.Host || r.URL.Scheme != from.Scheme:
		return errors.New("it redirects to another host")
	case r.Method != http.MethodPost:
		return errors.New("it redirects without taking the body")
	}
	return nil
}

// Answer is what a receiver said.
type Answer struct {
	Status int
	Body   []byte // up to maxAnswer; nil when it was longer
}

// Post sends a body to a webhook. An error says why it did not arrive; Status
// is then that of the receiver, if it gave one.
func (c *Client) Post(ctx context.Context, w engine.Webhook, account, kind string, body []byte) (Answer, error) {
	if w.URL == "" {
		return Answer{}, engine.Invalidf("the webhook %s has no url", w.Type)
	}
	address, err := url.Parse(w.Address(account, kind, url.PathEscape))
	if err != nil {
		return Answer{}, engine.Invalidf("the url of the webhook %s is not valid", w.Type)
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), bytes.NewReader(body))
	if err != nil {
		return Answer{}, engine.Invalidf("the url of the webhook %s is not valid", w.Type)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "windlass/"+engine.Version)
	if w.User != "" || w.Password != "" {
		r.SetBasicAuth(w.User, w.Password.Reveal())
	}
	resp, err := c.clients[[2]bool{c.allow.guarded(w, address.Hostname()), w.Verify}].Do(r)
	if err != nil {
		return Answer{}, plain(err)
	}
	defer resp.Body.Close()
	a := Answer{Status: resp.StatusCode}
	if a.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1)); err != nil || len(a.Body) > maxAnswer {
		a.Body = nil // the status says enough
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return a, fmt.Errorf("it answers %s", statusLine(resp.StatusCode))
	}
	return a, nil
}

func statusLine(code int) string {
	if text := http.StatusText(code); text != "" {
		return fmt.Sprintf("%d %s", code, text)
	}
	return fmt.Sprint(code)
}

// plain takes the address out of an error: it may hold a token, and the error
// is shown to whoever sees the notification.
func plain(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	switch {
	case errors.Is(err, errPrivate):
		return errPrivate
	case errors.Is(err, context.DeadlineExceeded):
		return errLate
	}
	return err
}

var errLate = errors.New("it does not answer in time")
