// Package logs writes one rotated file for each engine service and reads them
// back for the log viewer.
//
// Writing: a Set hands out a *slog.Logger for each service. A record becomes
// exactly one line of the documented shape,
//
//	2026-11-22 21:45:00.123+0000 [-] [component] [package/function()] [LEVEL] message key=value
//
// with everything that could end the line or steer a terminal escaped, and
// whatever looks like a credential left out. A write goes straight to the file:
// what was logged before a crash is there after it.
//
// Reading: the files are the only buffer. Tail and Follow open them like any
// other reader, so that a slow viewer costs the writers nothing and a viewer
// can begin anywhere. A generation (one file between two rotations) is known
// by a fingerprint of its first line, which survives the renaming of rotation;
// with an offset it makes a position that holds across rotations and restarts.
//
// The package imports the vocabulary only.
package logs

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"windlass/internal/engine"
)

const (
	// maxFileBytes and maxGenerations are the documented rotation limits.
	maxFileBytes   = 10_000_000
	maxGenerations = 10
	// maxLine is where a longer line is cut, both when written and when read.
	maxLine = 64 << 10
	// MaxText bounds the text of a line as it is read back.
	MaxText = maxLine + len(cutMark)
)

// Options adjusts a Set. The zero value is fit for use.
type Options struct {
	Level slog.Level // least level written; zero is info
	// Echo, when given, gets every line too, prefixed "[service:catalog] ".
	Echo io.Writer

	maxBytes int64 // tests rotate sooner
	keep     int
}

// Set is the log files of one host.
type Set struct {
	dir, host string
	level     slog.LevelVar
	sinks     map[string]*sink
	watch     watcher
}

// Open prepares the files in dir, which it makes if need be.
func Open(dir, host string, o Options) (*Set, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("log folder: %w", err)
	}
	if o.maxBytes == 0 {
		o.maxBytes = maxFileBytes
	}
	if o.keep == 0 {
		o.keep = maxGenerations
	}
	s := &Set{dir: dir, host: host, sinks: map[string]*sink{}}
	s.watch.dir = dir
	s.level.Set(o.Level)
	echo := &echo{to: o.Echo}
	for _, service := range engine.ServiceNames {
		file, err := openRotated(filepath.Join(dir, engine.LogFileNames[service]), o.maxBytes, o.keep)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("log file of %s: %w", service, err), s.Close())
		}
		s.sinks[service] = &sink{service: service, level: &s.level, file: file, echo: echo,
			prefix: "[service:" + shortName(service) + "] "}
	}
	return s, nil
}

// Logger gives the logger of a service. A service that has no file logs with
// the API's, so that nothing is lost by a wrong name.
func (s *Set) Logger(service string) *slog.Logger {
	sink, ok := s.sinks[service]
	if !ok {
		sink = s.sinks[engine.APIExt]
	}
	return slog.New(&handler{sink: sink, component: plainName(service)})
}

// Host is the name of the host that these logs are of.
func (s *Set) Host() string { return s.host }

// SetLevel changes the least level written, of all services at once.
func (s *Set) SetLevel(l slog.Level) { s.level.Set(l) }

// Close closes the files and ends all followers' wake-ups.
func (s *Set) Close() error {
	errs := []error{s.watch.close()}
	for _, k := range s.sinks {
		errs = append(errs, k.file.Close())
	}
	return errors.Join(errs...)
}

// ParseLevel reads a level by its documented name, in any case.
func ParseLevel(name string) (slog.Level, error) {
	for _, l := range levels {
		if strings.EqualFold(name, l.label) {
			return l.level, nil
		}
	}
	return 0, engine.Invalidf("log level %q: expected one of fatal, error, warn, info, debug, spew", name)
}

// levels lists the documented levels, highest first.
var levels = []struct {
	level slog.Level
	label string // in the file
	name  string // in the vocabulary
}{
	{slog.LevelError + 4, "FATAL", "fatal"},
	{slog.LevelError, "ERROR", "error"},
	{slog.LevelWarn, "WARN", "warn"},
	{slog.LevelInfo, "INFO", "info"},
	{slog.LevelDebug, "DEBUG", "debug"},
	{slog.LevelDebug - 4, "SPEW", "spew"},
}

func label(l slog.Level) string {
	for _, k := range levels {
		if l >= k.level {
			return k.label
		}
	}
	return "SPEW"
}

// shortName is how the guide calls a service on the container's output.
func shortName(service string) string {
	return strings.TrimSuffix(strings.TrimPrefix(engine.LogFileNames[service], "anchore-"), ".log")
}

// echo serialises the lines of all services to one writer.
type echo struct {
	mu sync.Mutex
	to io.Writer
}

func (e *echo) line(prefix string, line []byte) {
	if e.to == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, _ = e.to.Write(append([]byte(prefix), line...)) // nobody is left to tell
}
