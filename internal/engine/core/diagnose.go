package core

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sort"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"windlass/internal/engine"
	"windlass/internal/engine/diagnose"
	"windlass/internal/engine/supervise"
)

// The troubleshooting guide: what is looked at stands here, what is made of it
// in package diagnose. The looks run at once, each under a limit of its own, so
// that one thing that hangs hides none of the others. Whoever asks while a look
// runs waits for that one, and an answer stands for a moment, so that many open
// pages cost no more than one.

// checks remembers answers.
type checks struct {
	mu    sync.Mutex
	known map[string]*knownCheck
}

// knownCheck is the answer to one check for one asker.
type knownCheck struct {
	turn chan struct{} // holds whoever looks
	at   time.Time     // when asked for last; under checks.mu
	last engine.Check
}

// knownChecks bounds what is remembered; the oldest are forgotten.
const knownChecks = 4096

func (k *checks) of(key string) *knownCheck {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.known == nil {
		k.known = map[string]*knownCheck{}
	}
	v := k.known[key]
	if v == nil {
		if len(k.known) >= knownChecks {
			for old, o := range k.known {
				if time.Since(o.at) > time.Minute {
					delete(k.known, old)
				}
			}
		}
		v = &knownCheck{turn: make(chan struct{}, 1)}
		k.known[key] = v
	}
	v.at = time.Now()
	return v
}

// Checks makes the checks that a query asks for, in the order of the guide.
func (c *Core) Checks(ctx context.Context, q engine.CheckQuery) ([]engine.Check, error) {
	for _, id := range q.Only {
		if !slices.ContainsFunc(diagnose.Specs, func(s diagnose.Spec) bool { return s.ID == id }) {
			return nil, engine.Invalidf("there is no check %q", id)
		}
	}
	var specs []diagnose.Spec
	for _, s := range diagnose.Specs {
		if (len(q.Only) == 0 || slices.Contains(q.Only, s.ID)) && (q.System || !s.System) {
			specs = append(specs, s)
		}
	}
	list := make([]engine.Check, len(specs))
	var all sync.WaitGroup
	for i, s := range specs {
		all.Go(func() { list[i] = c.check(ctx, s, q) })
	}
	all.Wait()
	return list, ctx.Err()
}

// check gives the answer of a moment ago, or looks.
func (c *Core) check(ctx context.Context, s diagnose.Spec, q engine.CheckQuery) engine.Check {
	key := s.ID
	if !s.System {
		key += "\x00" + q.Account + "\x00" + q.Who.User
	}
	asked := time.Now()
	k := c.checks.of(key)
	select {
	case k.turn <- struct{}{}:
		defer func() { <-k.turn }()
	case <-ctx.Done():
		return s.Named(diagnose.Unseen(s.ID, "Nobody waited for the answer."), asked, asked)
	}
	// The registries are asked when somebody wants them to be, and only then.
	reach := s.ID == engine.CheckRegistries && q.Reach
	age := time.Since(k.last.At)
	fresh := k.last.At.After(asked) || age < s.Keep && !(q.Fresh && s.ID != engine.CheckRegistries)
	if !k.last.At.IsZero() && fresh && !reach {
		return k.last
	}
	limit, cancel := context.WithTimeout(ctx, s.Limit)
	defer cancel()
	began := time.Now()
	v, err := c.look(limit, s.ID, q)
	switch {
	case err != nil && limit.Err() != nil && ctx.Err() == nil:
		v = diagnose.Unseen(s.ID, "The look took longer than "+s.Limit.String()+".")
	case errors.Is(err, engine.ErrUnavailable):
		v = diagnose.Unseen(s.ID, "The database did not answer, so this is not known.")
	case err != nil:
		v = diagnose.Unseen(s.ID, engine.MessageOf(err, "This could not be looked at; the log of apiext says why."))
		if ctx.Err() == nil {
			c.log.WarnContext(ctx, "check failed", "check", s.ID, "err", err)
		}
	}
	v = s.Named(v, began, time.Now())
	if ctx.Err() == nil && (s.ID != engine.CheckRegistries || reach) {
		k.last = v
	}
	return v
}

