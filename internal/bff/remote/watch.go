package remote

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"windlass/internal/engine"
)

// changes is the log of what was seen to change: v1 has none to follow. Its
// numbers begin with the time of the start, so that they grow over restarts and
// a browser that comes back with an old one is told to fetch everything.
type changes struct {
	mu   sync.Mutex
	last int64
	list []engine.Change
	wake chan struct{}
}

// keptChanges is how many changes a reader may be behind.
const keptChanges = 2000

func newChanges() *changes {
	return &changes{last: time.Now().UnixMicro(), wake: make(chan struct{})}
}

func (l *changes) add(account string, kind engine.ChangeKind, id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	l.list = append(l.list, engine.Change{Seq: l.last, Kind: kind, Account: account, ID: id, At: time.Now()})
	if len(l.list) > 2*keptChanges {
		l.list = slices.Clone(l.list[keptChanges:])
	}
	close(l.wake)
	l.wake = make(chan struct{})
}

// altered tells of a change that was made from here.
func (c *Client) altered(account string, kind engine.ChangeKind, id string) {
	c.recent.forget(account)
	c.changes.add(account, kind, id)
}

// LastChange is the number of the newest change.
func (c *Client) LastChange(context.Context) (int64, error) {
	c.changes.mu.Lock()
	defer c.changes.mu.Unlock()
	return c.changes.last, nil
}

// Watch calls each with every change after a number.
func (c *Client) Watch(ctx context.Context, after int64, each func(engine.Change) error) error {
	for {
		c.changes.mu.Lock()
		from := len(c.changes.list)
		for from > 0 && c.changes.list[from-1].Seq > after {
			from--
		}
		list, wake := slices.Clone(c.changes.list[from:]), c.changes.wake
		c.changes.mu.Unlock()
		for _, v := range list {
			if err := each(v); err != nil {
				return err
			}
			after = v.Seq
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil
		}
	}
}

const (
	// lookingFor is how long after the last page or socket asked for its session
	// somebody counts as looking: sockets ask every 30 s.
	lookingFor = 90 * time.Second
	// slowest is the longest pause between looks at an engine that does not
	// answer.
	slowest = time.Minute
)

// watch looks for changes while somebody looks at pages, at the pace of the
// client, and ever more slowly at an engine that does not answer.
func (c *Client) watch(ctx context.Context) {
	w := &watcher{c: c, seen: map[string]*sight{}}
	pause := c.pace
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			if pause == c.pace {
				c.log.WarnContext(ctx, "engine silent", "address", c.base.Host, "error", err)
			}
			pause = min(2*pause, slowest)
		default:
			if pause > c.pace {
				c.log.InfoContext(ctx, "engine answers", "address", c.base.Host)
			}
			pause = c.pace
		}
	}
}

// watcher remembers what it saw last, by account.
type watcher struct {
	c     *Client
	round int
	seen  map[string]*sight
	whole map[string]string // what is everybody's: services by key
	feeds string
}

// sight is what was last seen of an account.
type sight struct {
	at     time.Time         // of the newest event
	events map[string]bool   // those of that moment
	images map[string]string // state by digest
	lists  map[string]string // sums of whole lists
}

// Every so many rounds what is larger, or changes less, is looked at.
const (
	everyImages = 2
	everyFeeds  = 3
	everyLists  = 8
)

// look makes one round. What was not looked at for a while, since nobody was
// there, is taken as it is found: pages that are opened then show it.
func (w *watcher) look(ctx context.Context) error {
	list := w.c.sessions.looking(lookingFor)
	if len(list) == 0 {
		clear(w.seen)
		w.whole, w.feeds = nil, ""
		return nil
	}
	w.c.learn(ctx)
	w.round++
	var errs []error
	errs = append(errs, w.services(ctx, list[0]))
	if w.round%everyFeeds == 1 {
		errs = append(errs, w.feedGroups(ctx, list[0]))
	}
	present := map[string]bool{}
	for _, who := range list {
		present[who.account] = true
		s := w.seen[who.account]
		if s == nil {
			s = &sight{lists: map[string]string{}}
			w.seen[who.account] = s
		}
		errs = append(errs, w.events(ctx, who, s))
		if w.round%everyImages == 1 {
			errs = append(errs, w.images(ctx, who, s))
		}
		if w.round%everyLists == 1 {
			errs = append(errs, w.list(ctx, who, s, "/registries", engine.ChangeRegistry),
				w.list(ctx, who, s, "/subscriptions", engine.ChangeSubscription), w.list(ctx, who, s, "/policies", engine.ChangePolicy))
		}
	}
	for account := range w.seen {
		if !present[account] {
			delete(w.seen, account)
		}
	}
	// What this user may not see is no trouble of the engine's.
	for n, err := range errs {
		if errors.Is(err, engine.ErrForbidden) || errors.Is(err, engine.ErrUnauthorized) || errors.Is(err, engine.ErrUnsupported) {
			errs[n] = nil
		}
	}
	return errors.Join(errs...)
}

