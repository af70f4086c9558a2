package engine

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// LogLine is one line of a service's log.
type LogLine struct {
	Service    string
	Host       string
	At         time.Time
	Level      string // spew, debug, info, warn, error, fatal; empty: not known
	Component  string // part of the service
	Module     string // package/function()
	Text       string // message and attributes
	Offset     int64  // of the line's first byte within its file generation
	File       string // base name of the file it stood in when read
	Generation string // names that file's content, however rotation renames it
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
	// Oldest asks for the first lines after Since or From, where the default
	// is the last before Before or Until.
	Oldest bool
	From   LogCursor // Oldest only: lines from these positions on
	Until  LogCursor // lines before these positions
}

// LogPosition is a place between two lines of one service's log that holds
// across rotations and restarts.
type LogPosition struct {
	Generation string // empty: before the first line there is
	Offset     int64
}

// LogCursor is a position in the log of each service.
type LogCursor map[string]LogPosition

// LogPage is the answer to a LogQuery, oldest line first. The two cursors
// bound what was looked at, which is more than the lines that matched.
type LogPage struct {
	Lines  []LogLine
	First  LogCursor // for Until: what lies before
	Last   LogCursor // for following, or From: what comes after
	More   bool      // there may be more beyond, on the side where the search ended
	Seen   time.Time // how far a search that spent its budget of bytes came; zero otherwise
	Missed bool      // From or Until lie in files that are gone
}

// LogFrame is one delivery to a follower.
type LogFrame struct {
	Skipped int  // matching lines passed over, before Lines, since the follower was behind
	Gap     bool // lines are missing before Lines whose number is not known
	Lines   []LogLine
	Last    LogCursor // to resume after this frame
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

// String gives the cursor as one word fit for an address:
// "catalog-5d2a9c-1024.policy_engine--0".
func (c LogCursor) String() string {
	parts := make([]string, 0, len(c))
	for service, p := range c {
		parts = append(parts, service+"-"+p.Generation+"-"+strconv.FormatInt(p.Offset, 10))
	}
	slices.Sort(parts)
	return strings.Join(parts, ".")
}

// ParseLogCursor reads what String wrote. The empty word is the empty cursor.
func ParseLogCursor(s string) (LogCursor, error) {
	if s == "" {
		return nil, nil
	}
	parts := strings.SplitN(s, ".", len(ServiceNames)+1)
	if len(parts) > len(ServiceNames) {
		return nil, Invalidf("log position: more than %d services", len(ServiceNames))
	}
	c := make(LogCursor, len(parts))
	for _, part := range parts {
		f := strings.Split(part, "-")
		if len(f) != 3 || !slices.Contains(ServiceNames, f[0]) || len(f[1]) > 16 || strings.Trim(f[1], "0123456789abcdef") != "" {
			return nil, Invalidf("log position %q: expected service-generation-offset", part)
		}
		offset, err := strconv.ParseInt(f[2], 10, 64)
		if err != nil || offset < 0 {
			return nil, Invalidf("log position %q: the offset is not a number", part)
		}
		c[f[0]] = LogPosition{Generation: f[1], Offset: offset}
	}
	return c, nil
}
