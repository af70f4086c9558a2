// Package accounts keeps accounts, users and what they may do, and proves who
// asks: passwords, the cache of proven ones, the throttle of failed ones, signed
// tokens that last minutes, and API tokens that last until they are revoked.
//
// The Directory holds the rules by which all of these are altered, the
// Authenticator what a request costs: nothing but memory, as a rule.
//
// Passwords are stored as argon2id. One check costs some 20 ms by design, and
// API clients send their password with every request, so a password that was
// proven is remembered for a minute as an HMAC under a key that this process
// made up at its start: the memory holds neither passwords nor anything that
// could be tried offline. It is forgotten at once when the user or the account
// changes, here or in another process, because such a change is in the change
// log; while the log cannot be followed, proofs last seconds instead.
//
// A failed login costs the same time whether the user exists or not. Failures
// are counted by user and peer address, so that nobody can lock out somebody
// else; a client that repeats one and the same wrong password does not count
// again, since it is misconfigured and not guessing.
package accounts

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"windlass/internal/engine"
)

// Store is what authentication asks of the database.
type Store interface {
	Login(ctx context.Context, user string) (engine.Login, error)
	LoginByUUID(ctx context.Context, uuid string) (engine.Login, error)
	TokenByHash(ctx context.Context, hash []byte) (engine.APIToken, error)
	TokensUsed(ctx context.Context, at map[string]time.Time) error
	SetPassword(ctx context.Context, account, user, hash string) error
	AddUser(ctx context.Context, account, name, hash string) error
	SettingOnce(ctx context.Context, key, value string) (string, error)
	LastChange(ctx context.Context) (int64, error)
	Watch(ctx context.Context, after int64, each func(engine.Change) error) error
}

const (
	// followedTTL is how long a proof lasts while the change log is followed:
	// not for ever, in case a row was altered by hand.
	followedTTL = time.Minute
	// blindTTL is how long it lasts otherwise.
	blindTTL = 3 * time.Second
	// maxProofs bounds the memory of proofs.
	maxProofs = 4096
)

type digest = [sha256.Size]byte

// proof is a user whose row was read lately, and the HMAC of the password that
// was proven, if one was.
type proof struct {
	login    engine.Login
	password digest
	proven   bool
	until    time.Time
}

// Authenticator proves passwords and tokens.
type Authenticator struct {
	store    Store
	log      *slog.Logger
	key      []byte        // of the HMACs; of this process
	hashing  chan struct{} // argon2 at once: memory and cores are finite
	nobody   string        // the hash that unknown users are checked against
	throttle *throttle

	mu       sync.Mutex
	proofs   map[string]proof
	epoch    uint64 // grows with each change; a proof that began before it is not kept
	followed bool
	secret   []byte            // of tokens, shared by all processes; read at the first use
	names    map[string]string // of users by uuid; a hint
	tokens   map[digest]tokenProof
	used     map[string]time.Time // API tokens since this was last written
	oauth    OAuth
}

// New makes an Authenticator. Run it to have changes forgotten at once.
func New(store Store, log *slog.Logger) *Authenticator {
	key := make([]byte, sha256.Size)
	rand.Read(key)
	return &Authenticator{
		store: store, log: log, key: key,
		hashing:  make(chan struct{}, min(4, max(1, runtime.GOMAXPROCS(0)))),
		nobody:   Hash(engine.Secret(rand.Text())),
		throttle: newThrottle(),
		proofs:   map[string]proof{},
		names:    map[string]string{},
		tokens:   map[digest]tokenProof{},
		used:     map[string]time.Time{},
	}
}

// Authenticate proves a password: engine.ErrUnauthorized when it is wrong,
// engine.ErrThrottled after too many wrong ones.
func (a *Authenticator) Authenticate(ctx context.Context, user string, password engine.Secret) (engine.Identity, error) {
	if password == "" || len(password) > maxPassword || !nameable(user) {
		return engine.Identity{}, engine.ErrUnauthorized
	}
	mac := a.mac(user, password)
	who := user + "\x00" + engine.Peer(ctx)
	// The throttle comes before the memory: that would answer guesses quickly.
	if err := a.throttle.check(who, mac); err != nil {
		return engine.Identity{}, err
	}
	if p, ok := a.recall(user); ok && p.proven && subtle.ConstantTimeCompare(p.password[:], mac[:]) == 1 {
		return p.login.Identity(), nil
	}
	return a.prove(ctx, user, who, password, mac)
}

