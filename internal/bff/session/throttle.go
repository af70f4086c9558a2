package session

import (
	"sync"
	"time"
)

// Throttle slows the guessing of passwords: after three wrong ones in a row
// for a user from an address, each further try has to wait twice as long, up
// to half an hour. The right password is refused as well while the wait lasts:
// otherwise guessing would go on at full speed.
type Throttle struct {
	mu    sync.Mutex
	tries map[string]try
	now   func() time.Time
}

type try struct {
	wrong int
	until time.Time
	last  time.Time
}

const (
	freeTries  = 3
	firstWait  = 2 * time.Second
	longWait   = 30 * time.Minute
	forget     = time.Hour
	maxTracked = 10_000 // someone with that many addresses is not held up by this
)

// NewThrottle makes an empty one.
func NewThrottle() *Throttle { return &Throttle{tries: map[string]try{}, now: time.Now} }

// Wait is how long the next try for key has to wait; 0: go ahead.
func (t *Throttle) Wait(key string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return max(0, t.tries[key].until.Sub(t.now()))
}

// Wrong counts a wrong password.
func (t *Throttle) Wrong(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	if len(t.tries) >= maxTracked {
		t.drop(now)
	}
	e := t.tries[key]
	if now.Sub(e.last) > forget {
		e = try{}
	}
	e.wrong++
	e.last = now
	if n := e.wrong - freeTries; n >= 0 {
		e.until = now.Add(min(longWait, firstWait<<min(n, 12)))
	}
	t.tries[key] = e
}

// Right forgets what was wrong before.
func (t *Throttle) Right(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tries, key)
}

// drop forgets old entries; when all are fresh, all of them.
func (t *Throttle) drop(now time.Time) {
	for k, e := range t.tries {
		if now.Sub(e.last) > forget {
			delete(t.tries, k)
		}
	}
	if len(t.tries) >= maxTracked {
		clear(t.tries)
	}
}
