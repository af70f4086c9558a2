package engine

import (
	"slices"
	"time"
)

// How available the services were is told from their transitions alone. Four
// things can be true of an instance at a moment: it was up, it was starting,
// it was down (seen from outside: no answer, no heartbeat, restarting), or it
// did not run, which nobody saw while it was so and which its next start wrote
// down. Not having run counts as down. Where there is no record (before the
// first start, after the record's removal, before the history begins) nothing
// is known, and what is not known counts neither way; nor does starting.

// Health is what an instance, or all of a service's instances, were.
type Health string

const (
	HealthUnknown  Health = ""
	HealthUp       Health = "up"
	HealthPartly   Health = "partly" // of several instances: some up, some not
	HealthStarting Health = "starting"
	HealthDown     Health = "down"
	HealthOff      Health = "off" // did not run
)

// Answers reports whether somebody answered.
func (h Health) Answers() bool { return h == HealthUp || h == HealthPartly }

// Out reports whether nobody did who should have.
func (h Health) Out() bool { return h == HealthDown || h == HealthOff }

// CauseNotRun is the cause of the transition that a start writes when the
// service had not run.
const CauseNotRun = "did not run"

// CauseRestarted is the cause of the transition from a state to itself that a
// start writes which came so soon that nobody missed the service.
const CauseRestarted = "restarted"

// HealthSpan is a time in which the health did not change.
type HealthSpan struct {
	From, To time.Time
	Health   Health
	Cause    string // of its beginning
}

// Instance names one service on one host.
type Instance struct{ Name, Host string }

// Timelines rebuilds what each instance was from its transitions, which are
// ordered and begin with the last one before since, where there was one. The
// records say how those are now that have not moved at all.
func Timelines(records []Service, history []ServiceTransition, since, now time.Time) map[Instance][]HealthSpan {
	out := map[Instance][]HealthSpan{}
	moves := map[Instance][]ServiceTransition{}
	for _, t := range history {
		k := Instance{t.Name, t.Host}
		moves[k] = append(moves[k], t)
	}
	for k, list := range moves {
		out[k] = timeline(list, since, now)
	}
	for _, s := range records {
		k := Instance{s.Name, s.Host}
		if len(moves[k]) > 0 {
			continue
		}
		// Nothing was written yet: it is in the state that it began with.
		out[k] = timeline([]ServiceTransition{{To: s.State, Cause: s.Detail.Message, At: s.Since}}, since, now)
	}
	return out
}

func timeline(moves []ServiceTransition, since, now time.Time) []HealthSpan {
	var out []HealthSpan
	add := func(from, to time.Time, h Health, cause string) {
		if from.Before(since) {
			from = since
		}
		if to.After(now) {
			to = now
		}
		if n := len(out); n > 0 && out[n-1].Health == h {
			out[n-1].To = later(out[n-1].To, to)
			return
		}
		if to.After(from) {
			out = append(out, HealthSpan{from, to, h, cause})
		}
	}
	add(since, moves[0].At, HealthUnknown, "")
	for i, t := range moves {
		end := now
		if i+1 < len(moves) {
			end = moves[i+1].At
		}
		add(t.At, end, healthOf(t), t.Cause)
	}
	return out
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func healthOf(t ServiceTransition) Health {
	switch t.To {
	case ServiceAvailable:
		return HealthUp
	case ServiceRegistered:
		return HealthStarting
	case ServiceUnavailable, ServiceOrphaned:
		return HealthDown
	}
	if t.Cause == CauseNotRun {
		return HealthOff
	}
	return HealthUnknown // the record was removed
}

// MergeHealth is a service over its instances: up while all are of which
// something is known, partly while some are, else the least bad of them.
func MergeHealth(lines ...[]HealthSpan) []HealthSpan {
	if len(lines) == 1 {
		return lines[0]
	}
	var at []time.Time
	for _, l := range lines {
		for _, s := range l {
			at = append(at, s.From, s.To)
		}
	}
	slices.SortFunc(at, time.Time.Compare)
	at = slices.CompactFunc(at, time.Time.Equal)
	next := make([]int, len(lines))
	var out []HealthSpan
	for i := 0; i+1 < len(at); i++ {
		var all []Health
		cause := ""
		for n, l := range lines {
			for next[n] < len(l) && !l[next[n]].To.After(at[i]) {
				next[n]++
			}
			if k := next[n]; k < len(l) && !l[k].From.After(at[i]) {
				all = append(all, l[k].Health)
				if l[k].Health.Out() && cause == "" {
					cause = l[k].Cause
				}
			}
		}
		h := mergeMoment(all)
		if n := len(out); n > 0 && out[n-1].Health == h && out[n-1].To.Equal(at[i]) {
			out[n-1].To = at[i+1]
			continue
		}
		out = append(out, HealthSpan{at[i], at[i+1], h, cause})
	}
	return out
}

func mergeMoment(all []Health) Health {
	known := slices.DeleteFunc(all, func(h Health) bool { return h == HealthUnknown })
	up := 0
	for _, h := range known {
		if h == HealthUp {
			up++
		}
	}
	switch {
	case len(known) == 0:
		return HealthUnknown
	case up == len(known):
		return HealthUp
	case up > 0:
		return HealthPartly
	case slices.Contains(known, HealthStarting):
		return HealthStarting
	case slices.Contains(known, HealthDown):
		return HealthDown
	}
	return HealthOff
}

// HealthBucket is what happened between two moments.
type HealthBucket struct {
	From, To                        time.Time
	Up, Partly, Starting, Down, Off time.Duration
	Outages                         int    // that went on or began in it
	Cause                           string // of the first of them
}

// Known is how long something is known that counts.
func (b HealthBucket) Known() time.Duration { return b.Up + b.Partly + b.Down + b.Off }

// Share is the part of it that somebody answered; false when nothing is known.
func (b HealthBucket) Share() (float64, bool) {
	if b.Known() <= 0 {
		return 0, false
	}
	return float64(b.Up+b.Partly) / float64(b.Known()), true
}

// Worst is the worst that happened in it.
func (b HealthBucket) Worst() Health {
	switch {
	case b.Down > 0:
		return HealthDown
	case b.Off > 0:
		return HealthOff
	case b.Partly > 0:
		return HealthPartly
	case b.Up > 0:
		return HealthUp
	case b.Starting > 0:
		return HealthStarting
	}
	return HealthUnknown
}

// HealthBuckets cuts a timeline at the given moments, of which there are one
// more than buckets.
func HealthBuckets(line []HealthSpan, cuts []time.Time) []HealthBucket {
	if len(cuts) < 2 {
		return nil
	}
	out := make([]HealthBucket, len(cuts)-1)
	first := 0
	for i := range out {
		b := &out[i]
		b.From, b.To = cuts[i], cuts[i+1]
		for first < len(line) && !line[first].To.After(b.From) {
			first++
		}
		for _, s := range line[first:] {
			if !s.From.Before(b.To) {
				break
			}
			b.add(s)
		}
	}
	return out
}

func (b *HealthBucket) add(s HealthSpan) {
	from, to := later(s.From, b.From), s.To
	if to.After(b.To) {
		to = b.To
	}
	d := to.Sub(from)
	switch s.Health {
	case HealthUp:
		b.Up += d
	case HealthPartly:
		b.Partly += d
	case HealthStarting:
		b.Starting += d
	case HealthDown:
		b.Down += d
	case HealthOff:
		b.Off += d
	}
	if s.Health.Out() {
		if b.Outages++; b.Cause == "" {
			b.Cause = s.Cause
		}
	}
}