// nameable reports whether there can be a user of that name at all: the
// database stores no other text.
func nameable(user string) bool {
	return user != "" && len(user) <= maxPassword && utf8.ValidString(user) && !strings.ContainsRune(user, 0)
}

// prove checks a password against the database.
func (a *Authenticator) prove(ctx context.Context, user, who string, password engine.Secret, mac digest) (engine.Identity, error) {
	select {
	case a.hashing <- struct{}{}:
		defer func() { <-a.hashing }()
	case <-ctx.Done():
		return engine.Identity{}, ctx.Err()
	}
	// Whoever waited may find that another request has proven the same.
	if p, ok := a.recall(user); ok && p.proven && subtle.ConstantTimeCompare(p.password[:], mac[:]) == 1 {
		return p.login.Identity(), nil
	}
	epoch := a.now()
	login, err := a.store.Login(ctx, user)
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		return engine.Identity{}, err
	}
	hash := login.Hash
	if hash == "" {
		hash = a.nobody
	}
	ok, err := matches(hash, password)
	if err != nil {
		return engine.Identity{}, err
	}
	if !ok || login.Hash == "" {
		a.throttle.failed(who, mac)
		return engine.Identity{}, engine.ErrUnauthorized
	}
	a.keep(user, epoch, proof{login: login, password: mac, proven: true})
	return login.Identity(), nil
}

// SetPassword replaces a user's password and forgets what was proven with the
// old one.
func (a *Authenticator) SetPassword(ctx context.Context, account, user string, password engine.Secret) error {
	if err := usable(password); err != nil {
		return err
	}
	defer a.Forget(user)
	return a.store.SetPassword(ctx, account, user, Hash(password))
}

// ClearPassword ends a user's logins by password.
func (a *Authenticator) ClearPassword(ctx context.Context, account, user string) error {
	defer a.Forget(user)
	return a.store.SetPassword(ctx, account, user, "")
}

// AddUser makes a user with a password.
func (a *Authenticator) AddUser(ctx context.Context, account, user string, password engine.Secret) error {
	if err := usable(password); err != nil {
		return err
	}
	defer a.Forget(user)
	return a.store.AddUser(ctx, account, user, Hash(password))
}

func usable(password engine.Secret) error {
	switch {
	case password == "":
		return engine.Invalidf("value: a password must not be empty")
	case len(password) > maxPassword:
		return engine.Invalidf("value: a password may have at most %d bytes", maxPassword)
	}
	return nil
}

// Forget drops what is remembered of a user whom this process has just
// altered; empty: of all users. What other processes alter comes through the
// change log.
func (a *Authenticator) Forget(user string) {
	a.forget(user)
	a.throttle.forget(user)
}

// mac binds a password to its user, so that equal passwords do not look equal.
func (a *Authenticator) mac(user string, password engine.Secret) digest {
	h := hmac.New(sha256.New, a.key)
	h.Write([]byte(user))
	h.Write([]byte{0})
	h.Write([]byte(password.Reveal()))
	return digest(h.Sum(nil))
}

func (a *Authenticator) now() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.epoch
}

func (a *Authenticator) recall(user string) (proof, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	p, ok := a.proofs[user]
	if !ok || time.Now().After(p.until) {
		return proof{}, false
	}
	return p, true
}

// keep remembers a proof, unless anything has changed since it was begun: then
// it may be one of a password that is no longer valid.
func (a *Authenticator) keep(user string, epoch uint64, p proof) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.epoch != epoch {
		return
	}
	p.until = time.Now().Add(a.ttl())
	if _, known := a.proofs[user]; !known && len(a.proofs) >= maxProofs {
		for old := range a.proofs { // any: a wrong choice costs one hash
			delete(a.proofs, old)
			break
		}
	}
	a.proofs[user] = p
}

func (a *Authenticator) ttl() time.Duration {
	if a.followed {
		return followedTTL
	}
	return blindTTL
}

// forget drops what is remembered of one user, or of all when user is empty.
func (a *Authenticator) forget(user string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.epoch++
	clear(a.tokens) // rarely many, and each costs one lookup
	if user == "" {
		clear(a.proofs)
		return
	}
	delete(a.proofs, user)
}
