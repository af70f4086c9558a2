package remote

import (
	"context"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// recent keeps answers for a moment: one page asks for the same list several
// times (its rows, their number, the numbers beside the filters), and v1 has no
// smaller question than for the whole of it. Answers are kept by user, so that
// nobody is shown what was given to somebody else.
type recent struct {
	mu    sync.Mutex
	kept  map[string]keptAnswer
	alone singleflight.Group
}

type keptAnswer struct {
	value any
	until time.Time
}

// maxKept bounds the number of answers that are kept.
const maxKept = 64

// kept gives the answer of a moment ago, or asks. Whoever asks the same at the
// same time shares the answer; that the first one leaves does not end it.
func kept[T any](ctx context.Context, c *Client, account, name string, life time.Duration, ask func(context.Context) (T, error)) (T, error) {
	var none T
	who, err := c.sessions.who(ctx, account)
	if err != nil {
		return none, err
	}
	key := account + "\x00" + who.user + "\x00" + name
	c.recent.mu.Lock()
	a, ok := c.recent.kept[key]
	c.recent.mu.Unlock()
	if ok && time.Now().Before(a.until) {
		return a.value.(T), nil
	}
	done := c.recent.alone.DoChan(key, func() (any, error) {
		v, err := ask(context.WithoutCancel(ctx))
		if err == nil {
			c.recent.put(key, v, life)
		}
		return v, err
	})
	select {
	case <-ctx.Done():
		return none, ctx.Err()
	case r := <-done:
		if r.Err != nil {
			return none, r.Err
		}
		return r.Val.(T), nil
	}
}

func (r *recent) put(key string, v any, life time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if r.kept == nil {
		r.kept = map[string]keptAnswer{}
	}
	if len(r.kept) >= maxKept {
		for k, a := range r.kept {
			if now.After(a.until) || len(r.kept) >= maxKept {
				delete(r.kept, k)
			}
		}
	}
	r.kept[key] = keptAnswer{v, now.Add(life)}
}

// forget drops what is kept of an account after something of it was altered;
// of all accounts when it is empty.
func (r *recent) forget(account string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k := range r.kept {
		if account == "" || strings.HasPrefix(k, account+"\x00") || strings.HasPrefix(k, "\x00") {
			delete(r.kept, k)
		}
	}
}
