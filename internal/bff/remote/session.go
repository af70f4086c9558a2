package remote

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"sync"
	"time"

	"windlass/internal/engine"
)

// credential is what a question is asked with.
type credential struct {
	user, account string
	password      engine.Secret
	admin         bool
}

// sessions are the console's logins. There is no database to keep them in, and
// passwords are not for disks: they end with the process. In memory a password
// is sealed by a key of this process, so that none stands in the clear beside
// the other fields of a session.
type sessions struct {
	seal  cipher.AEAD
	mu    sync.Mutex
	live  map[string]*login
	likes map[string]engine.Preferences // by user; browsers keep them too
}

type login struct {
	engine.Session
	sealed []byte
	asked  time.Time // when a page or a socket of it last asked for the session
	proven time.Time // when the engine last took the password
}

// maxSessions bounds the memory; the one that was not asked for the longest
// goes first.
const maxSessions = 10000

// proofLasts is how long a password is believed without asking again, so that
// a user who may not sign in any more is out within a minute.
const proofLasts = time.Minute

func newSessions() *sessions {
	key := make([]byte, 32)
	rand.Read(key)
	block, _ := aes.NewCipher(key) // a key of 32 bytes is always taken
	seal, _ := cipher.NewGCM(block)
	return &sessions{seal: seal, live: map[string]*login{}, likes: map[string]engine.Preferences{}}
}

func (s *sessions) close(hash []byte, password engine.Secret) []byte {
	nonce := make([]byte, s.seal.NonceSize())
	rand.Read(nonce)
	return s.seal.Seal(nonce, nonce, []byte(password.Reveal()), hash)
}

func (s *sessions) open(l *login) credential {
	n := s.seal.NonceSize()
	plain, _ := s.seal.Open(nil, l.sealed[:n], l.sealed[n:], l.Hash) // sealed here, a moment ago
	return credential{user: l.User, account: l.Account, password: engine.Secret(plain), admin: l.Admin}
}

func (s *sessions) add(v engine.Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.live) >= maxSessions {
		var oldest *login
		for _, l := range s.live {
			if oldest == nil || l.asked.Before(oldest.asked) {
				oldest = l
			}
		}
		delete(s.live, string(oldest.Hash))
	}
	l := &login{Session: v, sealed: s.close(v.Hash, v.Password), asked: time.Now(), proven: time.Now()}
	l.Password = ""
	s.live[string(v.Hash)] = l
}

// find gives a live session, and its credential when the proof is due.
func (s *sessions) find(hash []byte, idle time.Duration, seen bool) (engine.Session, *credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	l, ok := s.live[string(hash)]
	if ok && (now.After(l.ExpiresAt) || now.Sub(l.SeenAt) > idle) {
		delete(s.live, string(hash))
		ok = false
	}
	if !ok {
		return engine.Session{}, nil, engine.ErrNotFound
	}
	l.asked, l.Preferences = now, s.likes[l.User]
	if seen {
		l.SeenAt = now
	}
	if now.Sub(l.proven) < proofLasts {
		return l.Session, nil, nil
	}
	l.proven = now // of those who ask at once, one asks the engine
	who := s.open(l)
	return l.Session, &who, nil
}

// who is the credential for a question: that of the session it is asked in or,
// where nobody asks, of somebody who is signed in to the account.
func (s *sessions) who(ctx context.Context, account string) (credential, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if hash := engine.SessionOf(ctx); hash != nil {
		if l, ok := s.live[string(hash)]; ok {
			return s.open(l), nil
		}
		return credential{}, engine.ErrUnauthorized
	}
	var best *login
	for _, l := range s.live {
		if (account == "" || l.Account == account) && (best == nil || l.Admin && !best.Admin || l.Admin == best.Admin && l.asked.After(best.asked)) {
			best = l
		}
	}
	if best == nil {
		return credential{}, &engine.Fault{Kind: engine.ErrUnavailable, Message: "Nobody is signed in on whose behalf the engine could be asked."}
	}
	return s.open(best), nil
}

// looking lists a credential for each account whose pages were asked for
// within a time.
func (s *sessions) looking(within time.Duration) []credential {
	s.mu.Lock()
	defer s.mu.Unlock()
	best := map[string]*login{}
	for _, l := range s.live {
		old := best[l.Account]
		if time.Since(l.asked) < within && (old == nil || l.Admin && !old.Admin || l.Admin == old.Admin && l.asked.After(old.asked)) {
			best[l.Account] = l
		}
	}
	var list []credential
	for _, l := range best {
		list = append(list, s.open(l))
	}
	return list
}

// refused ends the sessions of a user whose password is no longer taken.
func (s *sessions) refused(who credential) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for hash, l := range s.live {
		if l.User == who.user && s.open(l).password == who.password {
			delete(s.live, hash)
		}
	}
}

