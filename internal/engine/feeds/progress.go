package feeds

import (
	"context"
	"errors"
	"os"
	"sync"
	"time"

	"windlass/internal/engine"
)

// reportEvery spaces the announcements of progress: four a second are as many
// as an eye takes in, and each is a transaction.
const reportEvery = 250 * time.Millisecond

// steps is where progress is written.
type steps interface {
	StepFeedSync(ctx context.Context, id int64, stage engine.FeedStage, done, total int64) error
}

// progress is how far a sync has come. The work sets numbers as often as it
// likes; a goroutine of its own writes them at a bearable rate, and ends the
// sync when it finds that someone cancelled it.
type progress struct {
	mu          sync.Mutex
	at          engine.FeedStage
	done, total int64
	dirty       bool

	kick chan struct{}
	end  context.CancelFunc
	over chan struct{}
}

func newProgress(ctx context.Context, to steps, id int64, cancel context.CancelCauseFunc) *progress {
	ctx, end := context.WithCancel(ctx)
	p := &progress{kick: make(chan struct{}, 1), end: end, over: make(chan struct{})}
	go func() {
		defer close(p.over)
		tick := time.NewTicker(reportEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-p.kick:
			case <-tick.C:
			}
			p.mu.Lock()
			at, done, total, dirty := p.at, p.done, p.total, p.dirty
			p.dirty = false
			p.mu.Unlock()
			if !dirty {
				continue
			}
			if err := to.StepFeedSync(ctx, id, at, done, total); errors.Is(err, engine.ErrConflict) {
				cancel(errCancelled)
				return
			}
		}
	}()
	return p
}

// stage enters a stage, announced at once.
func (p *progress) stage(s engine.FeedStage) {
	p.mu.Lock()
	p.at, p.done, p.total, p.dirty = s, 0, 0, true
	p.mu.Unlock()
	select {
	case p.kick <- struct{}{}:
	default:
	}
}

func (p *progress) set(done, total int64) {
	p.mu.Lock()
	p.dirty = p.dirty || done != p.done || total != p.total
	p.done, p.total = done, total
	p.mu.Unlock()
}

// follow takes the growth of a file for progress, until stop is called: the
// indexes add about half to a database.
func (p *progress) follow(file string, size int64) (stop func()) {
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(reportEvery)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
			}
			if st, err := os.Stat(file); err == nil {
				p.set(min(max(st.Size()-size, 0), size/2), size/2)
			}
		}
	})
	return func() { close(done); wg.Wait() }
}

// stop ends the reports and waits for the last: what is written after it is the
// outcome. It may be called again.
func (p *progress) stop() {
	p.end()
	<-p.over
}
