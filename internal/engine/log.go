package engine

import (
	"maps"
	"net/url"
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
	Context    bool   // stands beside a line that matches, and does not match itself
}

// Source is the log that the line is of.
func (l LogLine) Source() LogSource { return LogSource{Service: l.Service, Host: l.Host} }

// Position is where the line begins.
func (l LogLine) Position() LogPosition {
	return LogPosition{Generation: l.Generation, Offset: l.Offset}
}

// LogFileNames gives the documented file of each service.
var LogFileNames = map[string]string{
	APIExt:       "anchore-api.log",
	Catalog:      "anchore-catalog.log",
	PolicyEngine: "anchore-policy-engine.log",
	SimpleQueue:  "anchore-simplequeue.log",
	Analyzer:     "anchore-worker.log",
}

// LogSource is the log of one service on one host.
type LogSource struct{ Service, Host string }

// LogQuery selects log lines.
type LogQuery struct {
	Services []string // empty: all
	Hosts    []string // empty: all that are known
	Level    string   // least level; empty: all
	Text     string   // must contain (case-insensitive), or match when Regex
	Regex    bool
	Invert   bool
	Context  int // lines to give on each side of one that matches, of the same log
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

// LogCursor is a position in each of several logs.
type LogCursor map[LogSource]LogPosition

// LogPage is the answer to a LogQuery, oldest line first. The two cursors
// bound what was looked at, which is more than the lines that matched.
type LogPage struct {
	Lines  []LogLine
	First  LogCursor // for Until: what lies before
	Last   LogCursor // for following, or From: what comes after
	More   bool      // there may be more beyond, on the side where the search ended
	Seen   time.Time // how far a search that spent its budget of bytes came; zero otherwise
	Missed bool      // From or Until lie in files that are gone
	Failed []LogHostFault
}

// LogHostFault says of a host why its logs are not in an answer.
type LogHostFault struct{ Host, Reason string }

// LogHost is a host whose logs can be asked for.
type LogHost struct {
	Name     string
	Own      bool     // it is the one that answers
	Services []string // that have a record there
}

// LogFrame is one delivery to a follower.
type LogFrame struct {
	Skipped int  // matching lines passed over, before Lines, since the follower was behind
	Gap     bool // lines are missing before Lines whose number is not known
	Lines   []LogLine
	Last    LogCursor // to resume after this frame
	Failed  []LogHostFault
	Back    []string // hosts that had failed and are followed again, from where they were
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

// MaxLogHosts bounds the hosts whose logs are read as one: a cursor has to fit
// an address.
const MaxLogHosts = 24

// String gives the cursor as one word fit for an address, host by host:
// "one~catalog-5d2a9c-1024.policy_engine--0~two~analyzer-77e-0".
func (c LogCursor) String() string {
	hosts := map[string][]string{}
	for src, p := range c {
		hosts[src.Host] = append(hosts[src.Host], src.Service+"-"+p.Generation+"-"+strconv.FormatInt(p.Offset, 10))
	}
	var parts []string
	for _, host := range slices.Sorted(maps.Keys(hosts)) {
		slices.Sort(hosts[host])
		parts = append(parts, strings.ReplaceAll(url.PathEscape(host), "~", "%7E"), strings.Join(hosts[host], "."))
	}
	return strings.Join(parts, "~")
}

// ParseLogCursor reads what String wrote. The empty word is the empty cursor.
func ParseLogCursor(s string) (LogCursor, error) {
	if s == "" {
		return nil, nil
	}
	parts := strings.SplitN(s, "~", 2*MaxLogHosts+1)
	if len(parts)%2 != 0 || len(parts) > 2*MaxLogHosts {
		return nil, Invalidf("log position: expected hosts with their positions, at most %d", MaxLogHosts)
	}
	c := LogCursor{}
	for i := 0; i < len(parts); i += 2 {
		host, err := url.PathUnescape(parts[i])
		if err != nil || len(host) > 255 {
			return nil, Invalidf("log position: %q is no host", parts[i])
		}
		positions := strings.SplitN(parts[i+1], ".", len(ServiceNames)+1)
		if len(positions) > len(ServiceNames) {
			return nil, Invalidf("log position: more than %d services", len(ServiceNames))
		}
		for _, part := range positions {
			service, p, err := parseLogPosition(part)
			if err != nil {
				return nil, err
			}
			c[LogSource{Service: service, Host: host}] = p
		}
	}
	return c, nil
}

func parseLogPosition(s string) (service string, p LogPosition, err error) {
	f := strings.Split(s, "-")
	if len(f) != 3 || !slices.Contains(ServiceNames, f[0]) || !LogGeneration(f[1]) {
		return "", p, Invalidf("log position %q: expected service-generation-offset", s)
	}
	offset, err := strconv.ParseInt(f[2], 10, 64)
	if err != nil || offset < 0 {
		return "", p, Invalidf("log position %q: the offset is not a number", s)
	}
	return f[0], LogPosition{Generation: f[1], Offset: offset}, nil
}

// LogGeneration reports whether s can be the name of a generation.
func LogGeneration(s string) bool {
	return len(s) <= 16 && strings.Trim(s, "0123456789abcdef") == ""
}
