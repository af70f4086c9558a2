// Package diagnose is the troubleshooting guide as decisions: what was found,
// as plain values, goes in, and a check with its evidence and the next step
// comes out. It asks nobody, so that each judgement is a table test; who looks,
// how long it may take and what is kept stands in package core.
//
// A check passes when nothing has to be done, warns when something will have
// to be, and fails when something does not work now. What could not be looked
// at is unknown, which is never a pass.
package diagnose

import (
	"fmt"
	"strconv"
	"time"

	"windlass/internal/engine"
)

// Spec is a check as it is listed, before it has run.
type Spec struct {
	ID     string
	Title  string
	System bool          // concerns the engine and its hosts, not one account
	Limit  time.Duration // how long the look may take
	Keep   time.Duration // for how long an answer stands in for a new look
}

// Specs lists the checks in the order of the guide: what stands above has to be
// right before a look at what stands below makes sense.
var Specs = []Spec{
	{engine.CheckAPI, "The API answers", false, 5 * time.Second, 3 * time.Second},
	{engine.CheckCredentials, "Credentials work", false, 5 * time.Second, 3 * time.Second},
	{engine.CheckDatabase, "The database is well", true, 5 * time.Second, 3 * time.Second},
	{engine.CheckServices, "Every service has a live instance", false, 5 * time.Second, time.Second},
	{engine.CheckHeartbeats, "Heartbeats are fresh", false, 5 * time.Second, time.Second},
	{engine.CheckClocks, "Clocks agree", true, 5 * time.Second, 3 * time.Second},
	{engine.CheckQueue, "The queue moves", false, 5 * time.Second, time.Second},
	{engine.CheckFeeds, "Feeds are on, synced and not stale", false, 5 * time.Second, time.Second},
	{engine.CheckFeedFailure, "The last feed sync went well", false, 5 * time.Second, time.Second},
	{engine.CheckDisk, "There is room on the disks", true, 5 * time.Second, 3 * time.Second},
	{engine.CheckRegistries, "Registries take their credentials", false, 25 * time.Second, time.Hour},
	{engine.CheckImages, "No image has failed", false, 5 * time.Second, time.Second},
	{engine.CheckErrors, "No error events in the last hour", false, 5 * time.Second, time.Second},
}

// Unseen is a check that could not be made, and why.
func Unseen(id, why string) engine.Check {
	return engine.Check{ID: id, Status: engine.CheckUnknown, Summary: why}
}

// finding collects a check: its status is the gravest of what is reported, its
// summary that of the first that is as grave.
type finding struct {
	engine.Check
	fine string // the summary when nothing was reported
}

func begin(id, fine string) *finding {
	return &finding{Check: engine.Check{ID: id, Status: engine.CheckPass}, fine: fine}
}

func (f *finding) say(s engine.CheckStatus, format string, args ...any) {
	if s.Gravity() > f.Status.Gravity() {
		f.Status, f.Summary = s, fmt.Sprintf(format, args...)
	}
}

func (f *finding) fact(v engine.CheckFact) { f.Facts = append(f.Facts, v) }

func (f *finding) step(v engine.CheckStep) {
	for _, s := range f.Steps {
		if s.Text == v.Text {
			return
		}
	}
	f.Steps = append(f.Steps, v)
}

func (f *finding) end() engine.Check {
	if f.Summary == "" {
		f.Summary = f.fine
	}
	return f.Check
}

func see(text, page, of string, args ...string) engine.CheckStep {
	return engine.CheckStep{Text: text, Place: at(page, of, args...)}
}

func at(page, of string, args ...string) engine.CheckPlace {
	p := engine.CheckPlace{Page: page, Of: of}
	for i := 0; i+1 < len(args); i += 2 {
		if p.Args == nil {
			p.Args = map[string]string{}
		}
		p.Args[args[i]] = args[i+1]
	}
	return p
}

func do(text string, what engine.CheckAction, arg string) engine.CheckStep {
	return engine.CheckStep{Text: text, Do: what, Arg: arg}
}

// advice is a step that is only to be read.
func advice(text string) engine.CheckStep { return engine.CheckStep{Text: text} }

// count is a number with its noun.
func count(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s + " " + many
}

// span is a duration in its largest units.
func span(d time.Duration) string {
	switch d = d.Abs(); {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + " ms"
	case d < 2*time.Minute:
		return strconv.Itoa(int(d.Seconds())) + " s"
	case d < 2*time.Hour:
		return strconv.Itoa(int(d.Minutes())) + " m"
	case d < 48*time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h"
	}
	return strconv.Itoa(int(d.Hours()/24)) + " days"
}

// size is a number of bytes for reading.
func size(n int64) string {
	v, unit := float64(n), ""
	for _, unit = range []string{"B", "kB", "MB", "GB", "TB"} {
		if v < 1000 {
			break
		}
		if unit != "TB" {
			v /= 1000
		}
	}
	if unit == "B" {
		return strconv.FormatInt(n, 10) + " B"
	}
	return strconv.FormatFloat(v, 'f', 1, 64) + " " + unit
}

func trim(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// Named gives a check the title of its spec, and says when it was made.
func (s Spec) Named(c engine.Check, began, ended time.Time) engine.Check {
	c.ID, c.Title, c.At, c.Took = s.ID, s.Title, ended.UTC(), ended.Sub(began)
	return c
}
