// Package bff is the console: server-rendered pages, their live updates and
// the proxy to the v1 API, over an Engine that it does not look behind. It may
// import package engine (the vocabulary) and the web packages, and no other
// part of the engine.
//
// render.go tells how to write a page's handlers, web/templates/layout.templ
// how to write its markup, follow.go how it becomes live.
package bff

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/prometheus/client_golang/prometheus"

	"windlass/internal/bff/live"
	"windlass/internal/bff/session"
	"windlass/internal/engine"
)

// Engine is everything the console asks of a scanner, grouped by role. Each
// role is declared beside the pages that ask for it.
type Engine interface {
	Auth
	Overview
	Troubleshoot
	Services
	Events
	SavedFilters
	Retention
	Feeds
	Images
	Registries
	Policies
	Samples
	Queues
	Logs
	APIDocument
	VEX
	Subscriptions
	Deliveries
	Webhooks
	Accounts
	Audit
	Search
	// Watch calls each with every change after the given number, in order,
	// until ctx ends (nil) or the connection is lost (an error: resume).
	Watch(ctx context.Context, after int64, each func(engine.Change) error) error
	LastChange(ctx context.Context) (int64, error)
}

// Options is what a console is made of. Engine alone is needed.
type Options struct {
	Engine  Engine
	Log     *slog.Logger
	API     string              // base address of the v1 API that /v1 is proxied to; empty: no proxy
	Metrics prometheus.Gatherer // empty: no /metrics
	Secure  bool                // browsers reach the console by TLS: cookies say so
	// UploadLimit bounds the body of an image or feed upload; 0: 8 GiB.
	UploadLimit int64
	// Deadline is how long a page may take; 0: 30 s.
	Deadline time.Duration
	// Audit, when given, is told of each administrative action.
	Audit func(context.Context, engine.AuditEntry) error
}

// Limits of a request that no setting changes.
const (
	formLimit    = 1 << 20 // of any body that is not an upload
	headerLimit  = 16 << 10
	readTimeout  = 30 * time.Second
	idleTimeout  = 90 * time.Second
	uploadLimit  = 8 << 30
	pageDeadline = 30 * time.Second
)

// Server is the console's listener.
type Server struct {
	opts     Options
	engine   Engine
	log      *slog.Logger
	app      *fiber.App
	hub      *live.Hub
	live     *follower
	buffers  *sync.Pool // write buffers of sockets: an idle one holds none
	tabs     tabs
	recheck  chan struct{} // sessions are in doubt: see sessions.go
	doubted  atomic.Int64  // when some were last, in Unix seconds
	throttle *session.Throttle
	// diagnosing holds who looks a bundle's text through.
	diagnosing chan struct{}
	status     statusCache
	api        *url.URL
	proxy      *proxy
	base       context.Context // life of the server: no handler outlives it
	stop       context.CancelFunc
}

// New builds a console; Serve runs it. Tests may send requests to App at once.
func New(o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.UploadLimit <= 0 {
		o.UploadLimit = uploadLimit
	}
	if o.Deadline <= 0 {
		o.Deadline = pageDeadline
	}
	s := &Server{opts: o, engine: tolerant{o.Engine}, log: o.Log, throttle: session.NewThrottle(), hub: live.NewHub(), buffers: &sync.Pool{}, recheck: make(chan struct{}, 1), diagnosing: make(chan struct{}, 1)}
	s.base, s.stop = context.WithCancel(context.Background())
	s.live = newFollower(o.Engine, s.hub, o.Log)
	s.live.each = s.doubtSessions
	if o.API != "" {
		u, err := url.Parse(o.API)
		if err != nil || u.Host == "" {
			return nil, fmt.Errorf("console: %q is no address of an API", o.API)
		}
		s.api = u
	}
	s.proxy = newProxy(s.api)
	s.app = fiber.New(fiber.Config{
		AppName:                      "windlass",
		DisableStartupMessage:        true,
		Immutable:                    true, // nothing from a request is borrowed
		StreamRequestBody:            true, // uploads do not pass through memory
		DisablePreParseMultipartForm: true,
		BodyLimit:                    formLimit,
		ReadBufferSize:               headerLimit,
		ReadTimeout:                  readTimeout,
		IdleTimeout:                  idleTimeout,
		ErrorHandler:                 s.fail,
	})
	live.Prepare(s.app)
	s.middleware()
	s.publicRoutes(s.app)
	s.app.Use(s.signedIn, s.maySee, s.engineHas)
	s.routes(s.app)
	s.app.Use(func(c *fiber.Ctx) error { return engine.NotFoundf("There is no page at %s.", c.Path()) })
	return s, nil
}

// App is the console's handler.
func (s *Server) App() *fiber.App { return s.app }

// Serve answers on ln until ctx ends, then stops in order: sockets are told
// to come back later, requests in flight are finished, all within ten seconds.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	var own sync.WaitGroup
	own.Go(func() { s.live.run(s.base) })
	own.Go(func() { s.watchSessions(s.base) })
	own.Go(func() { s.beat(s.base) })
	done := make(chan error, 1)
	go func() { done <- s.app.Listener(ln) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		s.hub.Close(grace) // the app's own shutdown does not see upgraded sockets
		err = s.app.ShutdownWithContext(grace)
	}
	s.stop()
	own.Wait()
	if err != nil {
		return fmt.Errorf("console: %w", err)
	}
	return nil
}

// routes lists every page. A page's handlers stand in the file of its name.
func (s *Server) routes(r fiber.Router) {
	r.Get("/status", s.statusFragment)
	s.searchRoutes(r)
	s.overviewRoutes(r)
	s.troubleshootRoutes(r)
	s.servicesRoutes(r)
	s.eventsRoutes(r)
	s.feedsRoutes(r)
	s.imagesRoutes(r)
	s.vexRoutes(r)
	s.policiesRoutes(r)
	s.registriesRoutes(r)
	s.subscriptionsRoutes(r)
	s.accountRoutes(r)
	s.accountsRoutes(r)
	s.auditRoutes(r)
	s.samplesRoutes(r)
	s.queueRoutes(r)
	s.logsRoutes(r)
	s.apiRoutes(r)
}

// publicRoutes need no session.
func (s *Server) publicRoutes(r fiber.Router) {
	r.Get("/healthz", s.healthz)
	if s.opts.Metrics != nil {
		r.Get("/metrics", s.metrics())
	}
	r.Get("/static/:name", s.asset)
	r.Post("/prefs", s.setPrefs)
	s.authRoutes(r)
	s.proxyRoutes(r)
	s.liveRoutes(r)
}