func (w *watcher) services(ctx context.Context, who credential) error {
	var all struct {
		States []wireService `json:"service_states"`
	}
	err := w.c.call(ctx, call{method: "GET", path: "/system", out: &all, as: &who})
	if err != nil {
		if w.whole != nil {
			w.whole = nil
			w.tell("", engine.ChangeService, "") // pages say that it is down
		}
		return err
	}
	now := map[string]string{}
	list := make([]engine.Service, 0, len(all.States))
	for _, s := range all.States {
		list = append(list, serviceOf(s))
	}
	w.c.health.note(list, time.Now())
	for _, v := range list {
		now[v.Key()] = fmt.Sprint(v.State, v.Detail, v.BaseURL)
	}
	if w.whole == nil {
		w.tell("", engine.ChangeService, "")
	}
	w.differences("", engine.ChangeService, engine.ChangeService, w.whole, now)
	w.whole = now
	return nil
}

// differences tells of what is new, other or gone, where something was known.
func (w *watcher) differences(account string, kind, gone engine.ChangeKind, was, now map[string]string) {
	if was == nil {
		return
	}
	for key, v := range now {
		if old, ok := was[key]; !ok || old != v {
			w.tell(account, kind, key)
		}
	}
	for key := range was {
		if _, ok := now[key]; !ok {
			w.tell(account, gone, key)
		}
	}
}

func (w *watcher) tell(account string, kind engine.ChangeKind, id string) {
	w.c.altered(account, kind, id)
}

func (w *watcher) feedGroups(ctx context.Context, who credential) error {
	var all []wireFeed
	if err := w.c.call(ctx, call{method: "GET", path: "/system/feeds", out: &all, as: &who}); err != nil {
		return err
	}
	now := sum(fmt.Sprintf("%+v", feedsOf(all)))
	if w.feeds != "" && w.feeds != now {
		w.tell("", engine.ChangeFeeds, "")
	}
	w.feeds = now
	return nil
}

func feedsOf(all []wireFeed) []engine.Feed {
	var list []engine.Feed
	for _, f := range all {
		list = append(list, feedOf(f))
	}
	return list
}

func sum(text string) string {
	s := sha256.Sum256([]byte(text))
	return string(s[:])
}

// events asks for those since the newest one known. Deletions elsewhere are
// not seen: v1 does not tell of them.
func (w *watcher) events(ctx context.Context, who credential, s *sight) error {
	q := url.Values{"limit": {"100"}}
	if s.events != nil {
		q.Set("since", wireTime(s.at.Add(-time.Microsecond)))
	} else {
		q.Set("limit", "1")
	}
	var page struct {
		Results []wireEvent `json:"results"`
	}
	if err := w.c.call(ctx, call{method: "GET", path: "/events", query: q, out: &page, as: &who}); err != nil {
		return err
	}
	first := s.events == nil
	if first {
		s.events = map[string]bool{}
		s.at = time.Now().Add(-time.Hour)
	}
	for _, r := range slices.Backward(page.Results) {
		e := eventOf(r, who.account)
		if s.events[e.ID] {
			continue
		}
		if e.At.After(s.at) {
			s.at = e.At
			clear(s.events)
		}
		s.events[e.ID] = true
		if !first {
			w.tell(who.account, engine.ChangeEvent, e.ID)
		}
	}
	return nil
}

// images asks for the smaller list, of tags.
func (w *watcher) images(ctx context.Context, who credential, s *sight) error {
	var all []struct {
		Digest     string `json:"imageDigest"`
		Tag        string `json:"fulltag"`
		State      string `json:"analysis_status"`
		Status     string `json:"image_status"`
		AnalyzedAt stamp  `json:"analyzed_at"`
	}
	if err := w.c.call(ctx, call{method: "GET", path: "/summaries/imagetags", out: &all, as: &who}); err != nil {
		return err
	}
	now := map[string]string{}
	for _, t := range all {
		now[t.Digest] += t.Tag + t.State + t.Status + strconv.FormatInt(t.AnalyzedAt.Unix(), 10) + "\n"
	}
	w.differences(who.account, engine.ChangeImage, engine.ChangeImageRemoved, s.images, now)
	s.images = now
	return nil
}

// list tells that something in a list is another, without saying what.
func (w *watcher) list(ctx context.Context, who credential, s *sight, at string, kind engine.ChangeKind) error {
	var raw jsonText
	if err := w.c.call(ctx, call{method: "GET", path: at, out: &raw, as: &who}); err != nil {
		return err
	}
	now := sum(string(raw))
	if old, ok := s.lists[at]; ok && old != now {
		w.tell(who.account, kind, "")
	}
	s.lists[at] = now
	return nil
}

// jsonText is an answer that is compared and not read.
type jsonText []byte

// UnmarshalJSON keeps a copy.
func (t *jsonText) UnmarshalJSON(raw []byte) error {
	*t = append((*t)[:0], raw...)
	return nil
}
