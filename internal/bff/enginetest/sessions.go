package enginetest

import (
	"time"

	"windlass/internal/engine"
)

// SignOut ends the sessions of a user, as a console on another host would.
func (f *Fake) SignOut(user string) {
	f.mu.Lock()
	account := ""
	for hash, s := range f.sessions {
		if s.User == user {
			account = s.Account
			delete(f.sessions, hash)
		}
	}
	f.mu.Unlock()
	f.Change(engine.ChangeSession, account, user)
}

// SetIdentity alters who the user of that name is from now on.
func (f *Fake) SetIdentity(who engine.Identity) {
	f.alter(who.User, func(s *engine.Session) { s.Identity = who })
	f.Change(engine.ChangeAccount, who.Account, who.User)
}

// Idle has the user not have been at work for a day.
func (f *Fake) Idle(user string) {
	f.alter(user, func(s *engine.Session) { s.SeenAt = time.Now().Add(-24 * time.Hour) })
}

// Expire has the sessions of a user run out now, with nobody told.
func (f *Fake) Expire(user string) {
	f.alter(user, func(s *engine.Session) { s.ExpiresAt = time.Now() })
}

func (f *Fake) alter(user string, how func(*engine.Session)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for hash, s := range f.sessions {
		if s.User == user {
			how(&s)
			f.sessions[hash] = s
		}
	}
}
