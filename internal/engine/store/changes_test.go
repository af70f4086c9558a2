package store_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

var errEnough = errors.New("enough")

// Readers that start in the middle of a stream of commits must see every
// number once and in order.
func TestWatchMissesNothing(t *testing.T) {
	s := enginetest.Store(t)
	const writers, each = 4, 25
	done := make(chan error, writers+1)
	var seen []int64
	go func() {
		done <- s.Watch(t.Context(), 0, func(c engine.Change) error {
			seen = append(seen, c.Seq)
			if len(seen) == writers*each {
				return errEnough
			}
			return nil
		})
	}()
	for w := range writers {
		go func() {
			for i := range each {
				if err := s.Announce(t.Context(), engine.ChangeFeeds, "", fmt.Sprint(w, i), nil); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for range writers + 1 {
		if err := <-done; err != nil && !errors.Is(err, errEnough) {
			t.Fatal(err)
		}
	}
	for i := 1; i < len(seen); i++ {
		if seen[i] <= seen[i-1] {
			t.Fatalf("number %d came after %d", seen[i], seen[i-1])
		}
	}
}

func TestWatchEndsWithItsContext(t *testing.T) {
	s := enginetest.Store(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Watch(ctx, 0, func(engine.Change) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("Watch = %v, want context.Canceled", err)
	}
}
