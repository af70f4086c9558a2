// Package session holds the mechanics of signing in by cookie: tokens, their
// hashes, how long they hold, and how fast a password may be guessed. It keeps
// nothing itself but the throttle's counts, and knows no request.
//
// The cookie holds 32 random bytes; the database holds their SHA-256 only, so
// that a copy of it signs nobody in.
package session

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"time"
)

// Cookie is the name under which browsers keep the token.
const Cookie = "windlass_session"

// A session ends when it is not used for Idle, and in any case after Absolute.
const (
	Idle     = 12 * time.Hour
	Absolute = 7 * 24 * time.Hour
)

// NewToken is a fresh random token.
func NewToken() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// Hash is what is stored of a token.
func Hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Same compares two tokens in constant time. Nothing equals an empty one.
func Same(a, b string) bool {
	return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1
}