// look gathers the evidence of a check and has it judged.
func (c *Core) look(ctx context.Context, id string, q engine.CheckQuery) (engine.Check, error) {
	switch id {
	case engine.CheckAPI:
		return c.lookAPI(ctx)
	case engine.CheckCredentials:
		return c.lookCredentials(ctx, q)
	case engine.CheckDatabase:
		d, err := c.store.Database(ctx)
		if err != nil {
			return diagnose.DatabaseAway(cause(err)), nil
		}
		return diagnose.Database(d), nil
	case engine.CheckServices:
		list, err := c.store.Services(ctx)
		return diagnose.Services(list), err
	case engine.CheckHeartbeats:
		return c.lookHeartbeats(ctx)
	case engine.CheckClocks:
		return c.lookClocks(ctx)
	case engine.CheckQueue:
		list, err := c.store.QueueStates(ctx)
		return diagnose.Queue(list, time.Now()), err
	case engine.CheckFeeds:
		list, err := c.store.Feeds(ctx)
		if err != nil {
			return engine.Check{}, err
		}
		st, err := c.FeedStatus(ctx)
		return diagnose.Feeds(list, st, time.Now()), err
	case engine.CheckFeedFailure:
		list, err := c.store.FeedSyncs(ctx, 50)
		return diagnose.FeedFailure(list), err
	case engine.CheckDisk:
		return c.lookDisk(ctx)
	case engine.CheckRegistries:
		return c.lookRegistries(ctx, q)
	case engine.CheckImages:
		list, err := c.store.FailedGroups(ctx, q.Account)
		return diagnose.Images(list), err
	default:
		since := time.Now().Add(-time.Hour)
		list, err := c.store.ErrorGroups(ctx, q.Account, since)
		return diagnose.Errors(list, since), err
	}
}

// cause is the innermost of an error, without the address that was tried.
func cause(err error) string {
	for {
		inner := errors.Unwrap(err)
		if inner == nil {
			return err.Error()
		}
		err = inner
	}
}

// apis are the instances of the API that are not known to be gone.
func (c *Core) apis(ctx context.Context) ([]engine.Service, error) {
	list, err := c.store.Services(ctx)
	return slices.DeleteFunc(list, func(s engine.Service) bool {
		return s.Name != engine.APIExt || s.State == engine.ServiceOrphaned
	}), err
}

func (c *Core) lookAPI(ctx context.Context) (engine.Check, error) {
	return c.askAPIs(ctx, func(ctx context.Context, a *diagnose.Answer) error {
		return supervise.Probe(ctx, a.Service.BaseURL)
	}, func(list []diagnose.Answer) (engine.Check, error) { return diagnose.API(list), nil })
}

// apiHands is how many instances are asked at once.
const apiHands = 8

func (c *Core) askAPIs(ctx context.Context, ask func(context.Context, *diagnose.Answer) error, judge func([]diagnose.Answer) (engine.Check, error)) (engine.Check, error) {
	apis, err := c.apis(ctx)
	if err != nil {
		return engine.Check{}, err
	}
	list := make([]diagnose.Answer, len(apis))
	var g errgroup.Group
	g.SetLimit(apiHands)
	for i, s := range apis {
		g.Go(func() error {
			list[i].Service = s
			began := time.Now()
			if err := ask(ctx, &list[i]); err != nil {
				list[i].Err = err.Error()
			}
			list[i].Took = time.Since(began)
			return nil
		})
	}
	_ = g.Wait()
	return judge(list)
}

// lookCredentials asks each API without a password, which it must refuse, and
// that of this process with a token of who asks, which it must take.
func (c *Core) lookCredentials(ctx context.Context, q engine.CheckQuery) (engine.Check, error) {
	l := diagnose.Login{User: q.Who.User, Account: q.Who.Account}
	login, err := c.store.Login(ctx, q.Who.User)
	switch {
	case err == nil:
		l.Found, l.State = true, login.Account.State
	case !isNotFound(err):
		return engine.Check{}, err
	}
	if l.Unreadable, err = c.store.UnreadableRegistries(ctx, q.Account); err != nil {
		return engine.Check{}, err
	}
	own := c.APIBase()
	return c.askAPIs(ctx, func(ctx context.Context, a *diagnose.Answer) error {
		code, err := statusOf(ctx, a.Service.BaseURL, "")
		if err != nil {
			return err
		}
		a.Asks = code == http.StatusUnauthorized
		if a.Service.BaseURL != own || !l.Found || l.State != engine.AccountEnabled {
			return nil // a token is not sent over the network
		}
		token, err := c.auth.Token(ctx, q.Who)
		if err != nil {
			return err
		}
		code, err = statusOf(ctx, a.Service.BaseURL, token)
		a.Tried, a.Takes = true, code == http.StatusOK
		return err
	}, func(list []diagnose.Answer) (engine.Check, error) {
		l.Asks = list
		return diagnose.Credentials(l), nil
	})
}

var statusClient = &http.Client{
	Timeout:       2 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func statusOf(ctx context.Context, base string, token engine.Secret) (int, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/v1/status", nil)
	if err != nil {
		return 0, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token.Reveal())
	}
	resp, err := statusClient.Do(req)
	if err != nil {
		return 0, errors.Unwrap(err)
	}
	resp.Body.Close()
	return resp.StatusCode, nil
}

