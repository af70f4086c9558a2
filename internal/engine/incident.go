package engine

import (
	"cmp"
	"slices"
	"time"
)

// incidentGap is how far apart outages may lie to be one incident: a host that
// goes takes its services one after the other, and a service that falls over
// again and again is one trouble, not twenty.
const incidentGap = 2 * time.Minute

// Incident is one or several outages that belong together by time.
type Incident struct {
	Start, End time.Time // End is zero while it goes on
	Parts      []IncidentPart
}

// IncidentPart is what one instance did in an incident.
type IncidentPart struct {
	Instance
	From, To time.Time // of its first and last outage; To is zero while it goes on
	Out      time.Duration
	Times    int
	Off      bool   // did not run
	Removed  bool   // it ended with the removal of the record
	Cause    string // of the first outage that has one
}

// Cause is the first thing that was said of what went wrong.
func (i Incident) Cause() string {
	for _, p := range i.Parts {
		if p.Cause != "" && !p.Off {
			return p.Cause
		}
	}
	return i.Parts[0].Cause
}

// Off reports whether all of it is services that did not run.
func (i Incident) Off() bool {
	return !slices.ContainsFunc(i.Parts, func(p IncidentPart) bool { return !p.Off })
}

// Took is how long it lasted, until now while it goes on.
func (i Incident) Took(now time.Time) time.Duration {
	if i.End.IsZero() {
		return now.Sub(i.Start)
	}
	return i.End.Sub(i.Start)
}

// outage is an unbroken time in which one instance did not answer.
type outage struct {
	Instance
	from, to     time.Time
	open         bool
	off, removed bool
	cause        string
}

// Incidents groups the outages of all instances, newest first. Starting again
// belongs to the outage before it.
func Incidents(lines map[Instance][]HealthSpan, now time.Time) []Incident {
	var all []outage
	for k, l := range lines {
		all = append(all, outages(k, l, now)...)
	}
	slices.SortFunc(all, func(a, b outage) int {
		return cmp.Or(a.from.Compare(b.from), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Host, b.Host))
	})
	var out []Incident
	var end time.Time // of the newest incident
	for _, o := range all {
		if n := len(out); n > 0 && !o.from.After(end.Add(incidentGap)) {
			out[n-1].take(o)
		} else {
			i := Incident{Start: o.from}
			i.take(o)
			out, end = append(out, i), time.Time{}
		}
		end = later(end, o.to)
		if last := &out[len(out)-1]; last.open() {
			last.End = time.Time{}
		} else {
			last.End = end
		}
	}
	slices.Reverse(out)
	return out
}

func outages(k Instance, line []HealthSpan, now time.Time) []outage {
	var out []outage
	var o *outage
	for _, s := range line {
		switch {
		case s.Health.Out():
			if o == nil {
				out = append(out, outage{Instance: k, from: s.From, off: true, cause: s.Cause})
				o = &out[len(out)-1]
			}
			if s.Health == HealthDown && o.off {
				o.off, o.cause = false, s.Cause // it was seen to be down: that says more
			}
			o.to = s.To
			o.open = !s.To.Before(now)
		case s.Health == HealthStarting && o != nil:
			o.to, o.open = s.To, !s.To.Before(now)
		case s.Health == HealthUnknown && o != nil:
			o.removed = true
			o = nil
		default:
			o = nil
		}
	}
	return out
}

func (i *Incident) open() bool {
	return slices.ContainsFunc(i.Parts, func(p IncidentPart) bool { return p.To.IsZero() })
}

func (i *Incident) take(o outage) {
	n := slices.IndexFunc(i.Parts, func(p IncidentPart) bool { return p.Instance == o.Instance })
	if n < 0 {
		i.Parts = append(i.Parts, IncidentPart{Instance: o.Instance, From: o.from, Off: true, Cause: o.cause})
		n = len(i.Parts) - 1
	}
	p := &i.Parts[n]
	p.Times++
	p.Out += o.to.Sub(o.from)
	if p.To = o.to; o.open {
		p.To = time.Time{}
	}
	if p.Off && !o.off {
		p.Off, p.Cause = false, o.cause
	}
	p.Removed = o.removed
}
