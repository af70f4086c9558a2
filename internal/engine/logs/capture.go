package logs

import (
	"context"
	"log/slog"
	"sync"
)

// maxCaptured is how many of the last lines a capture holds.
const maxCaptured = 200

// Capture returns a logger that writes to the same place as log, and the last
// lines written through it or its children, oldest first: the log slice of one
// attempt, kept with its failure.
func Capture(log *slog.Logger) (*slog.Logger, func() []string) {
	ring := &ring{}
	h := captureHandler{next: log.Handler(), own: &handler{}, ring: ring}
	if inner, ok := h.next.(*handler); ok {
		h.own.component = inner.component
		h.own.group, h.own.attrs = inner.group, inner.attrs
	}
	return slog.New(h), ring.lines
}

// captureHandler renders into a ring what it passes on.
type captureHandler struct {
	next slog.Handler
	own  *handler // renders; has no sink
	ring *ring
}

// Enabled keeps info and above even where the file is set to hold less: a
// failure card is read when things went wrong.
func (h captureHandler) Enabled(ctx context.Context, l slog.Level) bool {
	return l >= slog.LevelInfo || h.next.Enabled(ctx, l)
}

func (h captureHandler) Handle(ctx context.Context, r slog.Record) error {
	line := r.Time.UTC().AppendFormat(nil, "15:04:05.000 ")
	line = append(append(line, label(r.Level)...), ' ')
	h.ring.add(string(clip(h.own.appendBody(line, r))))
	if !h.next.Enabled(ctx, r.Level) {
		return nil
	}
	return h.next.Handle(ctx, r)
}

func (h captureHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return captureHandler{h.next.WithAttrs(attrs), h.own.WithAttrs(attrs).(*handler), h.ring}
}

func (h captureHandler) WithGroup(name string) slog.Handler {
	return captureHandler{h.next.WithGroup(name), h.own.WithGroup(name).(*handler), h.ring}
}

// ring holds the last lines added.
type ring struct {
	mu   sync.Mutex
	buf  []string
	next int
}

func (r *ring) add(line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.buf) < maxCaptured {
		r.buf = append(r.buf, line)
		return
	}
	r.buf[r.next] = line
	r.next = (r.next + 1) % maxCaptured
}

func (r *ring) lines() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append(append([]string(nil), r.buf[r.next:]...), r.buf[:r.next]...)
}
