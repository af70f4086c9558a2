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
	up, err := s.spool(r)
	if err != nil {
		return engine.FeedSync{}, err
	}
	defer os.Remove(up.file)
	return s.exclusive(ctx, job{trigger: trigger, source: source, flush: flush, starter: trigger == Starter}, up.installer(s, source, want, flush))
}

// StartImport takes an archive in and installs it in the background; it returns
// when that has begun.
func (s *Service) StartImport(ctx context.Context, r io.Reader, source, want string, flush bool) error {
	up, err := s.spool(r)
	if err != nil {
		return err
	}
	return s.background(ctx, job{trigger: Upload, source: source, flush: flush}, up.installer(s, source, want, flush), func() { os.Remove(up.file) })
}

// upload is an archive taken in.
type upload struct {
	file, sum string
	size      int64
}

func (s *Service) spool(r io.Reader) (upload, error) {
	if err := s.prepare(); err != nil {
		return upload{}, err
	}
	f, err := os.CreateTemp(s.cfg.Dir, spoolPrefix)
	if err != nil {
		return upload{}, fail(CauseDisk, "The archive cannot be written to the data folder.", err)
	}
	defer f.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, sum), io.LimitReader(r, maxArchive+1))
	if err == nil && n > maxArchive {
		err = engine.Invalidf("The archive is too large to be a vulnerability database.")
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		os.Remove(f.Name())
		return upload{}, fmt.Errorf("spool archive: %w", err)
	}
	return upload{f.Name(), digest(sum), n}, nil
}

func (u upload) installer(s *Service, source, want string, flush bool) func(context.Context, *run) (engine.FeedSync, error) {
	return func(ctx context.Context, r *run) (engine.FeedSync, error) {
		r.p.stage(engine.FeedVerify)
		if want != "" && want != u.sum {
			return engine.FeedSync{}, &failure{CauseChecksum, "The archive does not have the checksum given with it.", fmt.Errorf("have %s, want %s", u.sum, want)}
		}
		active, err := s.store.ActiveFeedData(ctx)
		switch {
		case err == nil && active.Checksum == u.sum && !flush && Installed(s.cfg.Dir, active.ID):
			return s.unchanged(ctx, r, "This data is in use already.")
		case err != nil && !errors.Is(err, engine.ErrNotFound):
			return engine.FeedSync{}, err
		}
		return s.install(ctx, r, u.file, engine.FeedData{ID: dataID(u.sum), Checksum: u.sum, Source: source, Bytes: u.size})
	}
}
