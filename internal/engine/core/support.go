package core

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"windlass/internal/engine"
	"windlass/internal/engine/accounts"
	"windlass/internal/engine/support"
)

// How much of each kind is packed: enough to see what happened, and no copy of
// the whole.
const (
	bundleEvents = 1000
	bundleErrors = 300
	bundleJobs   = 500
	bundleSyncs  = 100
	bundleTime   = 90 * time.Second
)

// SupportBundle writes an archive of what somebody who helps needs to know of
// this engine, without the secrets in it. What concerns images and events is of
// the account that asks, and of the engine's own.
func (c *Core) SupportBundle(ctx context.Context, w io.Writer, q engine.CheckQuery) error {
	ctx, cancel := context.WithTimeout(ctx, bundleTime)
	defer cancel()
	// Without them nothing may be told.
	secrets, err := c.secrets(ctx)
	if err != nil {
		return err
	}
	began := time.Now()
	c.log.InfoContext(ctx, "support bundle start", "user", q.Who.User, "account", q.Who.Account)
	if err := support.Write(w, c.bundleParts(ctx, q), support.NewRedactor(secrets), began); err != nil {
		return err
	}
	c.log.InfoContext(ctx, "support bundle done", "took", time.Since(began))
	return nil
}

// secrets lists all that this process knows.
func (c *Core) secrets(ctx context.Context) ([]engine.Secret, error) {
	list, err := c.store.Secrets(ctx)
	if err != nil {
		return nil, err
	}
	key := hex.EncodeToString(c.opts.SecretKey[:])
	list = append(list, engine.Secret(c.opts.DSN), engine.Secret(key), engine.Secret(strings.ToUpper(key)), c.opts.AdminPassword, c.FirstPassword)
	if cfg, err := pgconn.ParseConfig(c.opts.DSN); err == nil {
		list = append(list, engine.Secret(cfg.Password))
	}
	for _, h := range c.opts.Notify.Webhooks {
		list = append(list, h.Password)
		if u, err := url.Parse(h.URL); err == nil {
			list = append(list, engine.Secret(u.RequestURI()))
		}
	}
	if raw, err := os.ReadFile(filepath.Join(c.opts.DataDir, accounts.PasswordFile)); err == nil {
		list = append(list, engine.Secret(strings.TrimSpace(string(raw))))
	}
	return list, nil
}

func (c *Core) bundleParts(ctx context.Context, q engine.CheckQuery) []support.Part {
	q.System, q.Only, q.Fresh, q.Reach = true, nil, true, false
	var checks []engine.Check
	parts := []support.Part{
		{Name: "report.md", Says: "the checks of the troubleshooting guide", Make: func() (any, error) {
			var err error
			if checks, err = c.Checks(ctx, q); err != nil {
				return nil, err
			}
			return engine.CheckReport(checks, time.Now()), nil
		}},
		{Name: "checks.json", Says: "the same with all its parts", Make: func() (any, error) { return checks, nil }},
		{Name: "versions.json", Says: "of the program, its modules, the host and the database", Make: func() (any, error) { return c.versions(ctx) }},
		{Name: "config.json", Says: "settings of the process that made this", Make: func() (any, error) { return c.opts.Settings, nil }},
		{Name: "services.json", Says: "records of all services on all hosts", Make: func() (any, error) { return c.store.Services(ctx) }},
		{Name: "service-history.json", Says: "what went up and down in seven days", Make: func() (any, error) {
			return c.store.ServiceHistory(ctx, time.Now().AddDate(0, 0, -7))
		}},
		{Name: "database.json", Says: "what the database says of itself", Make: func() (any, error) { return c.store.Database(ctx) }},
		{Name: "migrations.json", Says: "steps that the schema has taken", Make: func() (any, error) { return c.store.Migrations(ctx) }},
		{Name: "queues.json", Says: "what waits, and what is stuck", Make: func() (any, error) { return c.store.QueueStates(ctx) }},
		{Name: "jobs.json", Says: "the oldest messages of the queues", Make: func() (any, error) { return c.bundledJobs(ctx) }},
		{Name: "feeds.json", Says: "feeds with their groups", Make: func() (any, error) { return c.store.Feeds(ctx) }},
		{Name: "feed-status.json", Says: "the data in use", Make: func() (any, error) { return c.FeedStatus(ctx) }},
		{Name: "feed-syncs.json", Says: "the last syncs and how they ended", Make: func() (any, error) { return c.store.FeedSyncs(ctx, bundleSyncs) }},
		{Name: "failed-images.json", Says: "failed images by their cause", Make: func() (any, error) { return c.store.FailedGroups(ctx, q.Account) }},
		{Name: "events.ndjson", Says: "the newest events", Make: func() (any, error) { return c.bundledEvents(ctx, q.Account, engine.EventFilter{}, bundleEvents) }},
		{Name: "errors.ndjson", Says: "the newest error events", Make: func() (any, error) {
			return c.bundledEvents(ctx, q.Account, engine.EventFilter{Level: engine.LevelError}, bundleErrors)
		}},
	}
	return append(parts, c.bundledLogs(ctx)...)
}

// bundledJobs are without what they carry, whose bytes nobody looks through.
func (c *Core) bundledJobs(ctx context.Context) ([]engine.Job, error) {
	list, err := c.store.Jobs(ctx, bundleJobs)
	for i := range list {
		list[i].Payload = nil
	}
	return list, err
}

func (c *Core) bundledEvents(ctx context.Context, account string, f engine.EventFilter, n int) (string, error) {
	var b strings.Builder
	accounts := []string{account}
	if account != engine.AdminAccount {
		accounts = append(accounts, engine.AdminAccount)
	}
	for _, a := range accounts {
		list, err := c.store.Events(ctx, a, f, engine.EventPage{Limit: n})
		if err != nil {
			return "", err
		}
		for _, e := range list.Events {
			line, err := json.Marshal(e)
			if err != nil {
				return "", err
			}
			b.Write(append(line, '\n'))
		}
	}
	return b.String(), nil
}

// versions is what runs here. Of the modules those are named that decide what
// is found in images.
func (c *Core) versions(ctx context.Context) (any, error) {
	v := map[string]any{
		"windlass": engine.Version, "schema": engine.DBVersion, "go": runtime.Version(), "os": runtime.GOOS, "arch": runtime.GOARCH,
		"cpus": runtime.NumCPU(), "host": c.opts.Host, "services": c.opts.Services, "process_started": c.began.UTC(), "now": time.Now().UTC(),
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		modules := map[string]string{}
		for _, m := range info.Deps {
			modules[m.Path] = m.Version
		}
		v["modules"] = modules
		for _, s := range info.Settings {
			if strings.HasPrefix(s.Key, "vcs.") {
				v[s.Key] = s.Value
			}
		}
	}
	if d, err := c.store.Database(ctx); err == nil {
		v["postgresql"] = d.Server
	}
	return v, nil
}
