package supervise

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"windlass/internal/engine"
)

// HeartbeatEvery is how often a service says that it lives.
const HeartbeatEvery = 5 * time.Second

// stopLimit bounds how long a service waits for requests in hand when it stops.
const stopLimit = 4 * time.Second

// Records is where services are written down.
type Records interface {
	RegisterService(ctx context.Context, v engine.Service) error
	Heartbeat(ctx context.Context, v engine.Service, src engine.Source) error
}

// Service is one of the five: a listener that answers at its base URL and the
// tasks behind it. They live and die together: when one fails the whole
// service is started again, and its record tells.
type Service struct {
	Name    string
	Host    string
	Addr    string // to listen on
	Handler http.Handler
	Tasks   map[string]func(context.Context) error
	Records Records
	Log     *slog.Logger
	Note    func() string             // what it has to say of itself while it is well; nil or empty: nothing
	Report  func() *engine.HostReport // what goes with each heartbeat; nil: nothing

	ln       net.Listener
	base     string
	restarts atomic.Int32
}

// Bind opens the service's socket, so that a taken port is known at the start
// and not from a log.
func (s *Service) Bind() error {
	if s.ln != nil {
		return nil
	}
	ln, err := net.Listen("tcp", s.Addr)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	// Kept with the port that was given, so that a restart answers where it
	// answered before.
	s.ln, s.Addr = ln, ln.Addr().String()
	s.base = "http://" + s.advertised()
	return nil
}

// advertised is the address others reach the service at: the host's name in
// place of a wildcard.
func (s *Service) advertised() string {
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		return s.Addr
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = s.Host
	}
	return net.JoinHostPort(host, port)
}

// BaseURL is where the service answers; known after Bind.
func (s *Service) BaseURL() string { return s.base }

// Source names the service in the events it emits.
func (s *Service) Source() engine.Source {
	return engine.Source{Service: s.Name, Host: s.Host, BaseURL: s.base}
}

// Run keeps the service up until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	return Keep(ctx, s.Log, s.Name, s.life, func(err error) {
		s.restarts.Add(1)
		s.tell(ctx, engine.ServiceUnavailable, fmt.Sprintf("restarting after: %.200s", firstLine(err)))
	})
}

// Close frees the socket of a service that was bound and never run.
func (s *Service) Close() {
	if s.ln != nil {
		s.ln.Close()
		s.ln = nil
	}
}

// life is the service from its start to the failure of any of its parts.
func (s *Service) life(ctx context.Context) error {
	if err := s.Bind(); err != nil {
		return err
	}
	ln := s.ln
	s.ln = nil
	if err := s.Records.RegisterService(ctx, s.record(engine.ServiceRegistered, "starting")); err != nil {
		ln.Close()
		return err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return guard(ctx, func(ctx context.Context) error { return s.serve(ctx, ln) }) })
	g.Go(func() error { return guard(ctx, s.heartbeat) })
	for name, task := range s.Tasks {
		g.Go(func() error {
			if err := guard(ctx, task); ctx.Err() == nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			return nil
		})
	}
	s.Log.InfoContext(ctx, "service start", "url", s.base)
	defer s.Log.InfoContext(context.WithoutCancel(ctx), "service stop")
	return g.Wait()
}

func (s *Service) serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler: s.Handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(ln) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
	defer cancel()
	err := srv.Shutdown(stop)
	if err != nil {
		srv.Close()
	}
	<-ended
	return err
}

// heartbeat says at once and then regularly that the service lives, after
// having seen that its own address answers.
func (s *Service) heartbeat(ctx context.Context) error {
	tick := time.NewTicker(HeartbeatEvery)
	defer tick.Stop()
	for {
		if err := Probe(ctx, s.base); err != nil {
			s.tell(ctx, engine.ServiceUnavailable, "own address does not answer: "+err.Error())
		} else {
			s.tell(ctx, engine.ServiceAvailable, s.note())
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (s *Service) note() string {
	if s.Note != nil {
		if text := s.Note(); text != "" {
			return text
		}
	}
	return "all good"
}

// tell stores the service's state. A database that is away is no reason for
// the service to die: it is told again at the next heartbeat.
func (s *Service) tell(ctx context.Context, state engine.ServiceState, message string) {
	if ctx.Err() != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, HeartbeatEvery)
	defer cancel()
	v := s.record(state, message)
	if s.Report != nil {
		v.Detail.Host = s.Report()
	}
	if err := s.Records.Heartbeat(ctx, v, s.Source()); err != nil && ctx.Err() == nil {
		s.Log.WarnContext(ctx, "heartbeat failed", "err", err)
	}
}

func (s *Service) record(state engine.ServiceState, message string) engine.Service {
	up := state == engine.ServiceAvailable
	return engine.Service{
		Host: s.Host, Name: s.Name, BaseURL: s.base, State: state, Restarts: int(s.restarts.Load()),
		Detail: engine.ServiceDetail{Up: up, Available: up, Message: message, Version: engine.Version, DBVersion: engine.DBVersion},
	}
}

func firstLine(err error) string {
	text := err.Error()
	for i, c := range text {
		if c == '\n' {
			return text[:i]
		}
	}
	return text
}

var probeClient = &http.Client{
	Timeout:       2 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// Probe asks a service whether it answers at its base URL.
func Probe(ctx context.Context, base string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/health", nil)
	if err != nil {
		return err
	}
	resp, err := probeClient.Do(req)
	if err != nil {
		return errors.Unwrap(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return nil
}
