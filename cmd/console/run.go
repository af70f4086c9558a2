package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"windlass/internal/bff"
	"windlass/internal/engine"
	"windlass/internal/engine/accounts"
	"windlass/internal/engine/analyzer"
	"windlass/internal/engine/core"
	"windlass/internal/engine/logs"
	"windlass/internal/engine/pgchild"
)

// stopLimit bounds how long the built-in database is given to stop; the parts
// before it have limits of their own, ten seconds in all.
const stopLimit = 4 * time.Second

// run does what the command line asks for. It is main without the process, for
// tests.
func run(ctx context.Context, args []string, out, errOut io.Writer) error {
	cmd, c, err := parse(args, out)
	if err != nil {
		return err
	}
	switch cmd {
	case "sample":
		return c.Sample.run(ctx, out)
	case "health":
		return c.Health.run(ctx)
	}
	if err := c.Serve.finish(); err != nil {
		return err
	}
	return serve(ctx, c.Serve, out, errOut)
}

// serve runs the engine and the console until ctx ends.
func serve(ctx context.Context, cfg Config, out, errOut io.Writer) error {
	if err := os.MkdirAll(cfg.DataDir, 0o711); err != nil { // passable for the unprivileged owner of the database
		return fmt.Errorf("CONSOLE_DATA_DIR: %w", err)
	}
	level, err := logs.ParseLevel(cfg.LogLevel)
	if err != nil {
		return err
	}
	set, err := logs.Open(cfg.LogDir, cfg.HostID, logs.Options{Level: level})
	if err != nil {
		return fmt.Errorf("CONSOLE_LOG_DIR: %w", err)
	}
	defer set.Close()
	if cfg.EngineURL != "" {
		return serveRemote(ctx, cfg, set, out)
	}
	dsn, db, err := database(ctx, cfg)
	if err != nil {
		return stopped(ctx, err)
	}
	if db != nil {
		defer db.Stop(stopLimit)
	}
	eng, err := openEngine(ctx, cfg, dsn, set)
	if err != nil {
		return stopped(ctx, err)
	}
	defer eng.Close()
	web, ln, err := openWeb(cfg, eng, set)
	if err != nil {
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return eng.Run(ctx) })
	if web != nil {
		g.Go(func() error { return web.Serve(ctx, ln) })
	}
	if db != nil {
		g.Go(func() error {
			select {
			case <-ctx.Done():
				return nil
			case <-db.Done():
				return errors.New("the built-in PostgreSQL has ended: see " + filepath.Join(cfg.DataDir, "postgres.log"))
			}
		})
	}
	if err := announce(cfg, eng, ln, out); err != nil {
		return err
	}
	return g.Wait()
}

// stopped is nil when an error only says that we were told to stop.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// database gives the address of the database, starting the built-in one when
// no other is set.
func database(ctx context.Context, cfg Config) (string, *pgchild.Server, error) {
	if cfg.DatabaseURL != "" {
		return cfg.DatabaseURL.Reveal(), nil, nil
	}
	db, err := pgchild.Start(ctx, pgchild.Options{Bin: cfg.PostgresBin, Dir: cfg.DataDir, Search: fetched()})
	if err != nil {
		return "", nil, fmt.Errorf("built-in database: %w", err)
	}
	return db.DSN, db, nil
}

// fetched is where make puts PostgreSQL when the system has none: beside the
// project, or beside the program.
func fetched() []string {
	dirs := []string{filepath.Join(".cache", "postgres", "bin")}
	if exe, err := os.Executable(); err == nil {
		dirs = append(dirs, filepath.Join(filepath.Dir(exe), "..", ".cache", "postgres", "bin"))
	}
	for i, d := range dirs {
		if abs, err := filepath.Abs(d); err == nil {
			dirs[i] = abs
		}
	}
	return dirs
}

