package core

import (
	"context"
	"net/http"
	"path/filepath"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/analyzer"
	"windlass/internal/engine/apiv1"
	"windlass/internal/engine/catalog"
	"windlass/internal/engine/feeds"
	"windlass/internal/engine/health"
	"windlass/internal/engine/queue"
	"windlass/internal/engine/supervise"
	"windlass/internal/engine/vuln"
)

// parts gives a service its handler and the tasks that live and die with it.
func (c *Core) parts(s *supervise.Service) (http.Handler, map[string]func(context.Context) error) {
	switch s.Name {
	case engine.APIExt:
		return apiv1.New(c, apiv1.Options{Log: s.Log, Metrics: c.metrics.Handler(), Observe: c.metrics.Request, Audit: c.AddAudit, AWSAuto: c.opts.AWSAuto, Spool: c.spool.Temporary()}), nil
	case engine.Catalog:
		return c.listener(s), map[string]func(context.Context) error{
			"service watcher":   c.catalog.WatchServices,
			"image collector":   c.catalog.CollectImages,
			"import collector":  c.catalog.CollectImports,
			"archive rules":     c.catalog.RunArchiveRules,
			"image repair":      c.catalog.RepairImages,
			"change trimmer":    c.catalog.TrimChanges,
			"service history":   c.catalog.TrimServiceHistory,
			"event deletion":    c.RunPurges,
			"event retention":   c.RunRetention,
			"notifications":     c.deliverer(s).Run,
			"old notifications": c.trimNotifications,
			"account cleanup":   c.catalog.CleanAccounts,
			"audit trimmer":     c.catalog.TrimAudit(c.opts.AuditKeep),
			"tag watcher": func(ctx context.Context) error {
				return c.catalog.WatchTags(ctx, engine.Cycle(c.opts.TagWatch, catalog.TagWatchMin, catalog.TagWatchMax))
			},
			"repository watcher": func(ctx context.Context) error {
				return c.catalog.WatchRepositories(ctx, engine.Cycle(c.opts.RepoWatch, catalog.RepoWatchMin, catalog.RepoWatchMax))
			},
			"image counts":  c.catalog.DrawCounts,
			"queue history": c.catalog.SampleQueues,
			"queue watcher": c.catalog.WatchQueues,
		}
	case engine.Analyzer:
		w := c.analyses(s)
		scanner := newScannerWatch(c.opts.Search, s.Log)
		s.Note = scanner.note
		return c.listener(s), map[string]func(context.Context) error{
			"analyses": func(ctx context.Context) error {
				// Leases of a process of this host that was killed are free
				// to be taken: no two processes share a host id.
				if err := c.store.ReleaseHost(ctx, c.opts.Host); err != nil {
					return err
				}
				return w.Run(ctx)
			},
			"malware scanner": scanner.run,
			"upload sweeper":  func(ctx context.Context) error { return c.spool.Sweep(ctx, c.store, s.Log) },
		}
	case engine.PolicyEngine:
		return c.listener(s), map[string]func(context.Context) error{
			"feed sync":      c.feeds.Run,
			"image matching": c.worker(s, engine.QueueMatch, matchHands, c.rematcher(s).Handle).Run,
			"starter data":   c.worker(s, engine.QueueFeeds, 1, c.installStarter).Run,
			"evaluations":    c.worker(s, engine.QueueEvaluate, 1, c.evaluations(s).Handle).Run,
			"re-evaluations": c.worker(s, engine.QueueReevaluate, 1, c.evaluations(s).Reevaluate).Run,
			"policy watcher": c.evaluations(s).Watch,
		}
	}
	return c.listener(s), nil
}

// listener answers at the address of a service that has no API of its own.
func (c *Core) listener(s *supervise.Service) http.Handler {
	return health.Handler(health.Options{
		Service: s.Name, Authenticate: c.auth.Authenticate, Metrics: c.metrics.Handler(), Log: s.Log,
	})
}

// newCatalog makes the catalog's work, which the API calls even where the
// service itself runs on another host.
func (c *Core) newCatalog() *catalog.Catalog {
	return &catalog.Catalog{
		Store: c.store, Watches: c.store, Registry: c.registry, Credentials: c.store.Registries,
		Holder: c.id, Host: c.opts.Host, Source: c.source(engine.Catalog), Log: c.opts.Logs.Logger(engine.Catalog),
		ArchiveDryRun: c.opts.ArchiveDryRun,
	}
}

// newFeeds makes the feed service and the matcher over the data it installs.
func (c *Core) newFeeds() (*feeds.Service, *vuln.Matcher) {
	dir := filepath.Join(c.opts.DataDir, "feeds")
	log := c.opts.Logs.Logger(engine.PolicyEngine)
	service := feeds.New(feeds.Config{
		Dir: dir, URL: c.opts.FeedsURL, Interval: c.opts.FeedsInterval, Source: c.source(engine.PolicyEngine),
	}, c.store, log)
	return service, vuln.New(c.store, dir, log)
}

// analyses makes the worker of the queue of images to analyze.
func (c *Core) analyses(s *supervise.Service) *queue.Worker {
	w := &analyzer.Worker{
		Store: c.store, Registry: c.registry, Credentials: c.store.Registries, Matcher: c.matcher, Imports: c.store, Spool: c.spool,
		Process: c.opts.Analysis, Search: c.opts.Search, Host: c.opts.Host, Source: s.Source(), Log: s.Log,
	}
	w.Observe = func(j engine.Job, run engine.Run, ok bool) {
		c.metrics.Analysis(run, ok)
		if analyzer.IsImport(j) {
			c.metrics.Import(run.Took, ok)
		}
	}
	return c.worker(s, engine.QueueAnalyze, c.opts.Analyzers, w.Handle)
}

// worker works a queue off with a number of hands.
func (c *Core) worker(s *supervise.Service, name string, hands int, handle func(context.Context, engine.Job) error) *queue.Worker {
	return &queue.Worker{Queue: name, Host: c.opts.Host, ID: c.id, Hands: hands, Jobs: c.store, Log: s.Log, Handle: handle}
}

// matchHands leaves a core to the analyses on the smallest hosts.
const matchHands = 1

// rematcher matches stored images again after a switch of the feed data.
func (c *Core) rematcher(s *supervise.Service) *vuln.Rematcher {
	return &vuln.Rematcher{Matcher: c.matcher, Store: c.store, Log: s.Log}
}

// Services lists the records of all services.
func (c *Core) Services(ctx context.Context) ([]engine.Service, error) { return c.store.Services(ctx) }

// ServiceHistory lists the transitions since a moment, oldest first, preceded
// by the last one before it of each service.
func (c *Core) ServiceHistory(ctx context.Context, since time.Time) ([]engine.ServiceTransition, error) {
	return c.store.ServiceHistory(ctx, since)
}

// RemoveService forgets a service that is not up.
func (c *Core) RemoveService(ctx context.Context, name, host string) error {
	return c.store.RemoveService(ctx, name, host, "removed by request", c.source(engine.APIExt))
}

// QueueStats counts what waits and what is leased.
func (c *Core) QueueStats(ctx context.Context) ([]engine.QueueStat, error) {
	return c.store.QueueStats(ctx)
}

// source names a service of this process in events; of this host alone when it
// does not run here.
func (c *Core) source(name string) engine.Source {
	for _, s := range c.services {
		if s.Name == name {
			return s.Source()
		}
	}
	return engine.Source{Service: name, Host: c.opts.Host}
}