// renew gives the sessions of a user another password.
func (s *sessions) renew(user string, password engine.Secret) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.live {
		if l.User == user {
			l.sealed, l.proven = s.close(l.Hash, password), time.Now()
		}
	}
}

// Authenticate proves a password by a call with it.
func (c *Client) Authenticate(ctx context.Context, user string, password engine.Secret) (engine.Identity, error) {
	id, err := c.identity(ctx, credential{user: user, password: password})
	if err == nil {
		c.learn(ctx) // pages are drawn by what the engine has
	}
	switch {
	case errors.Is(err, engine.ErrForbidden): // of a disabled account, say
		return id, engine.ErrUnauthorized
	case errors.Is(err, engine.ErrUnsupported):
		return id, &engine.Fault{Kind: engine.ErrUnavailable, Message: "What answers at the engine's address does not speak version 1 of the API.", Cause: err}
	}
	return id, err
}

func (c *Client) identity(ctx context.Context, who credential) (engine.Identity, error) {
	var u struct{ Username string }
	if err := c.call(ctx, call{method: "GET", path: "/user", out: &u, as: &who}); err != nil {
		return engine.Identity{}, err
	}
	var a wireAccount
	if err := c.call(ctx, call{method: "GET", path: "/account", out: &a, as: &who}); err != nil {
		return engine.Identity{}, err
	}
	if u.Username == "" || a.Name == "" {
		return engine.Identity{}, c.broken(call{method: "GET", path: "/account"}, errors.New("no name"))
	}
	return engine.Identity{
		User: u.Username, Account: a.Name, Admin: a.Type == engine.AccountAdmin || a.Type == engine.AccountService,
		Disabled: a.State != "" && a.State != string(engine.AccountEnabled),
	}, nil
}

// Authorization is how the console's proxy calls the engine for the user.
func (c *Client) Authorization(ctx context.Context, _ engine.Identity) (engine.Secret, error) {
	who, err := c.sessions.who(ctx, "")
	if err != nil || engine.SessionOf(ctx) == nil {
		return "", errors.Join(engine.ErrUnauthorized, err)
	}
	return engine.Secret(who.header()), nil
}

// AddSession keeps a login, with its password sealed.
func (c *Client) AddSession(_ context.Context, s engine.Session) error {
	if s.Password == "" {
		return errors.New("remote: a session without a password")
	}
	c.sessions.add(s)
	return nil
}

// Session finds a login. Once a minute its password is proven again: an engine
// that cannot be asked ends no session.
func (c *Client) Session(ctx context.Context, hash []byte, idle time.Duration, seen bool) (engine.Session, error) {
	found, due, err := c.sessions.find(hash, idle, seen)
	if err != nil || due == nil {
		return found, err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	id, err := c.identity(ctx, *due)
	switch {
	case errors.Is(err, engine.ErrUnauthorized), err == nil && id.Disabled:
		c.sessions.refused(*due)
		return engine.Session{}, engine.ErrNotFound
	case err != nil:
		return found, nil
	}
	c.sessions.mu.Lock()
	defer c.sessions.mu.Unlock()
	if l := c.sessions.live[string(hash)]; l != nil {
		l.Identity = id
		found = l.Session
	}
	return found, nil
}

// SetPreferences keeps how a user likes the console drawn, for as long as this
// process runs.
func (c *Client) SetPreferences(_ context.Context, user string, change engine.Preferences) error {
	c.sessions.mu.Lock()
	defer c.sessions.mu.Unlock()
	if _, known := c.sessions.likes[user]; known || len(c.sessions.likes) < maxSessions {
		c.sessions.likes[user] = change.Or(c.sessions.likes[user])
	}
	return nil
}

// EndSession signs out.
func (c *Client) EndSession(_ context.Context, hash []byte) error {
	c.sessions.mu.Lock()
	defer c.sessions.mu.Unlock()
	delete(c.sessions.live, string(hash))
	return nil
}

// UserSessions lists the logins of a user at this console.
func (c *Client) UserSessions(_ context.Context, user string, idle time.Duration) ([]engine.Session, error) {
	c.sessions.mu.Lock()
	defer c.sessions.mu.Unlock()
	var list []engine.Session
	for _, l := range c.sessions.live {
		if now := time.Now(); l.User == user && now.Before(l.ExpiresAt) && now.Sub(l.SeenAt) <= idle {
			list = append(list, l.Session)
		}
	}
	return list, nil
}

// EndUserSessions signs a user out everywhere but in the session of a hash.
func (c *Client) EndUserSessions(_ context.Context, user string, keep []byte) ([][]byte, error) {
	c.sessions.mu.Lock()
	defer c.sessions.mu.Unlock()
	var ended [][]byte
	for hash, l := range c.sessions.live {
		if l.User == user && !bytes.Equal(l.Hash, keep) {
			ended = append(ended, l.Hash)
			delete(c.sessions.live, hash)
		}
	}
	return ended, nil
}
