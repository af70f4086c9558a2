package relay

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/logs"
)

const (
	// Prefix is what the paths of a Server begin with.
	Prefix = "/internal/logs/"

	maxQuery   = 64 << 10
	maxStreams = 64               // followers of one host; each holds files open
	maxReaders = 16               // queries that are answered at once
	writeTime  = 30 * time.Second // in which one piece of an answer must be taken
	aliveEvery = 10 * time.Second
	frameBytes = 1 << 20 // of text in one line of a stream
)

// Server gives the logs of this host to other hosts of the engine.
type Server struct {
	set     *logs.Set
	key     Key
	log     *slog.Logger
	streams chan struct{}
	readers chan struct{}
	base    context.Context
	stop    context.CancelFunc
}

// NewServer serves the logs in set.
func NewServer(set *logs.Set, key Key, log *slog.Logger) *Server {
	s := &Server{set: set, key: key, log: log, streams: make(chan struct{}, maxStreams), readers: make(chan struct{}, maxReaders)}
	s.base, s.stop = context.WithCancel(context.Background())
	return s
}

// Close ends all streams, which no shutdown of a listener would.
func (s *Server) Close() { s.stop() }

// Wrap answers what is below Prefix and leaves the rest to next.
func (s *Server) Wrap(next http.Handler) http.Handler {
	answers := map[string]func(http.ResponseWriter, *http.Request, wireQuery) error{
		"lines": s.lines, "follow": s.follow, "files": s.files, "file": s.file,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ours := strings.CutPrefix(r.URL.Path, Prefix)
		if !ours {
			next.ServeHTTP(w, r)
			return
		}
		answer := answers[name]
		if answer == nil || r.Method != http.MethodPost {
			http.NotFound(w, r)
			return
		}
		q, ok := s.admit(w, r)
		if !ok {
			return
		}
		// The listener waits for requests when it stops, and these can be long.
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(s.base, cancel)()
		if err := answer(w, r.WithContext(ctx), q); err != nil {
			s.refuse(w, r, err)
		}
	})
}

// admit proves a request and reads it.
func (s *Server) admit(w http.ResponseWriter, r *http.Request) (q wireQuery, ok bool) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxQuery))
	if err != nil {
		http.Error(w, "the query is too long", http.StatusRequestEntityTooLarge)
		return q, false
	}
	if code, reason := s.key.check(r, s.set.Host(), body); code != 0 {
		http.Error(w, reason, code)
		return q, false
	}
	w.Header().Set(headerProof, s.key.ofReply(r.Header.Get(headerNonce), s.set.Host()))
	if err := json.Unmarshal(body, &q); err != nil {
		http.Error(w, "the query cannot be read", http.StatusBadRequest)
		return q, false
	}
	return q, true
}

// errBusy is told to those who come when all hands are in use.
var errBusy = errors.New("it is answering too many others")

// enter takes one of a number of places; leave gives it back.
func enter(places chan struct{}) (leave func(), err error) {
	select {
	case places <- struct{}{}:
		return func() { <-places }, nil
	default:
		return nil, errBusy
	}
}

// refuse answers with an error, unless the answer has begun.
func (s *Server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case r.Context().Err() != nil:
	case errors.Is(err, engine.ErrInvalid):
		http.Error(w, engine.MessageOf(err, "the query is not valid"), http.StatusBadRequest)
	case errors.Is(err, engine.ErrNotFound):
		http.Error(w, engine.MessageOf(err, "no such file"), http.StatusNotFound)
	case errors.Is(err, errBusy):
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
	default:
		s.log.WarnContext(r.Context(), "log relay failed", "path", r.URL.Path, "err", err)
		http.Error(w, "its logs cannot be read", http.StatusInternalServerError)
	}
}

