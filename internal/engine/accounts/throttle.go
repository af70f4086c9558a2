package accounts

import (
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"windlass/internal/engine"
)

const (
	// failures is how many different wrong passwords one peer may try for one
	// user at once; after that one more every failEvery.
	failures  = 10
	failEvery = 6 * time.Second
	// remembered wrong passwords do not count again.
	remembered = 4
	// wrongFor is how long a wrong password is answered from memory.
	wrongFor = 30 * time.Second
	// maxKeys bounds the memory of failures.
	maxKeys = 10_000
)

// throttle slows guessing down. Its memory is bounded: when it is full, those
// who have not failed for longest are forgiven.
type throttle struct {
	mu   sync.Mutex
	keys map[string]*tries
}

type tries struct {
	limit *rate.Limiter
	wrong []wrong
	last  time.Time
}

type wrong struct {
	mac   digest
	until time.Time
}

func newThrottle() *throttle { return &throttle{keys: map[string]*tries{}} }

// check refuses a password known to be wrong, and any after too many failures.
func (t *throttle) check(who string, mac digest) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	k := t.keys[who]
	if k == nil {
		return nil
	}
	now := time.Now()
	for _, w := range k.wrong {
		if w.mac == mac && now.Before(w.until) {
			return engine.ErrUnauthorized
		}
	}
	if k.limit.TokensAt(now) < 1 {
		return engine.ErrThrottled
	}
	return nil
}

// failed counts a wrong password.
func (t *throttle) failed(who string, mac digest) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := time.Now()
	k := t.keys[who]
	if k == nil {
		t.makeRoom(now)
		k = &tries{limit: rate.NewLimiter(rate.Every(failEvery), failures)}
		t.keys[who] = k
	}
	k.limit.AllowN(now, 1)
	k.last = now
	k.wrong = append(k.wrong, wrong{mac, now.Add(wrongFor)})
	k.wrong = k.wrong[max(0, len(k.wrong)-remembered):]
}

// forget lets a user's wrong passwords, or everybody's, be tried again: one of
// them may just have been made the right one.
func (t *throttle) forget(user string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for who, k := range t.keys {
		if user == "" || strings.HasPrefix(who, user+"\x00") {
			k.wrong = nil
		}
	}
}

func (t *throttle) makeRoom(now time.Time) {
	if len(t.keys) < maxKeys {
		return
	}
	oldest, at := "", now
	for who, k := range t.keys {
		if now.Sub(k.last) > failures*failEvery {
			delete(t.keys, who)
			continue
		}
		if k.last.Before(at) || oldest == "" {
			oldest, at = who, k.last
		}
	}
	if len(t.keys) >= maxKeys {
		delete(t.keys, oldest)
	}
}
