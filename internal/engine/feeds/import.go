package feeds

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"windlass/internal/engine"
)

// keepUploads is how long an upload that nobody goes on with is kept.
const keepUploads = 24 * time.Hour

// maxTries is how often an archive is installed by itself after the program
// stopped in the middle of that: it may be the archive that stops it.
const maxTries = 2

// An archive that came another way than from the source passes the same checks
// as one that did. Its bytes stand in the database from the moment they come
// in: an upload that breaks off goes on where it stopped, on any host, and as
// long as its data is in use, or kept to go back to, other hosts bring it from
// there. Taking it in holds no lock: a slow upload holds up nobody.

// ImportArchive takes in an archive and installs it. want is its announced
// checksum (sha256:...), empty when none was given.
func (s *Service) ImportArchive(ctx context.Context, r io.Reader, trigger, source, want string, flush bool) (engine.FeedSync, error) {
	a, err := s.takeIn(ctx, r, engine.FeedArchive{Source: source, Checksum: want, Flush: flush})
	if err != nil {
		return engine.FeedSync{}, err
	}
	out, err := s.exclusive(ctx, archiveJob(a, trigger), s.installArchive)
	s.settle(ctx, a, out, err)
	return out, err
}

// StartImport takes an archive in and installs it in the background; it returns
// when that has begun.
func (s *Service) StartImport(ctx context.Context, r io.Reader, a engine.FeedArchive) error {
	a, err := s.takeIn(ctx, r, a)
	if err != nil {
		return err
	}
	return s.StartArchive(ctx, a.ID, a.Flush)
}

// StartArchive installs an archive that is here in the background. flush may
// add to what was asked for when its upload began.
func (s *Service) StartArchive(ctx context.Context, id string, flush bool) error {
	a, err := s.store.FeedArchive(ctx, id)
	switch {
	case err != nil:
		return err
	case a.State == engine.FeedArchiveKept:
		return engine.Conflictf("This archive is in use.")
	case a.Have == 0 || a.Size > 0 && a.Have < a.Size:
		return engine.Conflictf("The upload is not complete: %d of %d bytes are here.", a.Have, a.Size)
	}
	a.Flush = a.Flush || flush
	return s.background(ctx, archiveJob(a, Upload), s.installArchive, func(ctx context.Context, out engine.FeedSync, err error) { s.settle(ctx, a, out, err) })
}

func archiveJob(a engine.FeedArchive, trigger string) job {
	return job{trigger: trigger, source: a.Source, flush: a.Flush, starter: trigger == Starter, archive: a.ID}
}

// takeIn lays a whole archive down.
func (s *Service) takeIn(ctx context.Context, r io.Reader, a engine.FeedArchive) (engine.FeedArchive, error) {
	a, err := s.store.OpenFeedArchive(ctx, a)
	if err != nil {
		return a, err
	}
	got, err := s.store.AppendFeedArchive(ctx, a.ID, 0, r)
	if err == nil && got.Have == 0 {
		err = engine.Invalidf("The archive is empty.")
	}
	if err != nil {
		// Whoever sent it in one piece cannot go on with it.
		if derr := s.store.DropFeedArchive(context.WithoutCancel(ctx), a.ID); derr != nil {
			s.log.WarnContext(ctx, "upload removal failed", "upload", a.ID, "err", derr)
		}
		return got, fmt.Errorf("take in archive: %w", err)
	}
	return got, nil
}

