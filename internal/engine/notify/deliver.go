package notify

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"windlass/internal/engine"
)

const (
	// poll is how soon after its transaction a notification is seen.
	poll = time.Second
	// laneHands is how many attempts run at once at one webhook of this host.
	laneHands = 4
	// maxLanes is how many webhooks of accounts are posted to at once from this
	// host; those of the settings are few and come on top.
	maxLanes = 32
	// turn is how long a webhook with a backlog keeps its lane while others
	// wait for one.
	turn = 10 * time.Second
	// leaseGrace is what an attempt may take beside the request itself.
	leaseGrace = 30 * time.Second
	// firstPause doubles with each attempt, up to maxPause.
	firstPause = time.Second
	maxPause   = 10 * time.Minute
	// lastGap is how much time must be left for a last attempt to be worth it.
	lastGap = time.Second
)

// Queue is what delivery asks of the store.
type Queue interface {
	DueWebhooks(ctx context.Context) ([]string, error)
	TakeNotifications(ctx context.Context, webhook string, n int, lease time.Duration) ([]engine.Notification, error)
	EndNotification(ctx context.Context, n engine.Notification) error
	Receiver(ctx context.Context, id string) (engine.Webhook, error)
}

// Deliverer posts notifications that are due.
type Deliverer struct {
	Queue    Queue
	Client   *Client
	Settings Settings
	// Record gives an event its form on the wire.
	Record func(engine.Event) any
	Log    *slog.Logger

	mu     sync.Mutex
	lanes  map[string]bool  // webhooks that are being posted to
	taken  int              // lanes of accounts' webhooks
	served map[string]int64 // number of the last turn of those that have a backlog
	turns  int64
}

// Run delivers until ctx ends.
func (d *Deliverer) Run(ctx context.Context) error {
	g, lanes := errgroup.WithContext(ctx)
	g.Go(func() error {
		tick := time.NewTicker(poll)
		defer tick.Stop()
		for {
			if err := d.open(lanes, g); err != nil {
				return err
			}
			select {
			case <-lanes.Done():
				return lanes.Err()
			case <-tick.C:
			}
		}
	})
	if err := g.Wait(); ctx.Err() == nil {
		return err
	}
	return nil
}

// open starts a lane for every webhook that has something due and none yet, as
// far as there are lanes. Who has waited longest for a turn goes first.
func (d *Deliverer) open(ctx context.Context, g *errgroup.Group) error {
	due, err := d.Queue.DueWebhooks(ctx)
	if err != nil {
		return err
	}
	for _, id := range d.claim(due) {
		g.Go(func() error {
			drained, err := d.lane(ctx, id)
			d.release(id, drained)
			return err
		})
	}
	return nil
}

// claim gives lanes to webhooks and says which got one.
func (d *Deliverer) claim(due []string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.lanes == nil {
		d.lanes, d.served = map[string]bool{}, map[string]int64{}
	}
	slices.SortStableFunc(due, func(a, b string) int { return cmp.Compare(d.served[a], d.served[b]) })
	var got []string
	for _, id := range due {
		if d.lanes[id] || !ofSettings(id) && d.taken >= maxLanes {
			continue
		}
		if !ofSettings(id) {
			d.taken++
		}
		d.lanes[id] = true
		got = append(got, id)
	}
	return got
}

func (d *Deliverer) release(id string, drained bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.lanes, id)
	if !ofSettings(id) {
		d.taken--
	}
	if d.turns++; drained {
		delete(d.served, id)
	} else {
		d.served[id] = d.turns
	}
}

func ofSettings(id string) bool { return strings.HasPrefix(id, engine.WebhookSetting) }

// lane delivers what is due at one webhook until nothing is (true) or its turn
// is over.
func (d *Deliverer) lane(ctx context.Context, webhook string) (bool, error) {
	for began := time.Now(); time.Since(began) < turn; {
		n, err := d.step(ctx, webhook)
		if err != nil || n == 0 {
			return n == 0, err
		}
	}
	return false, nil
}

// step takes a handful of notifications, posts them side by side and stores how
// each attempt ended. It reports how many there were.
func (d *Deliverer) step(ctx context.Context, webhook string) (int, error) {
	s := d.Settings.WithDefaults()
	list, err := d.Queue.TakeNotifications(ctx, webhook, laneHands, s.Timeout+leaseGrace)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	w, err := d.Queue.Receiver(ctx, webhook)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return len(list), d.giveUp(ctx, list, "its webhook was removed")
	case err != nil:
		return 0, err
	case !w.Enabled:
		return len(list), d.giveUp(ctx, list, "its webhook is switched off")
	}
	g, ctx := errgroup.WithContext(ctx)
	for _, n := range list {
		g.Go(func() error {
			began := time.Now()
			a, err := d.post(ctx, w, n)
			if ctx.Err() != nil {
				return ctx.Err() // we stop: the lease lapses and it is offered again
			}
			n.Took = time.Since(began)
			// By the database's clock, which gave TriedAt.
			return d.Queue.EndNotification(ctx, d.judge(ctx, n, w, a, err, n.TriedAt.Add(n.Took)))
		})
	}
	return len(list), g.Wait()
}

// giveUp ends notifications that have nowhere to go.
func (d *Deliverer) giveUp(ctx context.Context, list []engine.Notification, why string) error {
	for _, n := range list {
		n.State, n.Error, n.NextTry = engine.DeliveryFailed, why, time.Time{}
		if err := d.Queue.EndNotification(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (d *Deliverer) post(ctx context.Context, w engine.Webhook, n engine.Notification) (Answer, error) {
	raw, err := body(n, d.Settings.WithDefaults().Retry, d.Record)
	if err != nil {
		return Answer{}, err
	}
	return d.Client.Post(ctx, w, n.Account, n.Type, raw)
}

// judge says where a notification stands after an attempt.
func (d *Deliverer) judge(ctx context.Context, n engine.Notification, w engine.Webhook, a Answer, err error, now time.Time) engine.Notification {
	n.Status, n.Error, n.NextTry = a.Status, "", time.Time{}
	about := []any{"notification", n.ID, "type", n.Type, "account", n.Account, "webhook", n.Webhook, "attempt", n.Attempts}
	if err == nil {
		n.State = engine.DeliveryDelivered
		d.Log.DebugContext(ctx, "notification delivered", about...)
		return n
	}
	n.Error = err.Error()
	if n.NextTry = nextTry(n, d.Settings.WithDefaults().Retry, now); n.NextTry.IsZero() || w.URL == "" {
		n.State, n.NextTry = engine.DeliveryFailed, time.Time{}
		d.Log.WarnContext(ctx, "notification failed", append(about, "err", err)...)
		return n
	}
	n.State = engine.DeliveryPending
	d.Log.InfoContext(ctx, "notification retry", append(about, "err", err)...)
	return n
}

// nextTry is when to try again after a failure, or zero when that is over. The
// last attempt is made when the time ends, whatever the pauses are by then.
func nextTry(n engine.Notification, retry time.Duration, now time.Time) time.Time {
	end := n.QueuedAt.Add(retry)
	if end.Sub(now) < lastGap {
		return time.Time{}
	}
	pause := min(firstPause<<min(n.Attempts-1, 20), maxPause)
	next := now.Add(pause)
	if end.Sub(next) < lastGap {
		return end
	}
	return next
}
