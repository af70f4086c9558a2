package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync"

	"golang.org/x/sync/errgroup"

	"windlass/internal/bff"
	"windlass/internal/bff/remote"
	"windlass/internal/engine"
	"windlass/internal/engine/apiv1"
	"windlass/internal/engine/bundles"
	"windlass/internal/engine/logs"
	"windlass/internal/engine/policy"
)

// checkEngine says what contradicts the address of another engine.
func (c *Config) checkEngine(fault func(name, format string, args ...any)) {
	if c.EngineURL == "" {
		return
	}
	if _, err := remote.ParseURL(c.EngineURL); err != nil {
		fault("CONSOLE_ENGINE_URL", "%v", err)
	}
	if c.Web == "off" {
		fault("CONSOLE_WEB", "is off, and a console is all there is with CONSOLE_ENGINE_URL")
	}
	if c.DatabaseURL != "" {
		fault("CONSOLE_DATABASE_URL", "is of no use with CONSOLE_ENGINE_URL: unset one of them")
	}
	if len(c.Services) > 0 {
		fault("CONSOLE_SERVICES", "is of no use with CONSOLE_ENGINE_URL: unset one of them")
	}
}

// knowledge is what this program can tell of version 1 by itself.
func knowledge() remote.Knowledge {
	return remote.Knowledge{
		APIDocument: sync.OnceValues(apiv1.Describe), DiagnosePolicy: bundles.Diagnose, DefaultPolicy: policy.Default, PolicyGates: policy.Gates,
	}
}

// serveRemote runs the console over the engine at another address: without
// services, and without a database.
func serveRemote(ctx context.Context, cfg Config, set *logs.Set, out io.Writer) error {
	log := set.Logger(engine.APIExt)
	eng, err := remote.New(remote.Options{URL: cfg.EngineURL, Log: log.With("component", "remote"), Knows: knowledge()})
	if err != nil {
		return fmt.Errorf("CONSOLE_ENGINE_URL: %w", err)
	}
	defer eng.Close()
	ln, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return fmt.Errorf("CONSOLE_ADDR: %w (is another copy running? set it to another address)", err)
	}
	web, err := bff.New(bff.Options{Engine: eng, Log: log, API: eng.Base()})
	if err != nil {
		ln.Close()
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return eng.Run(ctx) })
	g.Go(func() error { return web.Serve(ctx, ln) })
	_, err = fmt.Fprintf(out, "Windlass is ready: http://%s\nEngine:            %s\nSign in as:        a user of that engine\nLogs:              %s\n",
		local(ln.Addr().String()), eng.Base(), cfg.LogDir)
	if err != nil {
		return err
	}
	return g.Wait()
}
