// Package supervise keeps tasks up: a task that returns or panics is started
// again after a growing pause, and a long good run forgives past failures.
package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

const (
	firstPause = time.Second
	maxPause   = time.Minute
	// goodRun is how long a task must have run for its past failures to be
	// forgotten.
	goodRun = time.Minute
)

var errReturned = errors.New("returned without error")

// Keep runs task until ctx ends, and returns nil then. onRestart, when given,
// is told of each failure before the pause.
func Keep(ctx context.Context, log *slog.Logger, name string, task func(context.Context) error, onRestart func(error)) error {
	pause := firstPause
	for {
		began := time.Now()
		err := guard(ctx, task)
		if ctx.Err() != nil {
			return nil
		}
		if time.Since(began) > goodRun {
			pause = firstPause
		}
		log.ErrorContext(ctx, "task restart", "task", name, "pause", pause, "err", err)
		if onRestart != nil {
			onRestart(err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
		pause = min(2*pause, maxPause)
	}
}

// guard turns a panic into an error at the border of the task.
func guard(ctx context.Context, task func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if err := task(ctx); err != nil {
		return err
	}
	return errReturned
}
