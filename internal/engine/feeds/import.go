package feeds

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"

	"windlass/internal/engine"
)

// ImportArchive installs an archive that came another way than from the source:
// an upload, for hosts without a network. It passes the same checks. want is
// its announced checksum (sha256:...), empty when none was given. The bytes are
// taken in before the lock is: a slow upload holds up nobody.
func (s *Service) ImportArchive(ctx context.Context, r io.Reader, trigger, source, want string, flush bool) (engine.FeedSync, error) {
	if err := s.prepare(); err != nil {
		return engine.FeedSync{}, err
	}
	f, err := os.CreateTemp(s.cfg.Dir, spoolPrefix)
	if err != nil {
		return engine.FeedSync{}, fail(CauseDisk, "The archive cannot be written to the data folder.", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(r, maxArchive+1))
	if err != nil {
		return engine.FeedSync{}, fail(CauseDisk, "The archive could not be taken in.", fmt.Errorf("spool archive: %w", err))
	}
	if n > maxArchive {
		return engine.FeedSync{}, engine.Invalidf("The archive is too large to be a vulnerability database.")
	}
	if err := f.Close(); err != nil {
		return engine.FeedSync{}, fail(CauseDisk, "The archive cannot be written to the data folder.", err)
	}
	have := digest(sum)
	j := job{trigger: trigger, source: source, flush: flush, starter: trigger == Starter}
	return s.exclusive(ctx, j, func(ctx context.Context, r *run) (engine.FeedSync, error) {
		r.p.stage(engine.FeedVerify)
		if want != "" && want != have {
			return engine.FeedSync{}, &failure{CauseChecksum, "The archive does not have the checksum given with it.", fmt.Errorf("have %s, want %s", have, want)}
		}
		active, err := s.store.ActiveFeedData(ctx)
		switch {
		case err == nil && active.Checksum == have && !flush && Installed(s.cfg.Dir, active.ID):
			return s.unchanged(ctx, r, "This data is in use already.")
		case err != nil && !errors.Is(err, engine.ErrNotFound):
			return engine.FeedSync{}, err
		}
		return s.install(ctx, r, f.Name(), engine.FeedData{ID: dataID(have), Checksum: have, Source: source, Bytes: n})
	})
}
