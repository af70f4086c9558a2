package analyzer

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"syscall"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
	"windlass/internal/engine/search"
)

// order is what a child is asked to do, as JSON on its standard input. The
// bytes that it is about are in the folder of the job.
type order struct {
	Image  *registry.Resolved // an image that was pulled
	Import bool               // or one that was analyzed elsewhere
	Limits Limits
	Search *search.Settings
}

// said is a line that a child says: one of its fields.
type said struct {
	Progress *saidProgress `json:"progress,omitempty"`
	Log      *saidLog      `json:"log,omitempty"`
	Fault    *saidFault    `json:"fault,omitempty"`
	Done     bool          `json:"done,omitempty"`
}

type saidProgress struct {
	Stage       engine.Stage
	Done, Total int64
}

type saidLog struct {
	Level slog.Level
	Text  string
	Attrs []string // names and values by turns
}

// saidFault is an error on its way to the parent: its whole text for the log,
// and what of it a person is shown or decisions hang on.
type saidFault struct {
	Stage   engine.Stage
	Text    string
	Panic   bool
	Message string // of a Fault
	Cause   string // of a Problem

	Unavailable bool // the kind of the Fault, else it is of what is invalid
}

// What a child may say.
const (
	maxLine     = 64 << 10
	maxSaidText = 16 << 10 // of an error, a message or an attribute
	maxAttrs    = 32
	maxLogged   = 1000     // lines of the log
	maxSaid     = 32 << 20 // bytes, all lines together
)

// speaker writes lines for the parent, from any goroutine.
type speaker struct {
	mu  sync.Mutex
	enc *json.Encoder
}

func newSpeaker(w io.Writer) *speaker { return &speaker{enc: json.NewEncoder(w)} }

// say does not tell of an error: a parent that is gone takes its child along.
func (s *speaker) say(line said) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.enc.Encode(line)
}

func (s *speaker) progress(stage engine.Stage, done, total int64) {
	s.say(said{Progress: &saidProgress{stage, done, total}})
}

// end says how it ended.
func (s *speaker) end(err error) {
	if err == nil {
		s.say(said{Done: true})
		return
	}
	f := &saidFault{Stage: StageOf(err), Text: engine.Text(err.Error(), maxSaidText), Panic: errors.Is(err, errPanic)}
	var fault *engine.Fault
	if errors.As(err, &fault) {
		f.Message, f.Unavailable = engine.Text(fault.Message, maxSaidText), errors.Is(fault, engine.ErrUnavailable)
	}
	if cause, ok := engine.CauseOf(err); ok {
		f.Cause = cause.Code
	} else if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		f.Cause, f.Message, f.Unavailable = engine.CauseDisk, "The disk of the analyzer is full.", true
	}
	s.say(said{Fault: f})
}

// err makes the error again. The child may be anybody's by now: only causes
// that exist are taken from it, and stages that it can be in.
func (f *saidFault) err() error {
	text := engine.Text(f.Text, maxSaidText)
	err := errors.New(text)
	if f.Panic {
		return &engine.Fault{
			Kind: engine.ErrInvalid, Message: "A parser fell over the content of this image; its log says more.",
			Cause: &engine.Problem{Cause: engine.CauseParser, Err: err},
		}
	}
	if cause, ok := engine.CauseByCode(f.Cause); ok {
		err = &engine.Problem{Cause: cause.Code, Err: err}
	}
	if f.Message == "" {
		return err
	}
	kind := engine.ErrInvalid
	if f.Unavailable {
		kind = engine.ErrUnavailable
	}
	return &engine.Fault{Kind: kind, Message: engine.Text(f.Message, maxSaidText), Cause: err}
}

// childStages are the stages that a child can be in.
var childStages = []engine.Stage{engine.StageSBOM, engine.StageContent}

func childStage(s engine.Stage) engine.Stage {
	if slices.Contains(childStages, s) {
		return s
	}
	return engine.StageSBOM
}

// wireHandler is the log of a child: its records go to the parent, which writes
// them where its own go.
type wireHandler struct {
	say   *speaker
	group string
	attrs []string
}

func (h *wireHandler) Enabled(_ context.Context, l slog.Level) bool { return l >= slog.LevelInfo }

func (h *wireHandler) Handle(_ context.Context, r slog.Record) error {
	attrs := slices.Clone(h.attrs)
	r.Attrs(func(a slog.Attr) bool {
		attrs = h.add(attrs, a)
		return true
	})
	h.say.say(said{Log: &saidLog{r.Level, engine.Text(r.Message, 1<<10), attrs[:min(len(attrs), 2*maxAttrs)]}})
	return nil
}

func (h *wireHandler) WithAttrs(list []slog.Attr) slog.Handler {
	c := *h
	c.attrs = slices.Clone(h.attrs)
	for _, a := range list {
		c.attrs = h.add(c.attrs, a)
	}
	return &c
}

func (h *wireHandler) WithGroup(name string) slog.Handler {
	c := *h
	c.group = strings.TrimPrefix(h.group+name+".", ".")
	return &c
}

// add renders an attribute. A few long ones must not make the line too long.
func (h *wireHandler) add(attrs []string, a slog.Attr) []string {
	return append(attrs, h.group+a.Key, engine.Text(a.Value.Resolve().String(), 1<<10))
}

// write writes a child's record into the parent's log.
func (l *saidLog) write(ctx context.Context, log *slog.Logger) {
	attrs := make([]slog.Attr, 0, maxAttrs)
	for i := 0; i+1 < len(l.Attrs) && len(attrs) < maxAttrs; i += 2 {
		attrs = append(attrs, slog.String(engine.Text(l.Attrs[i], 100), engine.Text(l.Attrs[i+1], maxSaidText)))
	}
	log.LogAttrs(ctx, min(max(l.Level, slog.LevelInfo), slog.LevelError), engine.Text(l.Text, 1<<10), attrs...)
}
