package engine

import (
	"context"
	"time"
)

// Session is a console login. Hash is of the token that the browser holds.
type Session struct {
	Identity
	Preferences Preferences // of the user
	Hash        []byte
	CSRF        string
	CreatedAt   time.Time
	SeenAt      time.Time // kept to the minute
	ExpiresAt   time.Time
	Address     string // of the browser when it signed in, as the console saw it
	Agent       string // what the browser called itself then
	// Password is what the user signed in with: for the login alone, and only
	// for engines that are asked in the user's name.
	Password Secret
}

type sessionKey struct{}

// WithSession notes the hash of the session that a question is asked in.
func WithSession(ctx context.Context, hash []byte) context.Context {
	return context.WithValue(ctx, sessionKey{}, hash)
}

// SessionOf is the hash noted by WithSession; nil: the question is not asked
// by a person.
func SessionOf(ctx context.Context) []byte {
	hash, _ := ctx.Value(sessionKey{}).([]byte)
	return hash
}
