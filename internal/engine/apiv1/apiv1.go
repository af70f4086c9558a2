// Package apiv1 is the v1 API: wire types, routes, handlers, errors and the
// OpenAPI document, over a Backend in the engine's words.
//
// One table drives everything: this project's own document of the API, which
// stands in openapi, a file a subject, and is merged at the start. It says which paths exist, what a request may hold and
// what a reply looks like. A request is checked in this order, each step with
// an answer of its own:
//
//	route and method     404, 405  problem body
//	parameters and body  400, 415  problem body, before anyone is asked for a password
//	authentication       401       plain text
//	permission           403       application error
//	the handler          anything  application error
//
// # Writing an operation
//
// Its path, parameters, body and replies stand in its subject's file of openapi
// under an operationId. Its handler is a method on Server in the file of its subject,
// entered in that file's table of operations:
//
//	func (s *Server) eventsOps() map[string]op {
//		return map[string]op{
//			"listEvents": {perm: acct("listEvents"), call: s.listEvents},
//		}
//	}
//
//	func (s *Server) listEvents(w http.ResponseWriter, r *request) error {
//		limit := r.queryInt("limit", 100)
//		list, err := s.backend.Events(r.Context(), r.Account, ...)
//		if err != nil {
//			return err
//		}
//		return reply(w, list)
//	}
//
// What the document can say (types, enums, patterns, bounds) has been checked
// when the handler runs. A handler returns an error rather than write one:
// errors.go turns engine.Fault and the sentinels into replies, status(err, n)
// overrides the code, and anything else is logged with the request's id and
// shown as a bare 500.
package apiv1

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"windlass/internal/engine"
)

// Backend is everything the API asks of the engine, grouped by role. Each role
// is declared beside the handlers that ask for it.
type Backend interface {
	Accounts
	Archives
	Audit
	Auth
	Checks
	Evaluations
	Events
	Exports
	Feeds
	FeedData
	Images
	Imports
	Policies
	Queries
	Queues
	Registries
	Repositories
	Retention
	Roles
	Samples
	Subscriptions
	System
	Tokens
	Uploads
	Users
	VEX
	Webhooks
}

// writeGrace is how much longer than an operation may take its reply may take
// to be read.
const writeGrace = time.Minute

// Options are the limits of a Server; zero values take the defaults.
type Options struct {
	Log *slog.Logger
	// MaxBody bounds a request's body unless its operation says otherwise.
	MaxBody int64
	// Timeout bounds the handling of a request unless its operation says
	// otherwise.
	Timeout time.Duration
	// MaxHeavy is how many requests marked heavy run at once; one more waits
	// for HeavyWait and is then told to come back.
	MaxHeavy  int
	HeavyWait time.Duration
	// Metrics answers /metrics for any user; nil: not found.
	Metrics http.Handler
	// Observe, when given, is told of each answered request; method and path
	// are the operation's, and empty where there is none.
	Observe func(method, path string, code int, took time.Duration)
	// Audit, when given, is told of each administrative action.
	Audit func(context.Context, engine.AuditEntry) error
	// Spool is the folder of bodies that are large; empty: that of temporary
	// files.
	Spool string
	// AWSAuto: a registry may be stored that is used as the machine itself.
	AWSAuto bool
}

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.MaxBody == 0 {
		o.MaxBody = 10 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = 180 * time.Second
	}
	if o.MaxHeavy == 0 {
		o.MaxHeavy = 16
	}
	if o.HeavyWait == 0 {
		o.HeavyWait = 5 * time.Second
	}
	return o
}

// Server answers the v1 API.
type Server struct {
	backend Backend
	log     *slog.Logger
	opts    Options
	doc     *document
	routes  *tree
	heavy   chan struct{}
	large   chan struct{} // bodies above largeBody that are being checked
	uploads *share        // those that are laid on disk
}

