// Package feeds brings vulnerability databases onto this host and decides which
// one is in use.
//
// A sync goes check, download, verify, unpack, index, activate. Everything up
// to the last step happens beside the data in use, in files of the data's own:
// an archive is named by its checksum, its database lies in a folder of that
// name, and a folder gets its name by a rename after everything in it is
// complete and on disk. The last step is one transaction that moves the role
// "active" from one row to another, with the groups, the counts, the events and
// the queueing of all images. So a process killed at any moment leaves either
// the old data in use or the new, never a half; what it left lying is removed
// or, in the case of a partial download, gone on with at the next sync. The
// data that was active before is kept to go back to.
//
// One sync runs at a time over all hosts, by an advisory lock in the database
// that falls with the connection of whoever holds it.
//
// What a source sends is foreign: it is bounded in size, checked against its
// announced SHA-256 before anything in it is looked at, and its contents are
// counted and compared with the last good data before they are used.
//
// Events: a sync that finds nothing new emits started and completed; one that
// installs data also feed_started and feed_completed for each feed and
// group_completed for at most twenty groups whose count changed, the largest
// changes first. A retry of a failed periodic sync emits nothing until its
// outcome differs.
package feeds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	v6 "github.com/anchore/grype/grype/db/v6"

	"windlass/internal/engine"
)

// DefaultURL is the public listing.
const DefaultURL = "https://grype.anchore.io/databases"

// Store is what the service asks of the database.
type Store interface {
	LockFeeds(ctx context.Context) (release func(), ok bool, err error)
	StartFeedSync(ctx context.Context, f engine.FeedSync, events []engine.Event) (engine.FeedSync, error)
	StepFeedSync(ctx context.Context, id int64, stage engine.FeedStage, done, total int64) error
	EndFeedSync(ctx context.Context, id int64, f engine.FeedSync, events []engine.Event) (engine.FeedSync, error)
	CancelFeedSync(ctx context.Context, by string) error
	PlanFeedSync(ctx context.Context, at time.Time) error
	FeedSyncs(ctx context.Context, limit int) ([]engine.FeedSync, error)
	TrimFeedSyncs(ctx context.Context, keep int) error
	Feeds(ctx context.Context) ([]engine.Feed, error)
	FeedData(ctx context.Context) ([]engine.FeedData, error)
	ActiveFeedData(ctx context.Context) (engine.FeedData, error)
	DataGroups(ctx context.Context, id string) ([]engine.FeedGroup, error)
	ActivateFeedData(ctx context.Context, syncID int64, d engine.FeedData, groups []engine.FeedGroup, events []engine.Event) (engine.FeedSync, error)
	RestoreGroups(ctx context.Context) (bool, error)
	DropStarter(ctx context.Context) error

	OpenFeedArchive(ctx context.Context, a engine.FeedArchive) (engine.FeedArchive, error)
	FeedArchive(ctx context.Context, id string) (engine.FeedArchive, error)
	FeedArchives(ctx context.Context) ([]engine.FeedArchive, error)
	AppendFeedArchive(ctx context.Context, id string, at int64, r io.Reader) (engine.FeedArchive, error)
	BeginFeedArchive(ctx context.Context, id string) (engine.FeedArchive, error)
	RefuseFeedArchive(ctx context.Context, id, cause, message string) error
	DropFeedArchive(ctx context.Context, id string) error
	AdoptFeedArchive(ctx context.Context, data, id string) error
	SweepFeedArchives(ctx context.Context, idle time.Duration) error
	ReadFeedArchive(ctx context.Context, id string) io.Reader
	SayFeedHost(ctx context.Context, h engine.FeedHost) error
}

// Config is what a service needs to know of its world.
type Config struct {
	Dir      string        // DATA_DIR/feeds
	URL      string        // base of the source; empty: DefaultURL
	Interval time.Duration // between periodic syncs; 0: never
	Source   engine.Source // the service that events name
}

// Service syncs feeds on this host.
type Service struct {
	cfg   Config
	store Store
	log   *slog.Logger
	http  *http.Client

	mu      sync.Mutex
	cancel  context.CancelCauseFunc // of the sync that runs here; nil: none
	next    time.Time               // of the periodic loop
	running sync.WaitGroup          // syncs started in the background
	disk    chan struct{}           // held by who works in the folder
	said    engine.FeedHost         // last, of this host
	life    context.Context         // of the background syncs: Run's
	wake    chan struct{}
}

