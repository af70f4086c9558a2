package engine

import "time"

// APIToken is a token that a user made for a script. The token itself is shown
// once and not kept.
type APIToken struct {
	ID        string
	User      string // whom it proves
	Name      string // what for; unique among the user's
	Scope     Scope  // empty: all that the user may
	CreatedBy string
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    time.Time // to the minute; zero: never
}

// TokenPrefix begins every API token, so that leaks can be searched for.
const TokenPrefix = "wl_"

// TokenUser may stand for the user's name where a token is sent as a password.
const TokenUser = "_token"

// Bounds of API tokens.
const (
	MaxTokens    = 100 // of one user
	TokenLife    = 90 * 24 * time.Hour
	MaxTokenLife = 5 * 366 * 24 * time.Hour
	TokenMemory  = 30 * 24 * time.Hour // an expired one is listed for as long
)

// RoleGrant is one role of a user in an account, as it was given.
type RoleGrant struct {
	User        string
	UserAccount string // the user's own; Account may be another
	Account     string
	Role        Role
	GrantedBy   string
	CreatedAt   time.Time
}

// AuditEntry is one administrative action, done or refused.
type AuditEntry struct {
	ID          int64
	At          time.Time
	User        string
	UserAccount string
	Token       string // id of the API token that was used
	Peer        string
	Account     string // whose things were altered
	Action      string
	Subject     string
	Details     map[string]any
	Status      int // of the reply
	RequestID   string
}

// AuditFilter selects audit entries; empty fields select all.
type AuditFilter struct {
	Account string
	User    string
	Action  string
	Subject string
	Failed  *bool // only those refused or failed, or only those done
	Since   time.Time
	Before  time.Time
	After   int64 // cursor: id of the last one seen
	Limit   int
}
