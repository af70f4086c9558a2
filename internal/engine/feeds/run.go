package feeds

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"windlass/internal/engine"
)

// firstPause is how long a failed periodic sync waits before its first retry.
const firstPause = 30 * time.Second

// keepSyncs is how much history of syncs is kept.
const keepSyncs = 500

// Run syncs soon after the start and then every interval, until ctx ends. A
// sync that fails is tried again after a growing pause, so that a source that
// comes back is found soon and one that does not is not pressed. With interval
// 0 only what is asked for runs.
func (s *Service) Run(ctx context.Context) error {
	s.mu.Lock()
	s.life = ctx
	s.mu.Unlock()
	defer s.running.Wait()
	again, archives, err := s.recover(ctx)
	if err != nil && ctx.Err() == nil {
		s.log.WarnContext(ctx, "feed recovery failed", "err", err)
	}
	for _, a := range archives {
		if err := s.StartArchive(ctx, a.ID, false); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "upload not resumed", "upload", a.ID, "err", err)
		}
	}
	if s.cfg.Interval <= 0 {
		if again {
			// Its outcome is in the history; whoever asked for it looks there.
			s.Sync(ctx, Manual, false) //nolint:errcheck // logged and recorded
		}
		<-ctx.Done()
		return nil
	}
	failures, cause := 0, ""
	wait := s.untilFirst(ctx)
	for {
		next := time.Now().Add(wait)
		s.mu.Lock()
		s.next = next
		s.mu.Unlock()
		if err := s.store.PlanFeedSync(ctx, next); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "sync plan failed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		j := job{trigger: Periodic, source: s.URL(), quiet: failures > 0, last: cause}
		out, err := s.exclusive(ctx, j, s.syncOnce)
		if ctx.Err() != nil {
			return nil
		}
		switch {
		case err == nil || errors.Is(err, engine.ErrConflict) || errors.Is(err, errCancelled):
			failures, cause, wait = 0, "", s.cfg.Interval
		default:
			failures, cause = failures+1, out.Cause
			wait = backoff(failures, s.cfg.Interval)
		}
		if err := s.store.TrimFeedSyncs(ctx, keepSyncs); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "sync history trim failed", "err", err)
		}
	}
}

// untilFirst is soon, unless the last good sync is so fresh that a restart of
// the program is no reason for another.
func (s *Service) untilFirst(ctx context.Context) time.Duration {
	list, err := s.store.FeedSyncs(ctx, 1)
	if err != nil || len(list) == 0 {
		return time.Second
	}
	last := list[0]
	if _, err := s.store.ActiveFeedData(ctx); err != nil || last.Trigger != Periodic && last.Trigger != Manual {
		return time.Second
	}
	if last.Status != "success" && last.Status != "unchanged" || last.Source != s.URL() {
		return time.Second
	}
	return max(time.Second, min(s.cfg.Interval, time.Until(last.EndedAt.Add(s.cfg.Interval))))
}

// backoff doubles from firstPause up to the interval, a fifth more or less.
func backoff(failures int, most time.Duration) time.Duration {
	d := firstPause << min(failures-1, 12)
	d = min(d, most)
	return d - d/5 + rand.N(max(2*d/5, 1))
}

// recover puts right what a stop in the middle of a sync left, when no sync
// runs elsewhere: leftover files and a record that still says running. It
// reports whether that sync should be done again, and which uploads should.
func (s *Service) recover(ctx context.Context) (bool, []engine.FeedArchive, error) {
	if err := s.prepare(); err != nil {
		return false, nil, err
	}
	release, ok, err := s.store.LockFeeds(ctx)
	if err != nil || !ok {
		return false, nil, err
	}
	defer release()
	s.sweep(ctx)
	archives, err := s.interruptedArchives(ctx)
	if err != nil {
		return false, nil, err
	}
	list, err := s.store.FeedSyncs(ctx, 1)
	if err != nil || len(list) == 0 || list[0].Status != "running" {
		return false, archives, err
	}
	_, err = s.store.EndFeedSync(ctx, list[0].ID, engine.FeedSync{Status: "failure", Cause: CauseInterrupted,
		Message: "The program stopped during this sync; it is done again."}, nil)
	return list[0].Trigger == Manual || list[0].Trigger == Periodic, archives, err
}

// lifetime is the context of syncs started in the background.
func (s *Service) lifetime() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life == nil {
		return context.Background()
	}
	return s.life
}
