// Package enginetest gives the console's tests an engine made by hand: sign-in,
// sessions, services and changes work in memory, and whatever else a page asks
// for, its test adds by embedding Fake and writing the few methods.
package enginetest

import (
	"context"
	"slices"
	"sync"
	"time"

	"windlass/internal/bff"
	"windlass/internal/engine"
)

// Password signs in every user of the fake.
const Password = "correct horse"

// Fake is an engine in memory. The embedded Engine is nil: a method that is
// not written panics, which is what a test wants to know.
type Fake struct {
	bff.Engine

	Records []engine.Service
	History []engine.ServiceTransition
	Sum     engine.Overview
	Log     EventLog
	Kept    EventsKept
	Guide   []engine.Check // what the checks say
	Verdict engine.VerdictCounts
	Lines   []engine.LogLine // of all services

	mu       sync.Mutex
	sessions map[string]engine.Session
	prefs    map[string]engine.Preferences // by user
	changes  []engine.Change
	asked    []engine.CheckQuery // for checks
	retried  []string            // account/cause
	wake     chan struct{}
}

// New is a fake engine with its five services up on host-1.
func New() *Fake {
	f := &Fake{sessions: map[string]engine.Session{}, prefs: map[string]engine.Preferences{}, wake: make(chan struct{})}
	now := time.Now()
	for i, name := range engine.ServiceNames {
		f.Records = append(f.Records, engine.Service{
			Name: name, Host: "host-1", BaseURL: "http://127.0.0.1:" + []string{"8228", "8082", "8087", "8083", "8084"}[i],
			State: engine.ServiceAvailable, StartedAt: now.Add(-5 * time.Hour), HeartbeatAt: now.Add(-2 * time.Second), Since: now.Add(-5 * time.Hour),
			Detail: engine.ServiceDetail{Up: true, Available: true, Message: "all good", Version: engine.Version, DBVersion: engine.DBVersion},
		})
	}
	f.Sum.Images = map[engine.AnalysisState]int64{}
	return f
}

// Feeds is one feed, synced an hour ago: services and data are what "ready" means.
func (f *Fake) Feeds(context.Context) ([]engine.Feed, error) {
	return []engine.Feed{{Name: "vulnerabilities", Enabled: true, LastSync: time.Now().Add(-time.Hour)}}, nil
}

// Change commits a change: it is numbered and wakes those who watch.
func (f *Fake) Change(kind engine.ChangeKind, account, id string) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := engine.Change{Seq: int64(len(f.changes) + 1), Kind: kind, Account: account, ID: id, At: time.Now()}
	f.changes = append(f.changes, c)
	close(f.wake)
	f.wake = make(chan struct{})
	return c.Seq
}

// Set alters what the fake answers with, safely while it is being asked.
func (f *Fake) Set(alter func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	alter()
}

func (f *Fake) Authenticate(_ context.Context, user string, password engine.Secret) (engine.Identity, error) {
	if password.Reveal() != Password {
		return engine.Identity{}, engine.ErrUnauthorized
	}
	return engine.Identity{User: user, Account: user, Admin: user == engine.AdminUser}, nil
}

func (f *Fake) Authorization(_ context.Context, who engine.Identity) (engine.Secret, error) {
	return engine.Secret("Bearer token-of-" + who.User), nil
}

func (f *Fake) AddSession(_ context.Context, s engine.Session) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sessions[string(s.Hash)] = s
	return nil
}

func (f *Fake) Session(_ context.Context, hash []byte, _ time.Duration, _ bool) (engine.Session, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	s, ok := f.sessions[string(hash)]
	if !ok || !s.ExpiresAt.IsZero() && s.ExpiresAt.Before(time.Now()) {
		return s, engine.ErrNotFound
	}
	s.Preferences = f.prefs[s.User]
	return s, nil
}

func (f *Fake) EndSession(_ context.Context, hash []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.sessions, string(hash))
	return nil
}

func (f *Fake) SetPreferences(_ context.Context, user string, change engine.Preferences) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.prefs[user] = change.Or(f.prefs[user])
	return nil
}

func (f *Fake) Services(context.Context) ([]engine.Service, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.Records), nil
}

func (f *Fake) ServiceHistory(_ context.Context, since time.Time) ([]engine.ServiceTransition, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.History), nil
}

// LogLines gives the newest of the lines of the services that are asked for.
func (f *Fake) LogLines(_ context.Context, q engine.LogQuery) (engine.LogPage, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var page engine.LogPage
	for _, l := range f.Lines {
		if (len(q.Services) == 0 || slices.Contains(q.Services, l.Service)) && (len(q.Hosts) == 0 || slices.Contains(q.Hosts, l.Host)) {
			page.Lines = append(page.Lines, l)
		}
	}
	if q.Limit > 0 && len(page.Lines) > q.Limit {
		page.Lines = page.Lines[len(page.Lines)-q.Limit:]
	}
	return page, nil
}

// LogHosts are the hosts of the records; host-1 answers.
func (f *Fake) LogHosts(context.Context) ([]engine.LogHost, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	hosts := []engine.LogHost{{Name: "host-1", Own: true}}
	for _, s := range f.Records {
		i := slices.IndexFunc(hosts, func(h engine.LogHost) bool { return h.Name == s.Host })
		if i < 0 {
			i = len(hosts)
			hosts = append(hosts, engine.LogHost{Name: s.Host})
		}
		hosts[i].Services = append(hosts[i].Services, s.Name)
	}
	return hosts, nil
}

func (f *Fake) RemoveService(_ context.Context, name, host string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, s := range f.Records {
		if s.Name == name && s.Host == host {
			if s.Up() {
				return engine.Conflictf("%s on %s is up.", name, host)
			}
			f.Records = slices.Delete(f.Records, i, i+1)
			return nil
		}
	}
	return engine.ErrNotFound
}

func (f *Fake) Overview(context.Context, string) (engine.Overview, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Sum, nil
}

func (f *Fake) VerdictCounts(context.Context, string) (engine.VerdictCounts, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Verdict, nil
}

func (f *Fake) LastChange(context.Context) (int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return int64(len(f.changes)), nil
}

func (f *Fake) Watch(ctx context.Context, after int64, each func(engine.Change) error) error {
	for {
		f.mu.Lock()
		list, wake := slices.Clone(f.changes[min(int(after), len(f.changes)):]), f.wake
		f.mu.Unlock()
		for _, c := range list {
			if err := each(c); err != nil {
				return err
			}
			after = c.Seq
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil
		}
	}
}
