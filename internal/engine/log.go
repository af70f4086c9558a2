package engine

import "time"

// LogLine is one line of a service's log.
type LogLine struct {
	Service string
	Host    string
	At      time.Time
	Level   string // debug, info, warn, error
	Text    string // message and attributes
	Offset  int64  // of the line's first byte within its file generation
	File    string // generation: base name of the file it stands in
}

// LogQuery selects log lines.
type LogQuery struct {
	Services []string // empty: all
	Level    string   // least level; empty: all
	Text     string   // must contain (case-insensitive), or match when Regex
	Regex    bool
	Invert   bool
	Since    time.Time
	Before   time.Time
	Limit    int // newest that many; 0: 500
}

// LogFile describes one log file of a host.
type LogFile struct {
	Service string
	Host    string
	Name    string
	Bytes   int64
	ModTime time.Time
	Current bool
}