// installArchive brings an archive from the database to disk, on its way
// checks its checksum, and installs it.
func (s *Service) installArchive(ctx context.Context, r *run) (engine.FeedSync, error) {
	r.p.stage(engine.FeedVerify)
	a, err := s.store.BeginFeedArchive(ctx, r.archive)
	if err != nil {
		return engine.FeedSync{}, err
	}
	f, err := os.CreateTemp(s.cfg.Dir, spoolPrefix)
	if err != nil {
		return engine.FeedSync{}, fail(CauseDisk, "The archive cannot be written to the data folder.", err)
	}
	defer os.Remove(f.Name())
	defer f.Close()
	sum, err := s.copyArchive(ctx, f, a.ID, a.Have, r.p)
	if err != nil {
		return engine.FeedSync{}, err
	}
	if a.Checksum != "" && a.Checksum != sum {
		return engine.FeedSync{}, &failure{CauseChecksum, "The archive does not have the checksum given with it.", fmt.Errorf("have %s, want %s", sum, a.Checksum)}
	}
	active, err := s.store.ActiveFeedData(ctx)
	switch {
	case err == nil && active.Checksum == sum && !r.flush && Installed(s.cfg.Dir, active.ID):
		if active.Archive == "" && !fetched(active) {
			if err := s.store.AdoptFeedArchive(ctx, active.ID, a.ID); err != nil {
				return engine.FeedSync{}, err
			}
		}
		return s.unchanged(ctx, r, "This data is in use already.")
	case err != nil && !errors.Is(err, engine.ErrNotFound):
		return engine.FeedSync{}, err
	}
	return s.install(ctx, r, f.Name(), engine.FeedData{ID: dataID(sum), Checksum: sum, Source: a.Source, Bytes: a.Have, Archive: a.ID})
}

// copyArchive writes an archive that stands in the database to a file and
// gives its SHA-256.
func (s *Service) copyArchive(ctx context.Context, f *os.File, id string, size int64, p *progress) (string, error) {
	if err := room(f.Name(), size); err != nil {
		return "", err
	}
	sum := sha256.New()
	from := &counted{r: s.store.ReadFeedArchive(ctx, id), each: func(n int64) { p.set(n, size) }}
	w := &diskWriter{w: f}
	if _, err := io.Copy(io.MultiWriter(w, sum), from); err != nil {
		if w.err != nil {
			return "", fail(CauseDisk, "The archive cannot be written to the data folder.", err)
		}
		return "", fmt.Errorf("copy archive: %w", err)
	}
	if err := f.Close(); err != nil {
		return "", fail(CauseDisk, "The archive cannot be written to the data folder.", err)
	}
	return digest(sum), nil
}

// counted tells how much was read.
type counted struct {
	r    io.Reader
	n    int64
	each func(int64)
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.each(c.n)
	return n, err
}

// settle says what becomes of an archive after it was tried. Bytes that can
// never be installed go; the others stay for another try, since sending them
// again may take an hour.
func (s *Service) settle(ctx context.Context, a engine.FeedArchive, out engine.FeedSync, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	switch {
	case err == nil && out.Status == "success": // kept
		return
	case err == nil, a.Source == StarterSource, out.Cause == CauseChecksum, out.Cause == CauseFormat:
		err = s.store.DropFeedArchive(ctx, a.ID)
	case out.ID == 0: // it did not come to a sync
		err = s.store.RefuseFeedArchive(ctx, a.ID, CauseInternal, engine.MessageOf(err, "It could not be installed; the log has the reason."))
	case out.Status == "cancelled":
		err = s.store.RefuseFeedArchive(ctx, a.ID, out.Status, out.Message)
	default:
		err = s.store.RefuseFeedArchive(ctx, a.ID, out.Cause, out.Message)
	}
	if err != nil && !errors.Is(err, engine.ErrNotFound) {
		s.log.WarnContext(ctx, "upload not settled", "upload", a.ID, "err", err)
	}
}

// interruptedArchives lists those whose installation ended with the program and
// that are worth another try. Its caller holds the lock, so none is being
// installed now.
func (s *Service) interruptedArchives(ctx context.Context) ([]engine.FeedArchive, error) {
	list, err := s.store.FeedArchives(ctx)
	if err != nil {
		return nil, err
	}
	var again []engine.FeedArchive
	for _, a := range list {
		switch {
		case a.State != engine.FeedArchiveInstalling:
		case a.Source == StarterSource: // it is made anew where it is wanted
			err = s.store.DropFeedArchive(ctx, a.ID)
		case a.Tries < maxTries:
			again = append(again, a)
		default:
			err = s.store.RefuseFeedArchive(ctx, a.ID, CauseInterrupted, "The program stopped while it was installed, twice.")
		}
		if err != nil {
			return nil, err
		}
	}
	return again, nil
}

// fetched reports whether data came from an address that other hosts may ask.
func fetched(d engine.FeedData) bool {
	return strings.HasPrefix(d.Source, "http://") || strings.HasPrefix(d.Source, "https://")
}
