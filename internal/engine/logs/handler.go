package logs

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"sync"
)

// componentKey is the attribute that names the part of a service that logs; it
// has a place of its own in the line.
const componentKey = "component"

// sink is where the lines of one service go.
type sink struct {
	service string
	prefix  string
	level   *slog.LevelVar
	file    *rotated
	echo    *echo
}

// handler renders records into its sink. What With and WithGroup add is
// rendered once, when it is added.
type handler struct {
	sink      *sink
	component string
	group     string // prefix of keys, "a.b."
	attrs     []byte // rendered " key=value" pairs
}

var lineBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 1024); return &b }}

func (h *handler) Enabled(_ context.Context, l slog.Level) bool { return l >= h.sink.level.Level() }

func (h *handler) Handle(_ context.Context, r slog.Record) error {
	buf := lineBuffers.Get().(*[]byte)
	defer lineBuffers.Put(buf)
	line := append(r.Time.UTC().AppendFormat((*buf)[:0], timeLayout), " [-] ["...)
	line = append(line, h.component...)
	line = append(append(line, "] ["...), moduleOf(r.PC)...)
	line = append(append(append(line, "] ["...), label(r.Level)...), "] "...)
	line = h.appendBody(line, r)
	line = append(clip(line), '\n')
	*buf = line
	_, err := h.sink.file.Write(line)
	h.sink.echo.line(h.sink.prefix, line)
	return err
}

// appendBody renders message and attributes.
func (h *handler) appendBody(line []byte, r slog.Record) []byte {
	line = appendPlain(line, scrub(r.Message))
	line = append(line, h.attrs...)
	r.Attrs(func(a slog.Attr) bool {
		line = appendAttr(line, h.group, a, 0)
		return true
	})
	return line
}

func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *h
	c.attrs = append([]byte(nil), h.attrs...)
	for _, a := range attrs {
		if h.group == "" && a.Key == componentKey {
			c.component = plainName(a.Value.Resolve().String())
			continue
		}
		c.attrs = appendAttr(c.attrs, h.group, a, 0)
	}
	return &c
}

// plainName makes a word that cannot end its bracket.
func plainName(s string) string {
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == '[' || r == ']' || r > '~' {
			return '_'
		}
		return r
	}, s[:min(len(s), 64)])
}

func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	c := *h
	c.group = h.group + name + "."
	return &c
}

// modules remembers the name of each call site; there are as many as log
// statements in the program.
var modules sync.Map // uintptr -> string

// moduleOf names the calling code as the guide does: package/function().
func moduleOf(pc uintptr) string {
	if pc == 0 {
		return "-"
	}
	if m, ok := modules.Load(pc); ok {
		return m.(string)
	}
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	m := moduleName(frame.Function)
	modules.Store(pc, m)
	return m
}

// moduleName turns "windlass/internal/engine/feeds.(*Syncer).Run.func1" into
// "feeds/Run()".
func moduleName(function string) string {
	parts := strings.Split(function[strings.LastIndexByte(function, '/')+1:], ".")
	for len(parts) > 2 && isClosure(parts[len(parts)-1]) {
		parts = parts[:len(parts)-1]
	}
	if len(parts) < 2 {
		return "-"
	}
	return parts[0] + "/" + strings.Trim(parts[len(parts)-1], "()*[]") + "()"
}

// isClosure reports whether the compiler made this part of a function's name:
// func1, gowrap2, or a bare number.
func isClosure(part string) bool {
	rest := strings.TrimPrefix(strings.TrimPrefix(part, "func"), "gowrap")
	return strings.Trim(rest, "0123456789") == ""
}
