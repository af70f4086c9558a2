package feeds

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/supervise"
)

// bringEvery is how often a host looks whether it has the data in use.
const bringEvery = 5 * time.Second

// KeepInstalled sees to it that this host has the data in use, for hosts that
// match images and do not sync feeds themselves. What is missing comes from
// where the syncing host had it from. It ends with ctx.
func (s *Service) KeepInstalled(ctx context.Context) error {
	return supervise.Every(ctx, bringEvery, func(ctx context.Context) error {
		if err := s.Bring(ctx); err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "feed data not brought", "err", err)
		}
		return nil
	})
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
	if !strings.HasPrefix(active.Source, "http://") && !strings.HasPrefix(active.Source, "https://") {
		return fmt.Errorf("%w: the data in use (%s) was not fetched from an address; sync feeds from one that all hosts reach", engine.ErrUnavailable, active.Source)
	}
	if err := s.prepare(); err != nil {
		return err
	}
	began := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	p := newProgress(ctx, untold{}, 0, cancel)
	defer p.stop()
	archive := filepath.Join(s.cfg.Dir, active.ID+partialSuffix)
	have, err := download(ctx, s.http, listing{url: active.Source, Checksum: active.Checksum}, archive, p)
	if err != nil {
		return err
	}
	defer os.Remove(archive)
	if have != active.Checksum {
		return &failure{CauseChecksum, "The archive does not have the checksum of the data in use.", fmt.Errorf("have %s, want %s", have, active.Checksum)}
	}
	staging, _, err := s.stage(ctx, p, archive, active.ID)
	defer os.RemoveAll(staging)
	if err != nil {
		return err
	}
	if err := s.place(staging, active.ID); err != nil {
		return err
	}
	s.log.InfoContext(ctx, "feed data brought", "data", active.ID, "source", active.Source, "took", time.Since(began).Round(time.Millisecond))
	return nil
}

// untold is progress that nobody watches.
type untold struct{}

func (untold) StepFeedSync(context.Context, int64, engine.FeedStage, int64, int64) error { return nil }
