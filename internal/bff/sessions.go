package bff

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/live"
	"windlass/internal/bff/session"
	"windlass/internal/engine"
)

// How a socket's rights are kept current while it lives. Every change to a
// user, a role, an account or a session is in the change log, which the
// follower of every console reads: whom it concerns is asked for again at once.
// What ends by time alone is asked for when its time has come, and all of them
// now and then. A session that
// has ended takes its sockets with it; other rights reach them, and are told.

// subscriber begins the subscription of a request's session.
func (s *Server) subscriber(c *fiber.Ctx) *subscription {
	found := s.session(c)
	sub := &subscription{hash: found.Hash}
	sub.until.Store(mayEnd(found))
	path := c.Path()
	sub.stay = func(who engine.Identity) bool {
		a, _ := pageActionOf(path)
		return a.allows(who)
	}
	sub.wish.Store(&wish{who: found.Identity})
	return sub
}

// recheckEvery bounds how long a session is believed in without a word of the
// change log: an engine behind an address has none that tells of all.
const recheckEvery = 30 * time.Second

// mayEnd is the first moment at which a session can have ended by itself.
func mayEnd(s engine.Session) int64 {
	end := s.ExpiresAt
	if next := time.Now().Add(recheckEvery); next.Before(end) {
		end = next
	}
	if idle := s.SeenAt.Add(session.Idle); idle.Before(end) {
		end = idle
	}
	return end.Unix()
}

// concerns reports whether a change may have ended the session or altered what
// its user may do.
func (sub *subscription) concerns(c engine.Change) bool {
	who := sub.wish.Load().who
	if c.ID == who.User {
		return true
	}
	if c.ID != c.Account { // of another user
		return false
	}
	return who.Account == c.Account || who.Rights != nil && slices.ContainsFunc(who.Rights.Grants, func(g engine.Grant) bool { return g.Account == c.Account })
}

// joined is told of each socket that the hub knows from now on. Its session was
// looked up before that, and a change that was read in between passed it by.
func (s *Server) joined(sub *subscription) {
	s.tabs.add(sub.hash, 1)
	if time.Since(time.Unix(s.doubted.Load(), 0)) < time.Minute {
		sub.doubt.Store(true)
	}
}

// doubtSessions is told of every change.
func (s *Server) doubtSessions(c engine.Change) {
	if c.Kind != engine.ChangeAccount && c.Kind != engine.ChangeSession {
		return
	}
	s.doubted.Store(time.Now().Unix())
	found := false
	s.hub.Each(func(v any) bool {
		if sub := v.(*subscription); sub.concerns(c) {
			sub.doubt.Store(true)
			found = true
		}
		return true
	})
	if found {
		select {
		case s.recheck <- struct{}{}:
		default: // it is to look anyway
		}
	}
}

// watchSessions asks again for the sessions that are in doubt, at once, and
// each second for those whose time may have come.
func (s *Server) watchSessions(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.recheck:
		case <-tick.C:
		}
		s.recheckSessions(ctx, time.Now())
	}
}

func (s *Server) recheckSessions(ctx context.Context, now time.Time) {
	var list []*subscription
	s.hub.Each(func(v any) bool {
		if sub := v.(*subscription); sub.doubt.Load() || sub.until.Load() <= now.Unix() {
			list = append(list, sub)
		}
		return true
	})
	slices.SortFunc(list, func(a, b *subscription) int { return bytes.Compare(a.hash, b.hash) })
	for len(list) > 0 && ctx.Err() == nil {
		n := 1
		for n < len(list) && bytes.Equal(list[n].hash, list[0].hash) {
			n++
		}
		s.recheckSession(ctx, list[:n])
		list = list[n:]
	}
}

// recheckSession brings the sockets of one session up to date. While the
// engine cannot say, they stay in doubt: they hear nothing new then either.
func (s *Server) recheckSession(ctx context.Context, subs []*subscription) {
	hash := subs[0].hash
	for _, sub := range subs {
		sub.doubt.Store(false) // before the question: what changes after it is asked for again
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	found, err := s.engine.Session(ctx, hash, session.Idle, false)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		s.endSockets(hash)
		return
	case err != nil:
		for _, sub := range subs {
			sub.doubt.Store(true)
		}
		return
	}
	for _, sub := range subs {
		sub.until.Store(mayEnd(found))
		w := sub.wish.Load()
		if sameRights(w.who, found.Identity) {
			continue
		}
		if !sub.stay(found.Identity) {
			s.hub.Kick(live.CodeSignedOut, "not allowed any more", func(v any) bool { return v == sub })
			continue
		}
		for !sub.wish.CompareAndSwap(w, s.live.as(found.Identity, w)) { // the page asks at this moment
			w = sub.wish.Load()
		}
		s.hub.Offer(0, func(v any) []byte {
			if v != sub {
				return nil
			}
			return encode(frame{Do: doRights})
		})
	}
}

// sameRights compares what two looks at a user gave. Grants come in no order.
func sameRights(a, b engine.Identity) bool {
	return reflect.DeepEqual(inOrder(a), inOrder(b))
}

func inOrder(who engine.Identity) engine.Identity {
	if who.Rights == nil {
		return who
	}
	r := *who.Rights
	r.Grants = slices.SortedFunc(slices.Values(r.Grants), func(a, b engine.Grant) int {
		return cmp.Or(cmp.Compare(a.Account, b.Account), cmp.Compare(a.Role, b.Role))
	})
	who.Rights = &r
	return who
}

// endSockets closes the sockets of a session that has ended.
func (s *Server) endSockets(hash []byte) {
	s.hub.Kick(live.CodeSignedOut, "signed out", func(v any) bool { return bytes.Equal(v.(*subscription).hash, hash) })
}

// tabs counts the sockets of each session: nobody needs more pages than that,
// and each costs memory.
type tabs struct {
	mu sync.Mutex
	n  map[string]int
}

const maxTabs = 250

func (t *tabs) full(hash []byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.n[string(hash)] >= maxTabs
}

func (t *tabs) add(hash []byte, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.n == nil {
		t.n = map[string]int{}
	}
	if t.n[string(hash)] += n; t.n[string(hash)] == 0 {
		delete(t.n, string(hash))
	}
}
