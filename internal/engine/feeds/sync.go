package feeds

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"time"

	v6 "github.com/anchore/grype/grype/db/v6"

	"windlass/internal/engine"
)

// Triggers of a sync.
const (
	Periodic = "periodic"
	Manual   = "manual"
	Upload   = "upload"
	Starter  = "starter"
)

// job is what was asked for.
type job struct {
	trigger string
	source  string
	flush   bool // install again, and even what is older
	starter bool
	archive string // the upload to install
	quiet   bool   // a retry: no events until the outcome differs
	last    string
}

// run is one sync under way.
type run struct {
	job
	id    int64
	began time.Time
	p     *progress
}

// Sync asks the source for newer data and installs it: synchronous. With flush
// the data is installed again even when it is in use already, or older.
func (s *Service) Sync(ctx context.Context, trigger string, flush bool) (engine.FeedSync, error) {
	return s.exclusive(ctx, job{trigger: trigger, source: s.URL(), flush: flush}, s.syncOnce)
}

// SyncWait is Sync, except that the sync goes on when the caller leaves.
func (s *Service) SyncWait(ctx context.Context, trigger string, flush bool) (engine.FeedSync, error) {
	type outcome struct {
		sync engine.FeedSync
		err  error
	}
	done := make(chan outcome, 1)
	life := s.lifetime()
	s.running.Go(func() {
		out, err := s.Sync(life, trigger, flush)
		done <- outcome{out, err}
	})
	select {
	case o := <-done:
		return o.sync, o.err
	case <-ctx.Done():
		return engine.FeedSync{}, ctx.Err()
	}
}

// Start is Sync in the background, for a page that shows the progress. It
// returns when the sync has begun, or could not.
func (s *Service) Start(ctx context.Context, trigger string, flush bool) error {
	return s.background(ctx, job{trigger: trigger, source: s.URL(), flush: flush}, s.syncOnce, nil)
}