// New builds the API over a backend. It panics when the embedded document and
// the handlers contradict each other: that is a fault of the build, not of the
// world, and every test of this package finds it.
func New(b Backend, opts Options) *Server {
	opts = opts.withDefaults()
	doc, err := loadDocument()
	if err != nil {
		panic("apiv1: " + err.Error())
	}
	s := &Server{
		backend: b, log: opts.Log, opts: opts, doc: doc,
		routes: newTree(), heavy: make(chan struct{}, opts.MaxHeavy), large: make(chan struct{}, largeHands),
		uploads: newShare(uploadsOfAll, uploadsOfOne),
	}
	if opts.Metrics != nil {
		s.handle("getMetrics", op{perm: anyo, call: s.metrics, quiet: true})
	}
	for _, ops := range []map[string]op{
		s.systemOps(), s.feedsOps(), s.eventsOps(), s.webhooksOps(),
		s.accountsOps(), s.usersOps(), s.rolesOps(), s.tokensOps(), s.oauthOps(), s.auditOps(),
		s.imagesOps(), s.contentOps(), s.exportsOps(), s.vulnerabilitiesOps(), s.queriesOps(), s.samplesOps(),
		s.importOps(), s.importsOps(), s.archivesOps(), s.retentionOps(),
		s.registriesOps(), s.repositoriesOps(), s.subscriptionsOps(),
		s.policiesOps(), s.evaluationsOps(), s.vexOps(), s.checksOps(), s.queuesOps(), s.feedDataOps(),
	} {
		for id, o := range ops {
			s.handle(id, o)
		}
	}
	return s
}

// handle puts an operation of the document on the router.
func (s *Server) handle(id string, o op) {
	e, ok := s.doc.endpoints[id]
	if !ok {
		panic("apiv1: no operation " + id + " in the API document")
	}
	if o.maxBody == 0 {
		o.maxBody = s.opts.MaxBody
	}
	if o.timeout == 0 {
		o.timeout = s.opts.Timeout
	}
	s.routes.add(e.route.Method, e.route.Path, &bound{op: o, endpoint: e, audited: audited(e.route.Method, id)})
}

// ServeHTTP answers one request and logs it.
func (s *Server) ServeHTTP(w http.ResponseWriter, hr *http.Request) {
	began := time.Now()
	rw := &response{ResponseWriter: w}
	r := &request{Request: hr, ID: requestID(hr)}
	rw.Header().Set("X-Request-Id", r.ID)
	defer s.note(rw, r)
	s.guard(rw, r)
	took := time.Since(began)
	if s.opts.Observe != nil {
		s.opts.Observe(r.method, r.path, rw.code(), took)
	}
	level := slog.LevelInfo
	if r.quiet {
		level = slog.LevelDebug
	}
	s.log.LogAttrs(hr.Context(), level, "request done",
		slog.String("method", hr.Method), slog.String("path", clip(hr.URL.Path, 512)), slog.Int("status", rw.code()),
		slog.Duration("took", took), slog.String("user", r.Identity.User), slog.String("account", clip(r.Account, 256)), slog.String("request", r.ID))
}

// guard answers a request, whatever its handler does.
func (s *Server) guard(w *response, r *request) {
	defer func() {
		if p := recover(); p != nil {
			if p == http.ErrAbortHandler {
				panic(p)
			}
			s.crashed(w, r, p)
		}
	}()
	if err := s.serve(w, r); err != nil {
		s.fail(w, r, err)
	}
}

func (s *Server) serve(w *response, r *request) error {
	b, params, err := s.routes.find(r.Method, r.URL.EscapedPath())
	if err != nil {
		return err
	}
	r.params, r.method, r.path, r.quiet = params, b.endpoint.route.Method, b.endpoint.route.Path, b.quiet
	r.operation, r.audited = b.endpoint.route.Operation.OperationID, b.audited
	// A client that sends or reads too slowly is cut off like one that asks
	// for too much.
	life := http.NewResponseController(w.ResponseWriter)
	_ = life.SetReadDeadline(time.Now().Add(b.timeout)) // recorders in tests have none
	_ = life.SetWriteDeadline(time.Now().Add(b.timeout + writeGrace))
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = http.MaxBytesReader(w.ResponseWriter, r.Body, b.maxBody)
	}
	if err := b.endpoint.read(r); err != nil {
		return err
	}
	if err := s.validate(r, b); err != nil {
		return err
	}
	if err := s.authorize(r, b.perm); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), b.timeout)
	defer cancel()
	if b.perm.class == classAcct && (b.writes || r.method != http.MethodGet) {
		if ctx, err = s.backend.Enter(ctx, r.Account); err != nil {
			return err
		}
	}
	r.Request = r.WithContext(ctx)
	if b.heavy {
		release, err := s.admit(ctx)
		if err != nil {
			return err
		}
		defer release()
	}
	return b.call(w, r)
}