// New makes a service. Run keeps it syncing; Sync and the others work without.
func New(cfg Config, store Store, log *slog.Logger) *Service {
	if cfg.URL == "" {
		cfg.URL = DefaultURL
	}
	return &Service{cfg: cfg, store: store, log: log, http: client(), wake: make(chan struct{}, 1), disk: make(chan struct{}, 1)}
}

// Path is the folder of the database of that id, as grype's reader wants it.
func Path(dir, id string) string {
	return filepath.Join(dir, id, strconv.Itoa(v6.ModelVersion))
}

// Installed reports whether the database of that id is complete on this host.
func Installed(dir, id string) bool {
	_, err := os.Stat(filepath.Join(Path(dir, id), v6.VulnerabilityDBFileName))
	return err == nil
}

// errCancelled ends a sync that a person stopped.
var errCancelled = errors.New("sync cancelled")

// errBusy answers a second sync.
func errBusy() error {
	return &engine.Fault{Kind: engine.ErrConflict, Message: "Feed sync lock already held", Codes: []string{"FEED_SYNC_ALREADY_IN_PROGRESS"}}
}

// Cancel stops the running sync, on whatever host it runs.
func (s *Service) Cancel(ctx context.Context, by string) error {
	err := s.store.CancelFeedSync(ctx, "Cancelled by "+by+".")
	s.mu.Lock()
	if s.cancel != nil {
		s.cancel(errCancelled)
	}
	s.mu.Unlock()
	return err
}

// Next is when the next periodic sync is due; zero: none is.
func (s *Service) Next() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.next
}

// Interval is the time between periodic syncs; 0: never.
func (s *Service) Interval() time.Duration { return s.cfg.Interval }

// URL is the address of the source's listing.
func (s *Service) URL() string { return listingURL(s.cfg.URL) }

// Rollback makes the data that was active before the active one again, on
// whatever host it was installed. Doing it twice is back where it was. What it
// takes out of use is set aside: periodic syncs leave it alone. to is the id of
// the data to go back to, so that nobody goes back further than was shown;
// empty: whatever it is.
func (s *Service) Rollback(ctx context.Context, to string) (engine.FeedSync, error) {
	return s.exclusive(ctx, rollback, s.goBack(to))
}

// StartRollback is Rollback in the background: the data may have to be brought
// onto this host first.
func (s *Service) StartRollback(ctx context.Context, to string) error {
	if _, err := s.previous(ctx, to); err != nil {
		return err
	}
	return s.background(ctx, rollback, s.goBack(to), nil)
}

// rollback is what going back is called in the history.
var rollback = job{trigger: "rollback", source: "the data before"}

func (s *Service) previous(ctx context.Context, id string) (engine.FeedData, error) {
	list, err := s.store.FeedData(ctx)
	if err != nil {
		return engine.FeedData{}, err
	}
	for _, d := range list {
		switch {
		case !d.Previous:
		case id != "" && d.ID != id:
			return d, engine.Conflictf("The data changed meanwhile: what would be gone back to is another now.")
		default:
			return d, nil
		}
	}
	return engine.FeedData{}, engine.NotFoundf("There is no earlier data to go back to.")
}

func (s *Service) goBack(to string) func(context.Context, *run) (engine.FeedSync, error) {
	return func(ctx context.Context, r *run) (engine.FeedSync, error) {
		d, err := s.previous(ctx, to)
		if err != nil {
			return engine.FeedSync{}, err
		}
		if !Installed(s.cfg.Dir, d.ID) {
			if err := s.bring(ctx, r.p, d); err != nil {
				return engine.FeedSync{}, err
			}
		}
		groups, err := s.store.DataGroups(ctx, d.ID)
		if err != nil {
			return engine.FeedSync{}, err
		}
		return s.activate(ctx, r, d, groups)
	}
}

// prepare makes the folder.
func (s *Service) prepare() error {
	if err := os.MkdirAll(s.cfg.Dir, 0o700); err != nil {
		return fail(CauseDisk, "The data folder cannot be written.", fmt.Errorf("feeds folder: %w", err))
	}
	return nil
}