// background runs exclusive for the service's own life and returns when the
// work has begun, or could not. after, if there is one, is told the outcome.
func (s *Service) background(ctx context.Context, j job, do func(context.Context, *run) (engine.FeedSync, error), after func(context.Context, engine.FeedSync, error)) error {
	begun := make(chan error, 1)
	life := s.lifetime()
	s.running.Go(func() {
		out, err := s.exclusive(life, j, func(ctx context.Context, r *run) (engine.FeedSync, error) {
			begun <- nil
			return do(ctx, r)
		})
		if after != nil {
			after(life, out, err)
		}
		select {
		case begun <- err: // it did not come to begin
		default:
		}
	})
	select {
	case err := <-begun:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// exclusive runs do as the only sync of all hosts, with a record that its
// outcome is written to. A failure is in the result and in the error.
func (s *Service) exclusive(ctx context.Context, j job, do func(context.Context, *run) (engine.FeedSync, error)) (engine.FeedSync, error) {
	release, ok, err := s.store.LockFeeds(ctx)
	if err != nil {
		return engine.FeedSync{}, fmt.Errorf("feed sync: %w", err)
	}
	if !ok {
		return engine.FeedSync{}, errBusy()
	}
	defer release()
	var events []engine.Event
	if !j.quiet {
		events = append(events, s.event(engine.EvFeedsSyncStarted, "", map[string]any{"sync_feed_types": "all"}))
	}
	rec, err := s.store.StartFeedSync(ctx, engine.FeedSync{Trigger: j.trigger, Source: j.source, Host: s.cfg.Source.Host}, events)
	if err != nil {
		return rec, fmt.Errorf("feed sync: %w", err)
	}
	work, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.mu.Lock()
	s.cancel = cancel
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.cancel = nil
		s.mu.Unlock()
	}()
	r := &run{job: j, id: rec.ID, began: time.Now()}
	r.p = newProgress(work, s.store, rec.ID, cancel)
	s.log.InfoContext(ctx, "feed sync start", "trigger", j.trigger, "source", j.source, "flush", j.flush)
	// The data in use may be on its way onto this host.
	select {
	case s.disk <- struct{}{}:
		defer func() { <-s.disk }()
	case <-work.Done():
		return s.failed(ctx, r, context.Cause(work))
	}
	if err := s.prepare(); err != nil {
		return s.failed(ctx, r, err)
	}
	s.sweep(ctx)
	out, err := do(work, r)
	r.p.stop()
	// Installing takes hundreds of megabytes for some seconds, a few times a
	// day: they are given back at once and not when the collector gets to it.
	defer debug.FreeOSMemory()
	if err != nil {
		if cause := context.Cause(work); cause != nil && ctx.Err() == nil {
			err = cause
		}
		return s.failed(ctx, r, err)
	}
	s.sweep(ctx)
	s.log.InfoContext(ctx, "feed sync done", "status", out.Status, "data", out.Data, "records", out.Records, "delta", out.Delta, "took", time.Since(r.began).Round(time.Millisecond))
	return out, nil
}

// failed writes the outcome of a sync that did not succeed. The data in use
// stays what it was.
func (s *Service) failed(ctx context.Context, r *run, err error) (engine.FeedSync, error) {
	end := engine.FeedSync{Status: "failure"}
	var events []engine.Event
	switch {
	case errors.Is(err, errCancelled), ctx.Err() != nil:
		end.Status, end.Message = "cancelled", "The program was told to stop."
		s.log.WarnContext(ctx, "feed sync cancelled")
	default:
		end.Cause, end.Message = causeOf(err)
		s.log.ErrorContext(ctx, "feed sync failed", "cause", end.Cause, "err", err)
		if !r.quiet || r.last != end.Cause {
			cause := end.Cause + ": " + end.Message
			events = append(events, s.event(engine.EvFeedsSyncFailed, "", map[string]any{"sync_feed_types": "all", "cause": cause}),
				s.event(engine.EvFeedFailed, FeedVulnerabilities, map[string]any{"cause": cause}))
		}
	}
	// The record must be closed even when it is the context that ended the sync.
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	out, werr := s.store.EndFeedSync(after, r.id, end, events)
	if werr != nil {
		return end, errors.Join(err, werr)
	}
	return out, err
}

// syncOnce is check, download, verify and install.
func (s *Service) syncOnce(ctx context.Context, r *run) (engine.FeedSync, error) {
	r.p.stage(engine.FeedCheck)
	l, err := latest(ctx, s.http, s.cfg.URL)
	if err != nil {
		return engine.FeedSync{}, err
	}
	if done, why, err := s.upToDate(ctx, r, l); err != nil {
		return engine.FeedSync{}, err
	} else if done {
		return s.unchanged(ctx, r, why)
	}
	archive := filepath.Join(s.cfg.Dir, l.id()+".partial")
	if err := s.fetch(ctx, r, l, archive); err != nil {
		return engine.FeedSync{}, err
	}
	size := int64(0)
	if st, err := os.Stat(archive); err == nil {
		size = st.Size()
	}
	return s.install(ctx, r, archive, engine.FeedData{ID: l.id(), Checksum: l.Checksum, Source: l.url, Bytes: size})
}

// upToDate reports whether the listed archive is no news, and why.
func (s *Service) upToDate(ctx context.Context, r *run, l listing) (bool, string, error) {
	active, err := s.store.ActiveFeedData(ctx)
	switch {
	case errors.Is(err, engine.ErrNotFound):
		return false, "", nil
	case err != nil:
		return false, "", err
	case r.flush, active.Starter:
		return false, "", nil
	}
	if r.trigger == Periodic {
		if aside, err := s.setAside(ctx, l.id()); err != nil || aside {
			return aside, "The source offers the data that was rolled back, and nothing newer. Sync by hand to install it again.", err
		}
	}
	switch {
	case !Installed(s.cfg.Dir, active.ID):
		return false, "", nil
	case active.Checksum == l.Checksum:
		return true, "The newest data is in use already.", nil
	case l.Built.Before(active.Built):
		return true, fmt.Sprintf("The source offers data built %s, older than what is in use. Flush to go back to it.", l.Built.UTC().Format(time.RFC3339)), nil
	}
	return false, "", nil
}

// setAside reports whether a roll back took that data out of use.
func (s *Service) setAside(ctx context.Context, id string) (bool, error) {
	list, err := s.store.FeedData(ctx)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list, func(d engine.FeedData) bool { return d.ID == id && d.SetAside }), nil
}

func (s *Service) unchanged(ctx context.Context, r *run, why string) (engine.FeedSync, error) {
	if _, err := s.store.RestoreGroups(ctx); err != nil {
		return engine.FeedSync{}, err
	}
	active, err := s.store.ActiveFeedData(ctx)
	if err != nil {
		return engine.FeedSync{}, err
	}
	end := engine.FeedSync{Status: "unchanged", Stage: engine.FeedCheck, Message: why, Data: active.ID, Records: active.Records}
	r.p.stop()
	var events []engine.Event
	if !r.quiet || r.last != "" {
		events = append(events, s.event(engine.EvFeedsSyncCompleted, "", map[string]any{"sync_feed_types": "all"}))
	}
	return s.store.EndFeedSync(ctx, r.id, end, events)
}

