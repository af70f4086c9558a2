package apiv1

import (
	"context"
	"sync"
)

// share bounds how many do something at once, and of them how many of one
// account, so that nobody can take all there is.
type share struct {
	all chan struct{}
	own int

	mu       sync.Mutex
	accounts map[string]*quota
}

// quota is what one account takes; users are those that hold of it or wait.
type quota struct {
	taken chan struct{}
	users int
}

func newShare(all, own int) *share {
	return &share{all: make(chan struct{}, all), own: own, accounts: map[string]*quota{}}
}

// take waits for a place.
func (s *share) take(ctx context.Context, account string) (release func(), err error) {
	p := s.enter(account)
	if err := hold(ctx, p.taken); err != nil {
		s.leave(account, p)
		return nil, err
	}
	if err := hold(ctx, s.all); err != nil {
		<-p.taken
		s.leave(account, p)
		return nil, err
	}
	return func() {
		<-s.all
		<-p.taken
		s.leave(account, p)
	}, nil
}

func hold(ctx context.Context, places chan struct{}) error {
	select {
	case places <- struct{}{}: // at once, whatever the time
		return nil
	default:
	}
	select {
	case places <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *share) enter(account string) *quota {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.accounts[account]
	if p == nil {
		p = &quota{taken: make(chan struct{}, s.own)}
		s.accounts[account] = p
	}
	p.users++
	return p
}

func (s *share) leave(account string, p *quota) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.users--; p.users == 0 {
		delete(s.accounts, account)
	}
}
