package present

import (
	"net/url"
	"slices"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// TroubleshootHref is the address of the guide.
const TroubleshootHref = "/troubleshoot"

// CheckRights is what of the next steps the user may have done.
type CheckRights struct{ Feeds, Images, Registries, Bundle bool }

// Troubleshoot shapes the guide.
func Troubleshoot(list []engine.Check, may CheckRights, c Clock) view.Troubleshoot {
	v := view.Troubleshoot{
		Report: engine.CheckReport(list, c.Now), Bundle: may.Bundle,
		Same: view.SameBy{API: "GET /v1/console/checks", CLI: `curl -u USER:PASSWORD "$ANCHORE_CLI_URL/console/checks/report?fresh=true"`},
	}
	n := map[engine.CheckStatus]int{}
	for _, k := range list {
		n[k.Status]++
		row := check(k, may, c)
		v.Checks = append(v.Checks, row)
		if k.Status == engine.CheckFail || k.Status == engine.CheckWarn {
			v.Problems = append(v.Problems, view.Problem{Title: row.Summary, Href: "#" + row.ID, Tone: row.Tone})
		}
	}
	slices.SortStableFunc(v.Problems, func(a, b view.Problem) int { return strings.Compare(a.Tone, b.Tone) }) // bad before warn
	var words []string
	for _, s := range []struct {
		status    engine.CheckStatus
		one, many string
	}{
		{engine.CheckFail, "check fails", "checks fail"}, {engine.CheckWarn, "warns", "warn"},
		{engine.CheckUnknown, "is not known", "are not known"}, {engine.CheckPass, "passes", "pass"},
	} {
		if n[s.status] > 0 {
			words = append(words, Plural(n[s.status], s.one, s.many))
		}
	}
	v.Text = strings.Join(words, ", ")
	switch {
	case n[engine.CheckFail] > 0 && n[engine.CheckWarn] > 0:
		v.Pill = view.Pill{Tone: "bad", Text: Plural(n[engine.CheckFail], "problem", "problems") + ", " + Plural(n[engine.CheckWarn], "warning", "warnings")}
	case n[engine.CheckFail] > 0:
		v.Pill = view.Pill{Tone: "bad", Text: Plural(n[engine.CheckFail], "problem", "problems")}
	case n[engine.CheckWarn] > 0:
		v.Pill = view.Pill{Tone: "warn", Text: Plural(n[engine.CheckWarn], "warning", "warnings")}
	default:
		v.Pill = view.Pill{Tone: "ok", Text: "Nothing is wrong"}
	}
	return v
}

func check(k engine.Check, may CheckRights, c Clock) view.Check {
	v := view.Check{
		ID: "check-" + k.ID, Title: k.Title, Summary: k.Summary, At: c.Ago(k.At), Took: Span(k.Took), Run: "Run again: " + k.Title,
		Open: k.Status == engine.CheckFail || k.Status == engine.CheckWarn,
	}
	v.Tone, v.Word = checkTone(k.Status)
	v.Icon = map[string]string{"ok": "check", "warn": "alert", "bad": "cross", "off": "dots"}[v.Tone]
	for _, f := range k.Facts {
		row := view.CheckFact{Name: f.Name, Value: f.Value, Href: placeHref(f.Place)}
		if f.Status != "" {
			row.Tone, row.Word = checkTone(f.Status)
		}
		if !f.At.IsZero() {
			row.At = c.Ago(f.At)
			if f.At.After(c.Now) {
				row.At = c.Until(f.At)
			}
		}
		v.Facts = append(v.Facts, row)
	}
	v.Evidence = "Evidence"
	if len(v.Facts) > 1 {
		v.Evidence = "Evidence (" + Count(len(v.Facts)) + ")"
	}
	for _, s := range k.Steps {
		v.Steps = append(v.Steps, checkStep(s, may))
	}
	// What does something goes before what only shows.
	for i := range v.Steps {
		if v.Steps[i].Action != "" {
			v.Steps[i].Main = v.Open
			break
		}
	}
	return v
}

func checkTone(s engine.CheckStatus) (tone, word string) {
	switch s {
	case engine.CheckPass:
		return "ok", "Pass"
	case engine.CheckWarn:
		return "warn", "Warning"
	case engine.CheckFail:
		return "bad", "Fail"
	}
	return "off", "Not known"
}

func checkStep(s engine.CheckStep, may CheckRights) view.CheckStep {
	v := view.CheckStep{Text: s.Text, Href: placeHref(s.Place), Icon: placeIcons[s.Place.Page]}
	offer := func(allowed bool, action, field, otherwise string) {
		if !allowed {
			v.Text = otherwise
			return
		}
		v.Action, v.Field, v.Value, v.Icon = action, field, s.Arg, "refresh"
	}
	switch s.Do {
	case engine.DoSyncFeeds:
		offer(may.Feeds, TroubleshootHref+"/sync", "", "Ask an administrator to sync the feeds.")
	case engine.DoRetryImages:
		offer(may.Images, TroubleshootHref+"/retry", "cause", "Ask somebody whose role allows it to analyze them again.")
	case engine.DoCheckRegistries:
		offer(may.Registries, TroubleshootHref+"/run", "check", "Ask somebody whose role allows it to try the stored credentials.")
		v.Value, v.Slow = engine.CheckRegistries, "up to 25 s"
	}
	return v
}

var placeIcons = map[string]string{
	"services": "services", "events": "events", "feeds": "feeds", "images": "images", "logs": "logs", "registries": "registries", "queue": "queue",
}

// placeHref is the address of a place in the console; empty for none.
func placeHref(p engine.CheckPlace) string {
	if placeIcons[p.Page] == "" {
		return ""
	}
	to := "/" + p.Page
	switch {
	case p.Of != "" && p.Page == "services":
		name, host, _ := strings.Cut(p.Of, "/")
		to = ServiceHref(name, host)
	case p.Of != "" && p.Page == "images":
		to = ImageHref(engine.Digest(p.Of))
	}
	if len(p.Args) == 0 {
		return to
	}
	q := url.Values{}
	for k, v := range p.Args {
		q.Set(k, v)
	}
	return to + "?" + q.Encode()
}
