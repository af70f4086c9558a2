package remote

import (
	"context"
	"io"
	"net/url"
	"strings"

	"windlass/internal/engine"
)

// beyond is a question that only a Windlass knows: operation as its document
// has it, "GET /console/queues/{queue}", and what stands for the braces.
func (c *Client) beyond(ctx context.Context, operation string, q call, segments ...string) error {
	q, err := c.prepare(ctx, operation, q, segments)
	if err != nil {
		return err
	}
	return c.call(ctx, q)
}

func (c *Client) prepare(ctx context.Context, operation string, q call, segments []string) (call, error) {
	if !c.has(ctx, operation) {
		return q, lacks(operation)
	}
	method, at, _ := strings.Cut(operation, " ")
	var b strings.Builder
	for part := range strings.SplitSeq(strings.TrimPrefix(at, "/"), "/") {
		if strings.HasPrefix(part, "{") {
			part, segments = segments[0], segments[1:]
		}
		b.WriteByte('/')
		b.WriteString(url.PathEscape(part))
	}
	q.method, q.path = method, b.String()
	return q, nil
}

// stream copies an answer that is no JSON.
func (c *Client) stream(ctx context.Context, operation string, q call, w io.Writer, segments ...string) error {
	q, err := c.prepare(ctx, operation, q, segments)
	if err != nil {
		return err
	}
	resp, err := c.open(ctx, q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(w, &bounded{r: resp.Body, left: maxFiles})
	return c.broken(q, err)
}

// changed asks for something to be done and tells of it.
func (c *Client) changed(ctx context.Context, operation string, q call, kind engine.ChangeKind, id string, segments ...string) error {
	err := c.beyond(ctx, operation, q, segments...)
	if err == nil {
		c.altered(q.account, kind, id)
	}
	return err
}

// set adds what is not empty to a query.
func set(q url.Values, pairs ...string) url.Values {
	for n := 0; n < len(pairs); n += 2 {
		if pairs[n+1] != "" {
			q.Set(pairs[n], pairs[n+1])
		}
	}
	return q
}