func openEngine(ctx context.Context, cfg Config, dsn string, set *logs.Set) (*core.Core, error) {
	key, err := secretKey(cfg)
	if err != nil {
		return nil, err
	}
	eng, err := core.Open(ctx, core.Options{
		DSN: dsn, DataDir: cfg.DataDir, LogDir: cfg.LogDir, Settings: cfg.settings(), Host: cfg.HostID, Services: cfg.Services, Addrs: cfg.addrs(), Logs: set,
		AdminPassword: cfg.AdminPassword, SecretKey: key, FeedsURL: strings.TrimRight(cfg.FeedsURL, "/"), FeedsInterval: cfg.FeedsInterval,
		Mirrors: cfg.mirrors, Analyzers: cfg.Analyzers, Attempts: cfg.Attempts,
		Analysis: analyzer.ProcessLimits{Memory: cfg.AnalysisMemory << 20, Timeout: cfg.AnalysisTimeout},
		Search:   cfg.search, MaxImageSizeMB: cfg.MaxImageSizeMB, Policies: cfg.policies, AskAlways: !cfg.EvaluationCache, Notify: cfg.notify,
		OAuth: cfg.oauth, AuditKeep: cfg.AuditKeep,
		AWSAuto: cfg.AWSAuto == "on", TagWatch: cfg.TagWatch, RepoWatch: cfg.RepoWatch,
		ArchiveDryRun: cfg.ArchiveDryRun,
	})
	if err != nil {
		return nil, explain(cfg, err)
	}
	return eng, nil
}

// explain names the setting behind an error of the start.
func explain(cfg Config, err error) error {
	var op *net.OpError
	if errors.As(err, &op) && op.Op == "listen" {
		for name, addr := range cfg.addrs() {
			if op.Addr != nil && strings.HasSuffix(op.Addr.String(), addr[strings.LastIndexByte(addr, ':'):]) {
				return fmt.Errorf("%s: cannot listen on %s: %w (is another copy running? set %s to another address)", name, addr, op.Err, settingOf[name])
			}
		}
	}
	if errors.Is(err, engine.ErrUnavailable) && cfg.DatabaseURL != "" {
		return fmt.Errorf("CONSOLE_DATABASE_URL: the database does not answer: %w", err)
	}
	return err
}

var settingOf = map[string]string{
	engine.APIExt: "CONSOLE_API_ADDR", engine.Catalog: "CONSOLE_CATALOG_ADDR", engine.SimpleQueue: "CONSOLE_QUEUE_ADDR",
	engine.Analyzer: "CONSOLE_ANALYZER_ADDR", engine.PolicyEngine: "CONSOLE_POLICY_ADDR",
}

func openWeb(cfg Config, eng *core.Core, set *logs.Set) (*bff.Server, net.Listener, error) {
	if cfg.Web == "off" {
		return nil, nil, nil
	}
	ln, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return nil, nil, fmt.Errorf("CONSOLE_ADDR: %w (is another copy running? set it to another address)", err)
	}
	api := eng.APIBase()
	if api == "" {
		api = "http://" + cfg.APIAddr
	}
	web, err := bff.New(bff.Options{Engine: eng, Log: set.Logger(engine.APIExt), API: api, Metrics: eng.Metrics(), Audit: eng.AddAudit})
	if err != nil {
		ln.Close()
		return nil, nil, err
	}
	return web, ln, nil
}

// announce says where the program answers, and how to sign in the first time.
func announce(cfg Config, eng *core.Core, ln net.Listener, out io.Writer) error {
	var b strings.Builder
	if ln != nil {
		fmt.Fprintf(&b, "Windlass is ready: http://%s\n", local(ln.Addr().String()))
	} else {
		fmt.Fprintln(&b, "Windlass is ready, without a console.")
	}
	if api := eng.APIBase(); api != "" {
		fmt.Fprintf(&b, "v1 API:            %s/v1\n", strings.Replace(api, "127.0.0.1", "localhost", 1))
	}
	if eng.FirstPassword != "" {
		path := filepath.Join(cfg.DataDir, accounts.PasswordFile)
		fmt.Fprintf(&b, "Sign in as:        admin  %s\n                   (shown once; kept in %s)\n", eng.FirstPassword.Reveal(), path)
	}
	fmt.Fprintf(&b, "Logs:              %s\n", cfg.LogDir)
	_, err := io.WriteString(out, b.String())
	return err
}

func local(addr string) string { return strings.Replace(addr, "127.0.0.1", "localhost", 1) }
