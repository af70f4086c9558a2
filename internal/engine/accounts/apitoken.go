package accounts

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"time"

	"windlass/internal/engine"
)

// API tokens are long random texts, so one SHA-256 is hash enough, and what was
// found is remembered under it. Nobody can guess one: what is throttled is the
// asking of the database, by address, and only of what is not remembered.

// usedEvery is how often the use of tokens is noted.
const usedEvery = time.Minute

// tokenProof is an API token that was found lately.
type tokenProof struct {
	token engine.APIToken
	until time.Time
}

// newAPIToken makes the text of a token and the hash it is stored under.
func newAPIToken() (engine.Secret, []byte) {
	text := engine.TokenPrefix + rand.Text()
	sum := sha256.Sum256([]byte(text))
	return engine.Secret(text), sum[:]
}

func (a *Authenticator) verifyAPIToken(ctx context.Context, token engine.Secret) (engine.Identity, error) {
	if len(token) > maxToken {
		return engine.Identity{}, engine.ErrUnauthorized
	}
	sum := digest(sha256.Sum256([]byte(token.Reveal())))
	t, err := a.findToken(ctx, sum)
	if err != nil {
		return engine.Identity{}, err
	}
	if !time.Now().Before(t.ExpiresAt) {
		return engine.Identity{}, engine.ErrUnauthorized
	}
	login, err := a.login(ctx, t.User)
	if errors.Is(err, engine.ErrNotFound) {
		return engine.Identity{}, engine.ErrUnauthorized
	}
	if err != nil {
		return engine.Identity{}, fmt.Errorf("api token: %w", err)
	}
	a.noteUse(t.ID)
	return login.Through(t.ID, t.Scope), nil
}

func (a *Authenticator) findToken(ctx context.Context, sum digest) (engine.APIToken, error) {
	a.mu.Lock()
	p, ok := a.tokens[sum]
	epoch := a.epoch
	a.mu.Unlock()
	if ok && time.Now().Before(p.until) {
		return p.token, nil
	}
	who := "\x00" + engine.Peer(ctx) // no user has an empty name
	if err := a.throttle.check(who, sum); err != nil {
		return engine.APIToken{}, err
	}
	t, err := a.store.TokenByHash(ctx, sum[:])
	if errors.Is(err, engine.ErrNotFound) {
		a.throttle.failed(who, sum)
		return engine.APIToken{}, engine.ErrUnauthorized
	}
	if err != nil {
		return engine.APIToken{}, fmt.Errorf("api token: %w", err)
	}
	a.keepToken(sum, epoch, t)
	return t, nil
}

// keepToken remembers a token, unless anything has changed since it was looked
// for: then it may be one that was just revoked.
func (a *Authenticator) keepToken(sum digest, epoch uint64, t engine.APIToken) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.epoch != epoch {
		return
	}
	if len(a.tokens) >= maxProofs {
		clear(a.tokens)
	}
	a.tokens[sum] = tokenProof{t, time.Now().Add(a.ttl())}
}

// noteUse remembers that a token was used, to be written with others.
func (a *Authenticator) noteUse(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used[id] = time.Now().Truncate(time.Minute)
}

// writeUses notes the use of tokens until ctx ends. What cannot be written is
// tried again with what follows.
func (a *Authenticator) writeUses(ctx context.Context) {
	tick := time.NewTicker(usedEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
			defer cancel()
			a.WriteUses(last)
			return
		case <-tick.C:
			a.WriteUses(ctx)
		}
	}
}

// WriteUses notes in the database which tokens were used since the last time.
func (a *Authenticator) WriteUses(ctx context.Context) {
	a.mu.Lock()
	used := a.used
	a.used = map[string]time.Time{}
	a.mu.Unlock()
	if len(used) == 0 {
		return
	}
	if err := a.store.TokensUsed(ctx, used); err != nil {
		a.log.WarnContext(ctx, "token use not noted", "err", err)
		a.mu.Lock()
		defer a.mu.Unlock()
		maps.Copy(used, a.used) // the later ones stay
		a.used = used
	}
}