func (s *Server) lines(w http.ResponseWriter, r *http.Request, wq wireQuery) error {
	leave, err := enter(s.readers)
	if err != nil {
		return err
	}
	defer leave()
	q, _, err := wq.query()
	if err != nil {
		return err
	}
	page, err := s.set.Tail(r.Context(), q)
	if err != nil {
		return err
	}
	return s.reply(w, fromPage(page))
}

func (s *Server) files(w http.ResponseWriter, _ *http.Request, _ wireQuery) error {
	list, err := s.set.Files()
	if err != nil {
		return err
	}
	out := make([]wireFile, len(list))
	for i, f := range list {
		out[i] = fromFile(f)
	}
	return s.reply(w, out)
}

func (s *Server) reply(w http.ResponseWriter, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return err
	}
	soon(w)
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(body) // whoever asked has left
	return nil
}

// soon gives the next write a limit of its own: a listener of streams has none.
func soon(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime)) // a test's recorder has no deadline
}

// headerFile describes the file that is the body.
const headerFile = "Windlass-File"

func (s *Server) file(w http.ResponseWriter, _ *http.Request, q wireQuery) error {
	leave, err := enter(s.streams)
	if err != nil {
		return err
	}
	defer leave()
	file, body, err := s.set.Open(q.File)
	if err != nil {
		return err
	}
	defer body.Close()
	about, err := json.Marshal(fromFile(file))
	if err != nil {
		return err
	}
	w.Header().Set(headerFile, string(about))
	w.Header().Set("Content-Type", "application/octet-stream")
	buf := make([]byte, 64<<10)
	for {
		n, err := body.Read(buf)
		if n > 0 {
			soon(w)
			if _, err := w.Write(buf[:n]); err != nil {
				return nil // whoever asked has left
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			panic(http.ErrAbortHandler) // a short file must not look whole
		}
	}
}

// follow streams frames, a line each, until whoever asked leaves. While the
// reader is busy nothing is written and the follower falls behind on its own
// host, which counts what it passes over.
func (s *Server) follow(w http.ResponseWriter, r *http.Request, wq wireQuery) error {
	leave, err := enter(s.streams)
	if err != nil {
		return err
	}
	defer leave()
	q, after, err := wq.query()
	if err != nil {
		return err
	}
	if err := logs.Check(q); err != nil {
		return err
	}
	out := &stream{w: w}
	if err := out.send(wireFrame{}); err != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(r.Context())
	var alive sync.WaitGroup
	alive.Go(func() {
		tick := time.NewTicker(aliveEvery)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
				if out.send(wireFrame{}) != nil {
					cancel()
					return
				}
			}
		}
	})
	defer alive.Wait()
	defer cancel()
	err = s.set.Follow(ctx, q, after, out.frame)
	if err != nil && ctx.Err() == nil && !errors.Is(err, errLeft) {
		s.log.WarnContext(ctx, "log relay ended", "err", err)
	}
	return nil
}

var errLeft = errors.New("the reader has left")

// stream writes frames for one reader.
type stream struct {
	mu sync.Mutex
	w  http.ResponseWriter
}

// frame sends a frame in pieces of a bounded size.
func (s *stream) frame(f engine.LogFrame) error {
	out := wireFrame{Skipped: f.Skipped, Gap: f.Gap}
	rest, size := f.Lines, 0
	for i, l := range f.Lines {
		if size += len(l.Text); size > frameBytes {
			out.Lines = fromLines(rest[:len(rest)-(len(f.Lines)-i)])
			if err := s.send(out); err != nil {
				return err
			}
			out, rest, size = wireFrame{}, f.Lines[i:], len(l.Text)
		}
	}
	out.Lines, out.Last = fromLines(rest), f.Last.String()
	return s.send(out)
}

func (s *stream) send(f wireFrame) error {
	body, err := json.Marshal(f)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	soon(s.w)
	if _, err := s.w.Write(append(body, '\n')); err != nil {
		return errLeft
	}
	if err := http.NewResponseController(s.w).Flush(); err != nil {
		return errLeft
	}
	return nil
}
