// Package core assembles the five services over one store and answers what the
// console and the API ask. It is the only package that knows all the others.
package core

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"windlass/internal/engine"
	"windlass/internal/engine/accounts"
	"windlass/internal/engine/analyzer"
	"windlass/internal/engine/apiv1"
	"windlass/internal/engine/bundles"
	"windlass/internal/engine/catalog"
	"windlass/internal/engine/evaluation"
	"windlass/internal/engine/feeds"
	"windlass/internal/engine/logs"
	"windlass/internal/engine/logs/relay"
	"windlass/internal/engine/metrics"
	"windlass/internal/engine/notify"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/registry/awsecr"
	"windlass/internal/engine/sample"
	"windlass/internal/engine/sbom"
	"windlass/internal/engine/search"
	"windlass/internal/engine/store"
	"windlass/internal/engine/supervise"
	"windlass/internal/engine/vuln"
)

// Options is what an engine needs to know of its process.
type Options struct {
	DSN            string // of the database
	DataDir        string
	LogDir         string            // of the logs, to tell how much room they have
	Settings       []engine.Setting  // as they are, for those who help
	Host           string            // host id in service records
	Services       []string          // which of the five run here
	Addrs          map[string]string // listener of each service
	Logs           *logs.Set
	AdminPassword  engine.Secret // of the first start
	SecretKey      [32]byte      // seals stored registry passwords
	FeedsURL       string
	FeedsInterval  time.Duration
	Mirrors        map[string][]string
	Analyzers      int                    // analyses at once
	Analysis       analyzer.ProcessLimits // of the process of one analysis
	Attempts       int                    // at an analysis whose cause of failure can pass; 0: as usual
	Search         *search.Settings       // what analyses look for in files; nil: what is usual
	MaxImageSizeMB int64
	ArchiveDryRun  bool             // the regular run of the archive rules only logs
	Policies       engine.PolicySet // what new accounts begin with; empty: the default bundle
	AskAlways      bool             // checks ask the bundle also when the answer is known
	Notify         notify.Settings
	AuditKeep      time.Duration  // how long the audit log goes back
	OAuth          accounts.OAuth // tokens of POST /oauth/token
	AWSAuto        bool           // registries of AWS may be used as the machine itself: user awsauto
	TagWatch       time.Duration  // between looks at a subscribed tag; read as engine.Cycle does
	RepoWatch      time.Duration  // between looks at a subscribed repository; the same
}

// Core is an embedded engine. It satisfies the console's Engine and the API's
// Backend; the methods of a role stand in the file of its name.
type Core struct {
	*accounts.Directory // accounts, users, roles and tokens

	opts      Options
	id        string // of this process, in leases: host/random
	store     *store.Store
	spool     *analyzer.Spool
	auth      *accounts.Authenticator
	log       *slog.Logger
	relay     *relay.Reader // of the logs of all hosts
	relayed   *relay.Server // of this host's logs, to the others
	registry  *registry.Client
	catalog   *catalog.Catalog
	feeds     *feeds.Service
	matcher   *vuln.Matcher
	samples   *sample.Registry
	sboms     *sbom.Converter
	metrics   *metrics.Set
	hooks     *notify.Client
	services  []*supervise.Service
	describe  func() ([]engine.APIGroup, error) // the API document, read at its first use
	evaluator *evaluation.Evaluator
	archives  lane // those who read an archive
	documents lane // those who read a VEX document
	wholes    lane // those who read all files of images, or a whole SBOM
	removed   removals
	used      registryUsed
	host      *hostWatch
	checks    checks
	began     time.Time

	// FirstPassword is the generated password of admin when this start made
	// it; nobody can read it again.
	FirstPassword engine.Secret
}

// maxConns of this process to the database. Each waiting worker and each
// follower of the change log holds one.
const maxConns = 24