// fetch downloads and verifies. Bytes kept from an earlier try may be of
// another transfer gone wrong: when they do not add up, one fresh try follows.
func (s *Service) fetch(ctx context.Context, r *run, l listing, archive string) error {
	st, err := os.Stat(archive)
	resumed := err == nil && st.Size() > 0
	for {
		r.p.stage(engine.FeedDownload)
		sum, err := download(ctx, s.http, l, archive, r.p)
		if err != nil {
			return err
		}
		r.p.stage(engine.FeedVerify)
		if sum == l.Checksum {
			return nil
		}
		if err := os.Remove(archive); err != nil {
			return fail(CauseDisk, "The archive cannot be removed from the data folder.", err)
		}
		if !resumed {
			return &failure{CauseChecksum, "The archive does not have the checksum its listing names.", fmt.Errorf("have %s, want %s", sum, l.Checksum)}
		}
		resumed = false
	}
}

// stage unpacks and indexes a verified archive into a folder of its own, from
// where place brings it to its own name. The folder is its caller's to remove,
// also after an error. An archive that cannot be used is removed: the same
// bytes would fail again.
func (s *Service) stage(ctx context.Context, p *progress, archive, id string) (staging string, c contents, err error) {
	staging = filepath.Join(s.cfg.Dir, stagingPrefix+id)
	if err := os.RemoveAll(staging); err != nil {
		return staging, c, fail(CauseDisk, "The data folder cannot be written.", err)
	}
	dir := Path(s.cfg.Dir, stagingPrefix+id)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return staging, c, fail(CauseDisk, "The data folder cannot be written.", err)
	}
	p.stage(engine.FeedUnpack)
	if err := unpack(ctx, archive, dir, p); err != nil {
		os.Remove(archive)
		return staging, c, err
	}
	p.stage(engine.FeedIndex)
	if c, err = index(ctx, dir, p); err != nil {
		os.Remove(archive)
		return staging, c, err
	}
	if err := flush(filepath.Join(dir, v6.VulnerabilityDBFileName)); err != nil {
		return staging, c, fail(CauseDisk, "The database cannot be written to the data folder.", err)
	}
	return staging, c, nil
}

// install turns a verified archive into the data in use and removes it.
func (s *Service) install(ctx context.Context, r *run, archive string, d engine.FeedData) (engine.FeedSync, error) {
	staging, c, err := s.stage(ctx, r.p, archive, d.ID)
	defer os.RemoveAll(staging)
	if err != nil {
		return engine.FeedSync{}, err
	}
	d.Schema, d.Built, d.Records, d.Starter = c.schema, c.built, c.records, r.starter
	if err := s.sane(ctx, r, d); err != nil {
		os.Remove(archive)
		return engine.FeedSync{}, err
	}
	r.p.stage(engine.FeedActivate)
	if err := context.Cause(ctx); err != nil {
		return engine.FeedSync{}, err
	}
	if err := s.place(staging, d.ID); err != nil {
		return engine.FeedSync{}, err
	}
	os.Remove(archive)
	return s.activate(ctx, r, d, c.groups)
}

// sane compares new data with what is in use: a source that broke sends
// well-formed data too, only much less of it.
func (s *Service) sane(ctx context.Context, r *run, d engine.FeedData) error {
	if d.Records == 0 {
		return &failure{CauseSanity, "The database holds no vulnerability records.", nil}
	}
	if r.flush || r.starter {
		return nil
	}
	active, err := s.store.ActiveFeedData(ctx)
	switch {
	case errors.Is(err, engine.ErrNotFound) || err == nil && active.Starter:
		return nil
	case err != nil:
		return err
	case d.Records < active.Records/2:
		return &failure{CauseSanity, fmt.Sprintf("The new data has %d records where the data in use has %d. Flush to install it all the same.", d.Records, active.Records), nil}
	case d.Built.Before(active.Built):
		return &failure{CauseSanity, fmt.Sprintf("The archive was built %s, before the data in use. Flush to install it all the same.", d.Built.Format(time.RFC3339)), nil}
	}
	return nil
}

// activate makes installed data the data in use.
func (s *Service) activate(ctx context.Context, r *run, d engine.FeedData, groups []engine.FeedGroup) (engine.FeedSync, error) {
	before, err := s.store.Feeds(ctx)
	if err != nil {
		return engine.FeedSync{}, err
	}
	r.p.stop()
	return s.store.ActivateFeedData(ctx, r.id, d, groups, s.activated(before, groups, time.Since(r.began)))
}