// lookHeartbeats goes by the database's clock, which stamped them.
func (c *Core) lookHeartbeats(ctx context.Context) (engine.Check, error) {
	d, err := c.store.Database(ctx)
	if err != nil {
		return engine.Check{}, err
	}
	list, err := c.store.Services(ctx)
	return diagnose.Heartbeats(list, d.Now), err
}

func (c *Core) lookClocks(ctx context.Context) (engine.Check, error) {
	d, err := c.store.Database(ctx)
	if err != nil {
		return engine.Check{}, err
	}
	reports, err := c.reports(ctx)
	if err != nil {
		return engine.Check{}, err
	}
	// This host is measured now, and to the middle of the question.
	list := []diagnose.HostClock{{Host: c.opts.Host, Ahead: d.Skew, Told: d.Now}}
	for _, s := range reports {
		if s.Host != c.opts.Host && d.Now.Sub(s.HeartbeatAt) < time.Minute {
			list = append(list, diagnose.HostClock{Host: s.Host, Ahead: s.Detail.Host.Clock.Sub(s.HeartbeatAt), Told: s.HeartbeatAt})
		}
	}
	return diagnose.Clocks(list), nil
}

func (c *Core) lookDisk(ctx context.Context) (engine.Check, error) {
	reports, err := c.reports(ctx)
	if err != nil {
		return engine.Check{}, err
	}
	list := []diagnose.HostFolders{{Host: c.opts.Host, Folders: c.host.look()}}
	for _, s := range reports {
		if s.Host != c.opts.Host {
			list = append(list, diagnose.HostFolders{Host: s.Host, Folders: s.Detail.Host.Folders})
		}
	}
	return diagnose.Disk(list), nil
}

// reports is the newest heartbeat with a report of each host.
func (c *Core) reports(ctx context.Context) ([]engine.Service, error) {
	list, err := c.store.Services(ctx)
	newest := map[string]engine.Service{}
	for _, s := range list {
		if s.Detail.Host != nil && s.HeartbeatAt.After(newest[s.Host].HeartbeatAt) {
			newest[s.Host] = s
		}
	}
	out := make([]engine.Service, 0, len(newest))
	for _, s := range newest {
		out = append(out, s)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Host < out[j].Host })
	return out, err
}

// The registries are asked few at a time, each for no longer than a person
// waits, and no more of them than fit.
const (
	registryHands = 6
	registryWait  = 8 * time.Second
	registriesMax = 60
)

func (c *Core) lookRegistries(ctx context.Context, q engine.CheckQuery) (engine.Check, error) {
	list, err := c.store.Registries(ctx, q.Account)
	if err != nil {
		return engine.Check{}, err
	}
	out := make([]diagnose.Reached, len(list))
	for i, r := range list {
		out[i] = diagnose.Reached{Name: r.Name, User: r.User}
	}
	if !q.Reach {
		return diagnose.Registries(out, false), nil
	}
	var g errgroup.Group
	g.SetLimit(registryHands)
	for i, r := range list {
		if i >= registriesMax {
			out[i].Skipped, out[i].Err = true, "there are too many to ask at once"
			continue
		}
		g.Go(func() error {
			if ctx.Err() != nil {
				out[i].Skipped, out[i].Err = true, "the time was up"
				return nil
			}
			one, cancel := context.WithTimeout(ctx, registryWait)
			defer cancel()
			r, err := c.verify(one, r)
			if out[i].Err = r.Check.Text; out[i].Err != "" && one.Err() != nil {
				out[i].Err = "No answer within " + registryWait.String() + "."
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return engine.Check{}, err
	}
	return diagnose.Registries(out, true), nil
}

// retryAtOnce bounds how many images one request sends to the analyzers again.
const retryAtOnce = 1000

// RetryFailed sends the images that failed of a cause to the analyzers again,
// and reports how many there were and how many are left for another time.
func (c *Core) RetryFailed(ctx context.Context, account, cause string) (done int, left int64, err error) {
	digests, total, err := c.store.FailedImages(ctx, account, cause, retryAtOnce)
	if err != nil {
		return 0, 0, err
	}
	for _, d := range digests {
		err := c.catalog.Reanalyze(ctx, account, d)
		switch {
		case err == nil:
			done++
		case errors.Is(err, engine.ErrNotFound), errors.Is(err, engine.ErrConflict), errors.Is(err, engine.ErrInvalid):
			// Gone, or somebody else has seen to it.
		default:
			return done, total - int64(done), err
		}
	}
	return done, total - int64(len(digests)), nil
}
