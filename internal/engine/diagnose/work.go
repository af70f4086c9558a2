package diagnose

import (
	"strings"
	"time"

	"windlass/internal/engine"
)

// A message that could be taken and was not for this long waits for something.
// Where workers are busy it may only be a long queue.
const (
	idleWait   = time.Minute
	busyWait   = 30 * time.Minute
	lapsedWait = time.Minute
)

// worker of each queue: the service that works it off.
var worker = map[string]string{
	engine.QueueAnalyze: engine.Analyzer, engine.QueueMatch: engine.PolicyEngine, engine.QueueFeeds: engine.PolicyEngine,
	engine.QueueEvaluate: engine.PolicyEngine, engine.QueueReevaluate: engine.PolicyEngine,
}

// Queue judges whether work that waits is being done.
func Queue(list []engine.QueueState, now time.Time) engine.Check {
	f := begin(engine.CheckQueue, "Nothing waits.")
	var due, leased, resting int64
	for _, q := range list {
		due, leased, resting = due+q.Due, leased+q.Leased, resting+q.Resting
		who := worker[q.Queue]
		var said []string
		if q.Due > 0 {
			said = append(said, count(q.Due, "waits", "wait"))
		}
		if q.Leased > 0 {
			said = append(said, count(q.Leased, "in hand", "in hand"))
		}
		if q.Resting > 0 {
			said = append(said, count(q.Resting, "rests until its next attempt", "rest until their next attempt"))
		}
		if len(said) == 0 {
			said = append(said, "empty")
		}
		fact := engine.CheckFact{Name: q.Queue, Value: strings.Join(said, ", "), Status: engine.CheckPass, Place: at("queue", "")}
		if q.Due > 0 {
			fact.Value += "; the oldest since"
			fact.At = q.Oldest
		}
		waited := now.Sub(q.Oldest)
		switch {
		case q.Stranded > 0:
			fact.Status = engine.CheckFail
			f.say(engine.CheckFail, "%s can only be done on a host whose analyzer is down.", count(q.Stranded, "message", "messages"))
			f.step(see("Start that host again: see its analyzer", "services", ""))
		case q.Due > 0 && q.Leased == 0 && waited > idleWait:
			fact.Status = engine.CheckFail
			f.say(engine.CheckFail, "%s and nobody takes them: the oldest has waited for %s.", count(q.Due, "message of "+q.Queue+" waits", "messages of "+q.Queue+" wait"), span(waited))
			f.step(see("See whether a "+who+" is up", "services", ""))
			f.step(see("Log of "+who, "logs", "", "service", who))
		case q.Due > 0 && waited > busyWait:
			fact.Status = engine.CheckWarn
			f.say(engine.CheckWarn, "The oldest message of %s has waited for %s, with %d in hand.", q.Queue, span(waited), q.Leased)
			f.step(advice("Add an analyzer (CONSOLE_SERVICES=analyzer on another host), or raise CONSOLE_ANALYZERS, if this goes on."))
			f.step(see("See what is being analyzed", "images", "", "state", string(engine.Analyzing)))
		}
		if q.Lapsed > 0 && now.Sub(q.LapsedAt) > lapsedWait {
			fact.Status = engine.CheckFail
			f.say(engine.CheckFail, "%s held by a worker that went away %s ago, and nobody has taken over.", count(q.Lapsed, "message is", "messages are"), span(now.Sub(q.LapsedAt)))
			f.step(see("See whether a "+who+" is up", "services", ""))
		}
		f.fact(fact)
	}
	if f.Status != engine.CheckPass {
		f.step(see("See why each message waits", "queue", ""))
	}
	if due+leased+resting > 0 {
		f.fine = count(leased, "message", "messages") + " in hand, " + count(due, "waits", "wait") + "."
		if resting > 0 {
			f.fine += " " + count(resting, "rests until its next attempt.", "rest until their next attempts.")
		}
	}
	return f.end()
}

const groupsShown = 12

// Images judges the images whose analysis failed. Those that nobody can help
// are told, those whose cause may have passed can be retried.
func Images(list []engine.FailedGroup) engine.Check {
	f := begin(engine.CheckImages, "No image failed to be analyzed.")
	var all int64
	for i, g := range list {
		all += g.Images
		if i >= groupsShown {
			continue
		}
		cause, _ := engine.CauseByCode(g.Cause)
		status := engine.CheckFail
		if g.Cause == engine.CauseCancelled {
			status = engine.CheckPass // somebody wanted it
		}
		name := g.Cause
		if name == "" {
			name = "no cause was kept"
		}
		f.fact(engine.CheckFact{
			Name: count(g.Images, "image", "images") + ": " + name, Value: cause.Means + " Newest: " + trim(g.Name, 120) + ", " + sentence(trim(g.Text, 200)), At: g.Last, Status: status,
			Place: at("images", string(g.Digest)),
		})
		if g.Cause != engine.CauseCancelled {
			f.Status = engine.CheckWarn
		}
		f.step(do("Retry "+count(g.Images, "image", "images")+" ("+name+")", engine.DoRetryImages, g.Cause))
	}
	if all > 0 {
		f.Summary = count(all, "image has", "images have") + " failed, for " + count(int64(len(list)), "cause.", "causes.")
		f.step(see("See them", "images", "", "state", string(engine.Failed)))
		if f.Status == engine.CheckPass {
			f.Summary = count(all, "analysis was", "analyses were") + " cancelled; none has failed."
		}
	}
	return f.end()
}

// Errors judges the error events of the last hour.
func Errors(list []engine.ErrorGroup, since time.Time) engine.Check {
	f := begin(engine.CheckErrors, "There were none.")
	from := since.UTC().Format(time.RFC3339)
	var all int64
	for i, g := range list {
		all += g.Events
		if i >= groupsShown {
			continue
		}
		f.fact(engine.CheckFact{
			Name: g.Type, Value: count(g.Events, "time", "times") + ", newest: " + trim(g.Text, 200), At: g.Last, Status: engine.CheckWarn,
			Place: at("events", "", "level", engine.LevelError, "type", g.Type, "since", from),
		})
	}
	if all > 0 {
		f.say(engine.CheckWarn, "%s of %s in the last hour.", count(all, "error event", "error events"), count(int64(len(list)), "type", "types"))
		f.step(see("See them", "events", "", "level", engine.LevelError, "since", from))
	}
	return f.end()
}
