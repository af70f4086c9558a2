// Package relay reads the logs of several hosts as one.
//
// Each host keeps its own files (package logs) and serves them to the others at
// the addresses of its services, below /internal/logs/ (Server). A Reader asks
// its own files and those of the hosts in the service records at once, and
// merges what they answer by time. Nothing is copied or kept: a host's files
// stay the only buffer, and a viewer that is slow slows the reading of files.
//
// Both sides prove that they hold the key of the engine (CONSOLE_SECRET_KEY),
// with a code over the request that also names the host that is meant: an
// address of another host's, such as 127.0.0.1, is told apart from the right
// one. What a host answers is bounded, checked, and believed only of itself.
//
// A host that cannot be read never fails the others' answer. It is named with
// the reason, its position in the log is kept, and a follower tries it again.
package relay

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/logs"
)

const (
	dialTime  = 1500 * time.Millisecond
	replyTime = 8 * time.Second // until a host has answered a query that is not a stream
	// alone is how long a host that did not answer is not asked again, so that
	// pages do not wait for it each time; asking for it by name still does.
	alone = 10 * time.Second
)

// Reader answers queries over the logs of all hosts.
type Reader struct {
	own      *logs.Set
	services func(context.Context) ([]engine.Service, error)
	key      Key
	log      *slog.Logger
	client   *http.Client

	mu   sync.Mutex
	down map[string]failure
}

type failure struct {
	reason string
	at     time.Time
}

// NewReader reads the logs in own, and those of the hosts that have services.
func NewReader(own *logs.Set, services func(context.Context) ([]engine.Service, error), key Key, log *slog.Logger) *Reader {
	dial := &net.Dialer{Timeout: dialTime}
	return &Reader{own: own, services: services, key: key, log: log, down: map[string]failure{}, client: &http.Client{
		Transport: &http.Transport{
			DialContext: dial.DialContext, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute, ResponseHeaderTimeout: replyTime,
		}, // no proxy: the addresses are the engine's own
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close frees connections that are not in use.
func (r *Reader) Close() { r.client.CloseIdleConnections() }

// source is the logs of one host. A *logs.Set is one.
type source interface {
	Tail(context.Context, engine.LogQuery) (engine.LogPage, error)
	Follow(ctx context.Context, q engine.LogQuery, after engine.LogCursor, each func(engine.LogFrame) error) error
}

// failed remembers that a host did not answer.
func (r *Reader) failed(host, reason string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.down[host] = failure{reason, time.Now()}
}

func (r *Reader) answered(host string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.down, host)
}

// resting gives the reason for which a host is left alone for now.
func (r *Reader) resting(host string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if f, ok := r.down[host]; ok && time.Since(f.at) < alone {
		return f.reason
	}
	return ""
}
