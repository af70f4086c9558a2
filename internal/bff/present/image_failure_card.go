package present

import (
	"net/url"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

const logsHref = "/logs"

// imageFailure is the card of an attempt that failed: the last one, or one that
// another follows.
func imageFailure(i engine.Image, c Clock) *view.ImageFailure {
	f := *i.Failure
	r, ok := remedies[f.Cause]
	if !ok {
		r = remedies[engine.CauseInternal]
	}
	v := &view.ImageFailure{
		Title: r.title, Message: printable([]byte(f.Message), maxCell), Cause: f.Cause, Stage: stageText[f.Stage], Host: f.Host, Run: runText(f.Run), Try: r.try, TryHref: r.href, TryText: r.text,
		At: c.Ago(f.At), LogHref: failureLog(f), CanRetry: i.State == engine.Failed,
	}
	if v.TryHref == logsHref { // the log of that moment is linked already
		v.TryHref, v.TryText = "", ""
	}
	if cause, known := engine.CauseByCode(f.Cause); known {
		v.Means = cause.Means
	}
	if strings.TrimSuffix(v.Message, ".") == "" {
		v.Message = r.title + "."
	}
	switch {
	case f.Attempt > 0 && f.Attempts >= f.Attempt && f.Attempts > 1:
		v.Attempt = "attempt " + Count(f.Attempt) + " of " + Count(f.Attempts)
	case f.Attempt > 1:
		v.Attempt = "after " + Plural(f.Attempt, "attempt", "attempts")
	}
	if i.State == engine.NotAnalyzed {
		v.Again = true
		if f.NextAt.After(c.Now) {
			at := c.Until(f.NextAt)
			v.Next = &at
		}
	} else {
		v.NotAgain = notAgain(f)
	}
	v.Log = failureLines(f.Log)
	return v
}

// notAgain says why no attempt follows by itself.
func notAgain(f engine.Failure) string {
	cause, known := engine.CauseByCode(f.Cause)
	switch {
	case f.Cause == engine.CauseCancelled:
		return "It was cancelled, so it is not tried again by itself."
	case f.Attempts > 1 && f.Attempt >= f.Attempts && (cause.Temporary || f.Cause == engine.CauseWorkerLost):
		return "All " + Count(f.Attempts) + " attempts were made, so it is not tried again by itself."
	case known && !cause.Temporary:
		return "It is not tried again by itself: this does not pass without a change."
	}
	return "It is not tried again by itself."
}

// failureLog is the analyzer's log at that moment.
func failureLog(f engine.Failure) string {
	q := url.Values{"service": {engine.Analyzer}}
	if f.Host != "" {
		q.Set("host", f.Host)
	}
	if !f.At.IsZero() {
		q.Set("at", f.At.UTC().Format(time.RFC3339))
	}
	return "/logs?" + q.Encode()
}

// failureWords are in lines that tell what went wrong.
var failureWords = []string{"error", "fail", "refused", "denied", "unauthorized", "forbidden", "invalid", "panic", "killed", "no space", "timeout", "not found", "unexpected", "mismatch"}

// failureLines marks the line that tells what went wrong: the last one that
// sounds like it, else the last.
func failureLines(log []string) []view.LogLine {
	var out []view.LogLine
	at := len(log) - 1
	for n := len(log) - 1; n >= 0; n-- {
		low := strings.ToLower(log[n])
		found := false
		for _, w := range failureWords {
			found = found || strings.Contains(low, w)
		}
		if found {
			at = n
			break
		}
	}
	for n, line := range log {
		out = append(out, view.LogLine{N: Count(n + 1), Text: printable([]byte(line), 2000), Bad: n == at})
	}
	return out
}
