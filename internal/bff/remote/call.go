package remote

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"windlass/internal/engine"
)

// Bounds of an answer.
const (
	maxAnswer = 64 << 20 // the images of an account are one answer
	maxFiles  = 256 << 20
	maxFault  = 64 << 10
	retryWait = 200 * time.Millisecond
)

// call is one question to the engine.
type call struct {
	method  string
	path    string // behind /v1, escaped
	query   url.Values
	body    any // encoded as JSON; an io.Reader is sent as it is
	kind    string
	account string // whose things it is about, where that is not the user's own
	out     any    // nil: the answer does not matter
	most    int64  // bytes of the answer; 0: maxAnswer
	timeout time.Duration
	packed  bool        // the answer may come compressed, and stays so
	as      *credential // in whose name; nil: the session of the context
}

func (c *Client) get(ctx context.Context, account, path string, query url.Values, out any) error {
	return c.call(ctx, call{method: http.MethodGet, path: path, query: query, account: account, out: out})
}

// call asks, and decodes the answer.
func (c *Client) call(ctx context.Context, q call) error {
	resp, err := c.open(ctx, q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	most := q.most
	if most == 0 {
		most = maxAnswer
	}
	body := &bounded{r: resp.Body, left: most}
	if q.out == nil {
		_, err = io.Copy(io.Discard, body)
		return c.broken(q, err)
	}
	d := json.NewDecoder(body)
	if err := d.Decode(q.out); err != nil {
		return c.broken(q, err)
	}
	return nil
}

// broken is an answer that began and is of no use.
func (c *Client) broken(q call, err error) error {
	if err == nil {
		return nil
	}
	message := "The engine's answer is not of the form that version 1 of the API has."
	switch {
	case errors.Is(err, errTooLong):
		message = "The engine's answer is larger than this console takes."
	case errors.Is(err, io.ErrUnexpectedEOF), isNet(err):
		message = "The engine broke off its answer."
	}
	return &engine.Fault{Kind: engine.ErrUnavailable, Message: message, Cause: fmt.Errorf("%s %s: %w", q.method, q.path, err)}
}

// open asks and gives an answer that is none of error; the caller closes its
// body. A read that was lost on the way is made once more.
func (c *Client) open(ctx context.Context, q call) (*http.Response, error) {
	resp, err := c.send(ctx, q)
	if q.method != http.MethodGet || ctx.Err() != nil || err == nil && resp.StatusCode != http.StatusBadGateway && resp.StatusCode != http.StatusGatewayTimeout {
		return c.judge(q, resp, err)
	}
	if resp != nil {
		resp.Body.Close()
	}
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(retryWait):
	}
	resp, err = c.send(ctx, q)
	return c.judge(q, resp, err)
}

func (c *Client) judge(q call, resp *http.Response, err error) (*http.Response, error) {
	if err != nil {
		return nil, unreachable(q, err)
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxFault))
	err = fault(q, resp, raw)
	if errors.Is(err, engine.ErrUnauthorized) && q.as != nil {
		c.sessions.refused(*q.as)
	}
	return nil, err
}

// send makes the request. Its time ends with the body's.
func (c *Client) send(ctx context.Context, q call) (*http.Response, error) {
	who := q.as
	if who == nil {
		found, err := c.sessions.who(ctx, q.account)
		if err != nil {
			return nil, err
		}
		who = &found
	}
	timeout := q.timeout
	if timeout == 0 {
		timeout = c.timeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	u := c.base.String() + "/v1" + q.path
	if len(q.query) > 0 {
		u += "?" + q.query.Encode()
	}
	body, kind, err := encode(q)
	if err != nil {
		cancel()
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, q.method, u, body)
	if err != nil {
		cancel()
		return nil, err
	}
	if who != nobody {
		req.Header.Set("Authorization", who.header())
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "windlass-console")
	if q.packed {
		req.Header.Set("Accept-Encoding", "gzip")
		req.Header.Set("Accept", "*/*")
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	if q.account != "" && q.account != who.account {
		req.Header.Set("x-anchore-account", q.account)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		cancel()
		return nil, err
	}
	if resp.StatusCode == http.StatusUnauthorized && q.as == nil {
		c.sessions.refused(*who)
	}
	resp.Body = &ending{resp.Body, cancel}
	return resp, nil
}

func encode(q call) (io.Reader, string, error) {
	switch b := q.body.(type) {
	case nil:
		return nil, "", nil
	case io.Reader:
		return b, q.kind, nil
	default:
		raw, err := json.Marshal(b)
		return bytes.NewReader(raw), "application/json", err
	}
}

// nobody asks what needs no credential.
var nobody = &credential{}

// header is the credential as v1 wants it.
func (a credential) header() string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(a.user+":"+a.password.Reveal()))
}

// ending is a body that ends the time of its request when it is closed.
type ending struct {
	io.ReadCloser
	cancel context.CancelFunc
}

func (e *ending) Close() error {
	defer e.cancel()
	return e.ReadCloser.Close()
}

var errTooLong = errors.New("answer too long")

// bounded ends a body that is longer than it may be with an error, where a
// mere limit would make half an answer of it.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if n, err := b.r.Read(make([]byte, 1)); n == 0 {
			return 0, err
		}
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

func isNet(err error) bool {
	var n net.Error
	return errors.As(err, &n)
}
