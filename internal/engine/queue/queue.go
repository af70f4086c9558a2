// Package queue works jobs off: leased, fenced, and given back in order.
//
// A worker leases a job for a short time and extends the lease while it works.
// Dead workers stop extending, so their jobs are offered again when the lease
// lapses; slow workers that lost a lease find out when they extend or finish,
// since attempt and generation no longer agree, and their result is dropped.
// No lease is held inside an open transaction. The handler removes the job in
// the transaction that stores its result; Worker only gives back what the
// handler left.
package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"golang.org/x/sync/errgroup"

	"windlass/internal/engine"
)

// TTL is how long a lease lasts without being extended: the longest a killed
// worker's job waits before another takes it.
const TTL = 15 * time.Second

// extendEvery leaves room for two failed extensions within a lease.
const extendEvery = TTL / 4

// poll is how often a worker looks without being called, in case a
// notification was lost.
const poll = 10 * time.Second

// Jobs is what a worker asks of the store.
type Jobs interface {
	LeaseJob(ctx context.Context, queue, host, worker string, ttl time.Duration) (engine.Job, bool, error)
	ExtendLease(ctx context.Context, j engine.Job, ttl time.Duration) error
	RetryJob(ctx context.Context, j engine.Job, pause time.Duration, cause string) error
	ReleaseJob(ctx context.Context, j engine.Job) error
	NextJobAt(ctx context.Context, queue, host string) (time.Time, error)
	WaitForJob(ctx context.Context, queue, host string, until time.Time) error
	TellWorker(ctx context.Context, queue, host, worker string, hands int) error
	EndWorker(ctx context.Context, queue, worker string) error
}

// Worker works one queue off with a number of hands.
type Worker struct {
	Queue string
	Host  string // of this process: takes jobs pinned to it
	ID    string // of this process; a new one each start, so that leases of the one before are seen as another's
	Hands int    // jobs at once, at least 1
	Jobs  Jobs
	Log   *slog.Logger
	// Handle does one job and, on success, removes it with its result. Its
	// context ends when the lease is lost or the worker stops. A job that is
	// still held after an error is offered again after a growing pause.
	Handle func(ctx context.Context, j engine.Job) error
}

// Run works until ctx ends and returns nil then; leases of jobs in hand are
// given back first.
func (w *Worker) Run(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(w.Hands, 1) + 2)
	g.Go(func() error {
		w.tell(gctx)
		return nil
	})
	free := make(chan struct{}, max(w.Hands, 1))
	g.Go(func() error {
		for {
			select {
			case <-gctx.Done():
				return nil
			case free <- struct{}{}:
			}
			j, ok, err := w.next(gctx)
			if err != nil || !ok {
				return err
			}
			g.Go(func() error {
				defer func() { <-free }()
				w.do(gctx, j)
				return nil
			})
		}
	})
	err := g.Wait()
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// tellEvery is how often a worker says that it is there.
const tellEvery = 5 * time.Second

// tell says that this worker is there until ctx ends, and then that it is gone.
// Messages are worked off just as well when that cannot be stored.
func (w *Worker) tell(ctx context.Context) {
	tick := time.NewTicker(tellEvery)
	defer tick.Stop()
	for {
		if err := w.Jobs.TellWorker(ctx, w.Queue, w.Host, w.ID, max(w.Hands, 1)); err != nil && ctx.Err() == nil {
			w.Log.WarnContext(ctx, "worker not told", "queue", w.Queue, "err", err)
		}
		select {
		case <-ctx.Done():
			after, cancel := context.WithTimeout(context.WithoutCancel(ctx), tellEvery)
			defer cancel()
			if err := w.Jobs.EndWorker(after, w.Queue, w.ID); err != nil {
				w.Log.WarnContext(after, "worker not ended", "queue", w.Queue, "err", err)
			}
			return
		case <-tick.C:
		}
	}
}

// next waits for a job; false when ctx has ended.
func (w *Worker) next(ctx context.Context) (engine.Job, bool, error) {
	for ctx.Err() == nil {
		j, ok, err := w.Jobs.LeaseJob(ctx, w.Queue, w.Host, w.ID, TTL)
		if err != nil || ok {
			return j, ok, err
		}
		if err := w.wait(ctx); err != nil {
			return engine.Job{}, false, err
		}
	}
	return engine.Job{}, false, nil
}

func (w *Worker) wait(ctx context.Context) error {
	now := time.Now()
	until := now.Add(poll)
	next, err := w.Jobs.NextJobAt(ctx, w.Queue, w.Host)
	if err != nil {
		return err
	}
	if !next.IsZero() && next.Before(until) {
		until = next
		// Never less than a moment: the clocks of database and host differ.
		if least := now.Add(50 * time.Millisecond); until.Before(least) {
			until = least
		}
	}
	return w.Jobs.WaitForJob(ctx, w.Queue, w.Host, until)
}

func (w *Worker) do(ctx context.Context, j engine.Job) {
	held, lose := context.WithCancelCause(ctx)
	kept := make(chan struct{})
	go func() {
		defer close(kept)
		w.keep(held, j, lose)
	}()
	err := w.handle(held, j)
	lose(nil)
	<-kept
	log := w.Log.With("queue", w.Queue, "job", j.ID, "subject", j.Subject, "attempt", j.Attempt)
	after := context.WithoutCancel(ctx)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		if err := w.Jobs.ReleaseJob(after, j); err != nil {
			log.WarnContext(after, "lease release failed", "err", err)
		}
	case errors.Is(err, engine.ErrLeaseLost) || errors.Is(context.Cause(held), engine.ErrLeaseLost):
		log.WarnContext(ctx, "lease lost")
	default:
		pause := Pause(j.Attempt, 0)
		log.ErrorContext(ctx, "job failed", "retry_in", pause, "err", err)
		if err := w.Jobs.RetryJob(after, j, pause, err.Error()); err != nil && !errors.Is(err, engine.ErrLeaseLost) {
			log.WarnContext(after, "job retry failed", "err", err)
		}
	}
}

// keep extends the lease until the job ends or the lease is lost.
func (w *Worker) keep(ctx context.Context, j engine.Job, lose context.CancelCauseFunc) {
	tick := time.NewTicker(extendEvery)
	defer tick.Stop()
	last := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		err := w.Jobs.ExtendLease(ctx, j, TTL)
		switch {
		case err == nil:
			last = time.Now()
		case ctx.Err() != nil:
			return
		case errors.Is(err, engine.ErrLeaseLost) || time.Since(last) > TTL:
			lose(engine.ErrLeaseLost)
			return
		}
	}
}

// handle turns a panic of one job into its error: the others go on.
func (w *Worker) handle(ctx context.Context, j engine.Job) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return w.Handle(ctx, j)
}