// Open connects, migrates, binds the services' sockets and makes the first
// account. Nothing works yet; Run does.
func Open(ctx context.Context, o Options) (*Core, error) {
	log := o.Logs.Logger(engine.Catalog)
	st, err := store.Open(ctx, o.DSN, maxConns, log)
	if err != nil {
		return nil, err
	}
	c := &Core{
		opts: o, id: o.Host + "/" + engine.NewID()[:8], store: st, log: log,
		describe: sync.OnceValues(apiv1.Describe),
		archives: make(lane, 1), documents: make(lane, vexHands), wholes: make(lane, wholeHands), host: newHostWatch(o.DataDir, o.LogDir), began: time.Now(),
	}
	if err := c.open(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (c *Core) open(ctx context.Context) error {
	var err error
	c.store.SetSecretKey(c.opts.SecretKey)
	key := relay.NewKey(c.opts.SecretKey)
	c.relay = relay.NewReader(c.opts.Logs, c.store.Services, key, c.log)
	c.relayed = relay.NewServer(c.opts.Logs, key, c.log)
	if len(c.opts.Policies.Bundles) == 0 {
		if c.opts.Policies, err = bundles.First(""); err != nil {
			return err
		}
	}
	c.store.SetPolicies(c.opts.Policies)
	c.store.SetAnalyzeAttempts(c.opts.Attempts)
	c.hooks = notify.NewClient(c.opts.Notify)
	if err := c.settleWebhooks(ctx); err != nil {
		return err
	}
	c.auth = accounts.New(c.store, c.log)
	c.auth.SetOAuth(c.opts.OAuth)
	c.Directory = accounts.NewDirectory(c.store, c.auth, c.log)
	if c.spool, err = analyzer.OpenSpool(filepath.Join(c.opts.DataDir, "spool")); err != nil {
		return err
	}
	c.sboms = sbom.New(c.spool.Temporary())
	c.metrics = metrics.New(c.store.QueueStats, c.opts.Services...)
	if c.samples, err = sample.Listen(); err != nil {
		return err
	}
	mirrors := map[string][]string{sample.Host: {c.samples.URL()}}
	maps.Copy(mirrors, c.opts.Mirrors)
	c.registry = registry.New(registry.Options{
		Mirrors: mirrors, MaxImageSize: c.opts.MaxImageSizeMB << 20, Logger: c.opts.Logs.Logger(engine.Catalog),
		Login: (&awsecr.Logins{Auto: c.opts.AWSAuto}).Login, Used: c.noteUse,
	})
	if err := c.bindServices(); err != nil {
		return err
	}
	// Last, so that nothing that fails before has made a password nobody saw.
	c.FirstPassword, _, err = accounts.Bootstrap(ctx, c.store, c.opts.AdminPassword, accounts.KeepIn(c.opts.DataDir))
	if err != nil {
		return fmt.Errorf("first account: %w", err)
	}
	return c.store.InstallPolicies(ctx)
}

// bindServices makes the services that run here and opens their sockets. Each
// kind's tasks stand in the file of services.
func (c *Core) bindServices() error {
	for _, name := range engine.ServiceNames {
		if !slices.Contains(c.opts.Services, name) {
			continue
		}
		s := &supervise.Service{
			Name: name, Host: c.opts.Host, Addr: c.opts.Addrs[name], Records: c.store, Log: c.opts.Logs.Logger(name), Report: c.host.report,
		}
		if err := s.Bind(); err != nil {
			return err
		}
		c.services = append(c.services, s)
	}
	c.catalog = c.newCatalog()
	c.feeds, c.matcher = c.newFeeds()
	c.evaluator = evaluation.New(c.store, c.metrics, c.source(engine.PolicyEngine), c.opts.Logs.Logger(engine.PolicyEngine))
	if c.opts.AskAlways {
		c.evaluator.AskAlways()
	}
	for _, s := range c.services {
		s.Handler, s.Tasks = c.parts(s)
		s.Handler = c.relayed.Wrap(s.Handler)
	}
	return nil
}

// Run works until ctx ends, or the database is lost for good.
func (c *Core) Run(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		return supervise.Keep(ctx, c.log, "accounts", c.auth.Run, nil)
	})
	g.Go(func() error { return c.samples.Run(ctx) })
	defer context.AfterFunc(ctx, c.relayed.Close)()
	g.Go(func() error {
		return supervise.Keep(ctx, c.log, "feed data", c.feeds.KeepInstalled, nil)
	})
	for _, s := range c.services {
		g.Go(func() error { return s.Run(ctx) })
	}
	return g.Wait()
}

// Close frees sockets that were bound and never run, and the database.
func (c *Core) Close() {
	for _, s := range c.services {
		s.Close()
	}
	if c.relay != nil {
		c.relay.Close()
		c.relayed.Close()
	}
	if c.samples != nil {
		c.samples.Close()
	}
	if c.matcher != nil {
		c.matcher.Close()
	}
	c.store.Close()
}

// APIBase is where the v1 API of this process answers; empty when it runs
// elsewhere.
func (c *Core) APIBase() string {
	for _, s := range c.services {
		if s.Name == engine.APIExt {
			return s.BaseURL()
		}
	}
	return ""
}

// Metrics are the figures of this process.
func (c *Core) Metrics() prometheus.Gatherer { return c.metrics.Gatherer() }

// Watch calls each with every change after the given number, in order, until
// ctx ends (nil) or the connection is lost.
func (c *Core) Watch(ctx context.Context, after int64, each func(engine.Change) error) error {
	err := c.store.Watch(ctx, after, each)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return nil
	}
	return err
}

// LastChange is the number of the newest change.
func (c *Core) LastChange(ctx context.Context) (int64, error) { return c.store.LastChange(ctx) }
