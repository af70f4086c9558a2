package engine

import "time"

// Session is a console login. Hash is of the token that the browser holds.
type Session struct {
	Identity
	Preferences Preferences // of the user
	Hash        []byte
	CSRF        string
	CreatedAt   time.Time
	SeenAt      time.Time // kept to the minute
	ExpiresAt   time.Time
}
