package accounts

import (
	"context"
	"sync"
	"time"

	"windlass/internal/engine"
)

// followPause is the wait before the change log is followed again.
const followPause = time.Second

// Run follows the change log until ctx ends, so that a password, a role, a token
// or an account altered by another process is forgotten here at once. Beside
// that it notes when tokens were used.
func (a *Authenticator) Run(ctx context.Context) error {
	var uses sync.WaitGroup
	uses.Go(func() { a.writeUses(ctx) })
	defer uses.Wait()
	for {
		err := a.follow(ctx)
		a.follows(false)
		if ctx.Err() != nil {
			return nil
		}
		a.log.WarnContext(ctx, "account changes lost", "err", err)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(followPause):
		}
	}
}

func (a *Authenticator) follow(ctx context.Context) error {
	last, err := a.store.LastChange(ctx)
	if err != nil {
		return err
	}
	// What was remembered before this number was read may be out of date.
	a.follows(true)
	return a.store.Watch(ctx, last, func(c engine.Change) error {
		a.Observe(c)
		return nil
	})
}

// Observe is told of every change where somebody else follows the log.
func (a *Authenticator) Observe(c engine.Change) {
	if c.Kind != engine.ChangeAccount {
		return
	}
	// The change of an account concerns all its users, whose names are not
	// at hand: such changes are rare, so all are forgotten.
	if c.ID == c.Account {
		a.forget("")
	}
	a.forget(c.ID)
	a.throttle.forget(c.ID)
}

func (a *Authenticator) follows(yes bool) {
	a.forget("")
	a.mu.Lock()
	defer a.mu.Unlock()
	a.followed = yes
}
