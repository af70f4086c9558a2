package feeds

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/supervise"
)

// bringEvery is how often a host looks whether it has the data in use, and
// sayEvery how often it says so though nothing changed.
const (
	bringEvery = 5 * time.Second
	sayEvery   = time.Minute
)

// KeepInstalled sees to it that this host has the data in use: it may have been
// synced or uploaded on another, or its folder may be a new one. It ends with
// ctx.
func (s *Service) KeepInstalled(ctx context.Context) error {
	return supervise.Every(ctx, bringEvery, func(ctx context.Context) error {
		err := s.Bring(ctx)
		if ctx.Err() == nil {
			s.say(ctx, err)
		}
		return nil
	})
}

// say notes what this host has; a failure is logged when it is news.
func (s *Service) say(ctx context.Context, failure error) {
	h := engine.FeedHost{Host: s.cfg.Source.Host, At: time.Now()}
	if active, err := s.store.ActiveFeedData(ctx); err == nil && Installed(s.cfg.Dir, active.ID) {
		h.Data = active.ID
	}
	if failure != nil {
		_, h.Message = causeOf(failure)
		if h.Message != s.said.Message {
			s.log.WarnContext(ctx, "feed data not brought", "err", failure)
		}
	}
	if h.Data == s.said.Data && h.Message == s.said.Message && h.At.Sub(s.said.At) < sayEvery {
		return
	}
	if err := s.store.SayFeedHost(ctx, h); err != nil {
		s.log.WarnContext(ctx, "feed host not noted", "err", err)
		return
	}
	s.said = h
}

// Bring installs the data in use on this host when it is not there. Nothing is
// activated: it is in use already, elsewhere.
func (s *Service) Bring(ctx context.Context) error {
	active, err := s.store.ActiveFeedData(ctx)
	if errors.Is(err, engine.ErrNotFound) || err == nil && Installed(s.cfg.Dir, active.ID) {
		return nil
	}
	if err != nil {
		return err
	}
	select {
	case s.disk <- struct{}{}:
		defer func() { <-s.disk }()
	default:
		return nil // a sync of this host is at it
	}
	if err := s.prepare(); err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := newProgress(ctx, untold{}, 0, cancel)
	defer p.stop()
	if err := s.bring(ctx, p, active); err != nil {
		return err
	}
	s.sweep(ctx)
	return nil
}

// bring installs data that another host has, or had: from the archive that is
// kept of it, else from where that host had it.
func (s *Service) bring(ctx context.Context, p *progress, d engine.FeedData) error {
	began := time.Now()
	archive := filepath.Join(s.cfg.Dir, d.ID+partialSuffix)
	var have string
	var err error
	switch {
	case d.Archive != "":
		have, err = s.unload(ctx, p, archive, d)
	case fetched(d):
		p.stage(engine.FeedDownload)
		have, err = download(ctx, s.http, listing{url: d.Source, Checksum: d.Checksum}, archive, p)
	default:
		return &engine.Fault{Kind: engine.ErrUnavailable, Message: fmt.Sprintf("No archive is kept of the data (%s): upload it again, or sync from an address.", d.Source)}
	}
	if err != nil {
		return err
	}
	defer os.Remove(archive)
	if have != d.Checksum {
		return &failure{CauseChecksum, "The archive does not have the checksum of the data.", fmt.Errorf("have %s, want %s", have, d.Checksum)}
	}
	staging, _, err := s.stage(ctx, p, archive, d.ID)
	defer os.RemoveAll(staging)
	if err != nil {
		return err
	}
	if err := s.place(staging, d.ID); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "feed data brought", "data", d.ID, "source", d.Source, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// unload writes the archive that is kept of data to a file.
func (s *Service) unload(ctx context.Context, p *progress, file string, d engine.FeedData) (string, error) {
	p.stage(engine.FeedVerify)
	f, err := os.Create(file)
	if err != nil {
		return "", fail(CauseDisk, "The archive cannot be written to the data folder.", err)
	}
	defer f.Close()
	have, err := s.copyArchive(ctx, f, d.Archive, d.Bytes, p)
	if err != nil {
		os.Remove(file)
	}
	return have, err
}

// untold is progress that nobody watches.
type untold struct{}

func (untold) StepFeedSync(context.Context, int64, engine.FeedStage, int64, int64) error { return nil }
