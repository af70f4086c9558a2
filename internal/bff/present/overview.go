package present

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// Overview shapes the start page.
func Overview(o engine.Overview, verdicts engine.VerdictCounts, services []engine.Service, history []engine.ServiceTransition, admin bool, c Clock) view.Overview {
	lines := engine.Timelines(services, history, IncidentsSince(c), c.Now)
	v := view.Overview{
		Empty:    o.ImageTotal() == 0,
		Starter:  o.FeedData != nil && o.FeedData.Starter,
		Ready:    steps(o, services, c),
		Services: tiles(services, lines, c),
		Hours:    hours(o.Hours, c),
		Images:   imageStates(o, c),
		Posture:  posture(o),
		Policy:   policyStand(verdicts),
		Feeds:    feedsCard(o, c),
	}
	if v.Posture.Unknown = o.Unsummed; o.Unsummed {
		v.Images.Packages = ""
	}
	if o.Samples > 0 {
		v.Samples = Plural(o.Samples, "sample image", "sample images")
	}
	for i, in := range engine.Incidents(lines, c.Now) {
		if i == newestIncidents {
			break
		}
		v.Incidents = append(v.Incidents, Incident(in, services, admin, c))
	}
	for _, e := range o.Errors {
		v.Errors = append(v.Errors, errorLine(e, c))
	}
	return v
}

// The overview tells of the incidents of a week, the newest of them.
const (
	newestIncidents = 5
	incidentsFor    = 7 * 24 * time.Hour
)

// IncidentsSince is from when on the overview needs transitions.
func IncidentsSince(c Clock) time.Time { return c.Now.Add(-incidentsFor) }

// policyStand is how the images stand with the active bundle.
func policyStand(n engine.VerdictCounts) []view.Counted {
	list := []view.Counted{
		{Name: "pass", Count: Count(n.Go), Tone: "ok", Href: "/images?policy=go"},
		{Name: "warn", Count: Count(n.Warn), Tone: "warn", Href: "/images?policy=warn"},
		{Name: "fail", Count: Count(n.Stop), Tone: "bad", Href: "/images?policy=stop"},
		{Name: "not evaluated", Count: Count(n.Waiting), Tone: "run", Href: "/images?policy=none"},
	}
	for i, v := range []int64{int64(n.Go), int64(n.Warn), int64(n.Stop), int64(n.Waiting)} {
		if v == 0 {
			list[i].Tone = "off"
		}
	}
	return list
}

// steps judges readiness as `system wait` would: API, services, feeds, and
// then whether work moves.
func steps(o engine.Overview, services []engine.Service, c Clock) []view.Step {
	return []view.Step{apiStep(services), servicesStep(services), feedsStep(o, c), queueStep(o, c)}
}

func apiStep(services []engine.Service) view.Step {
	st := view.Step{Name: "API", Pill: view.Pill{Tone: "bad", Text: "Down"}, Text: "No apiext instance is up.", Href: "/services", Link: "See services"}
	for _, s := range services {
		if s.Name == engine.APIExt && s.Up() {
			return view.Step{Name: "API", Pill: view.Pill{Tone: "ok", Text: "Up"}, Text: "v1 answers at " + s.BaseURL + "/v1"}
		}
	}
	return st
}

func servicesStep(services []engine.Service) view.Step {
	up, down := map[string]bool{}, []engine.Service{}
	for _, s := range services {
		if s.Up() {
			up[s.Name] = true
		} else {
			down = append(down, s)
		}
	}
	var missing []string
	for _, name := range engine.ServiceNames {
		if !up[name] {
			missing = append(missing, name)
		}
	}
	st := view.Step{Name: "Services", Pill: view.Pill{Tone: "ok", Text: "All up"}, Text: Plural(len(services), "instance", "instances") + " of 5 kinds, all up"}
	switch {
	case len(missing) > 0:
		st.Pill = view.Pill{Tone: "bad", Text: fmt.Sprintf("%d of 5 kinds up", len(engine.ServiceNames)-len(missing))}
		st.Text = "Missing: " + strings.Join(missing, ", ") + "."
		st.Href, st.Link = "/services", "See why"
	case len(down) > 0:
		st.Pill = view.Pill{Tone: "warn", Text: Plural(len(down), "instance down", "instances down")}
		st.Text = down[0].Name + " on " + down[0].Host + " is " + string(down[0].State) + "."
		st.Href, st.Link = ServiceHref(down[0].Name, down[0].Host), "See why"
	}
	return st
}

func feedsStep(o engine.Overview, c Clock) view.Step {
	st := view.Step{Name: "Feeds", Href: "/feeds", Link: "See feeds"}
	running := o.FeedSync != nil && o.FeedSync.Status == "running"
	failed := o.FeedSync != nil && o.FeedSync.Status == "failure"
	switch {
	case o.FeedData == nil && running:
		st.Pill, st.Text = view.Pill{Tone: "run", Text: "Syncing"}, "The first sync is at: "+string(o.FeedSync.Stage)+"."
	case o.FeedData == nil && failed:
		st.Pill, st.Text = view.Pill{Tone: "bad", Text: "No data"}, sentence(o.FeedSync.Message, "The last sync failed.")
	case o.FeedData == nil:
		st.Pill, st.Text = view.Pill{Tone: "warn", Text: "No data"}, "Nothing was synced yet."
	case o.FeedData.Starter:
		st.Pill, st.Text = view.Pill{Tone: "warn", Text: "Starter data"}, "A small sample database, until the first real sync."
	default:
		st.Pill, st.Text = view.Pill{Tone: "ok", Text: "Synced"}, Count(o.FeedData.Records)+" records, built"
		st.Time = c.Ago(o.FeedData.Built)
		if age := c.Now.Sub(o.FeedData.Built); age > 5*24*time.Hour {
			st.Pill = view.Pill{Tone: "warn", Text: "Stale"}
		}
		if running {
			st.Pill = view.Pill{Tone: "run", Text: "Syncing"}
		}
		if failed {
			st.Pill = view.Pill{Tone: "warn", Text: "Last sync failed"}
		}
	}
	return st
}

func queueStep(o engine.Overview, c Clock) view.Step {
	q := analyzeQueue(o)
	depth := q.Waiting + q.Delayed
	st := view.Step{Name: "Queue", Pill: view.Pill{Tone: "ok", Text: "Idle"}, Text: "No image waits.", Href: analyzeHref(""), Link: "See the queue"}
	switch {
	case q.Paused:
		st.Pill = view.Pill{Tone: "warn", Text: "Paused"}
		st.Text = Plural(depth, "image waits", "images wait") + " until somebody resumes it."
	case q.Leased > 0:
		st.Pill = view.Pill{Tone: "run", Text: Count(q.Leased) + " running"}
		st.Text = Plural(depth, "image waits", "images wait")
		if depth == 0 {
			st.Text = "No image waits."
		}
		st.Href, st.Link = "/images?state=analyzing", "See them"
	case q.Waiting > 0:
		st.Pill = view.Pill{Tone: "warn", Text: Count(q.Waiting) + " waiting"}
		st.Text = "No analyzer has taken them yet."
		st.Href, st.Link = analyzeHref(engine.MessageWaiting), "See why"
	case q.Delayed > 0:
		st.Pill = view.Pill{Tone: "warn", Text: Count(q.Delayed) + " to be retried"}
		st.Text = "Their last attempt failed, and they are tried again by themselves."
		st.Href, st.Link = analyzeHref(engine.MessageDelayed), "See why"
	}
	if depth > 0 && q.Leased > 0 && !q.Paused {
		st.Text += ", the oldest came"
		st.Time = c.Ago(q.Oldest)
	}
	return st
}

// analyzeHref is the address of the queue of analyses, or of what is in one
// state there.
func analyzeHref(state engine.MessageState) string {
	q := url.Values{"queue": {engine.QueueAnalyze}}
	if state != "" {
		q.Set("state", string(state))
	}
	return QueueHref + encode(q)
}

func analyzeQueue(o engine.Overview) engine.QueueStat {
	for _, q := range o.Queues {
		if q.Queue == engine.QueueAnalyze {
			return q
		}
	}
	return engine.QueueStat{}
}

func sentence(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return strings.TrimSuffix(s, ".") + "."
}

func tiles(services []engine.Service, lines map[engine.Instance][]engine.HealthSpan, c Clock) []view.ServiceTile {
	var out []view.ServiceTile
	for _, name := range engine.ServiceNames {
		var list []engine.Service
		up := 0
		for _, s := range services {
			if s.Name == name {
				list = append(list, s)
				if s.Up() {
					up++
				}
			}
		}
		t := view.ServiceTile{Name: name, Href: ServiceQuery{Service: name}.Href(), History: History(engine.MergeHealth(linesOf(lines, list)...), Period24h, c)}
		switch {
		case len(list) == 0:
			t.Pill = ServicePill("")
		case len(list) == 1:
			t.Pill, t.Href = ServicePill(list[0].State), ServiceHref(name, list[0].Host)
		case up == len(list):
			t.Pill = view.Pill{Tone: "ok", Text: fmt.Sprintf("%d up", up)}
		case up == 0:
			t.Pill = view.Pill{Tone: "bad", Text: "down"}
		default:
			t.Pill = view.Pill{Tone: "warn", Text: fmt.Sprintf("%d of %d", up, len(list))}
		}
		out = append(out, t)
	}
	return out
}

func hours(list []engine.EventHour, c Clock) view.Hours {
	first := c.Now.UTC().Truncate(time.Hour).Add(-23 * time.Hour)
	by := map[int64]engine.EventHour{}
	var top, total, errors int64
	for _, h := range list {
		by[h.At.Unix()] = h
		top = max(top, h.Info+h.Error)
		total += h.Info + h.Error
		errors += h.Error
	}
	since := url.QueryEscape(first.Format(time.RFC3339))
	v := view.Hours{Total: Count(total), Errors: Count(errors), Max: Count(top), HrefAll: "/events?since=" + since, HrefErrors: "/events?level=error&since=" + since}
	for i := range 24 {
		at := first.Add(time.Duration(i) * time.Hour)
		h := by[at.Unix()]
		from, to := url.QueryEscape(at.Format(time.RFC3339)), url.QueryEscape(at.Add(time.Hour).Format(time.RFC3339))
		b := view.HourBar{Href: "/events?since=" + from + "&before=" + to, Title: fmt.Sprintf("%s: %s, %s", at.In(c.zone()).Format("15:04"), Plural(h.Info+h.Error, "event", "events"), Plural(h.Error, "error", "errors"))}
		if top > 0 {
			b.Info, b.Error = length(h.Info, top), length(h.Error, top)
		}
		b.At, b.InfoCount, b.ErrorCount = at.In(c.zone()).Format("15:04"), Count(h.Info), Count(h.Error)
		v.Bars = append(v.Bars, b)
	}
	v.Text = fmt.Sprintf("Events per hour of the last 24: %s, %s, at most %s in one hour", Plural(total, "event", "events"), Plural(errors, "error", "errors"), Count(top))
	return v
}

// length is n on a scale of 100; what is there is visible.
func length(n, top int64) int {
	if n == 0 {
		return 0
	}
	return max(int(n*100/top), 3)
}

func errorLine(e engine.Event, c Clock) view.ErrorLine {
	text := e.Message
	if e.ResourceID != "" {
		text += ": " + e.ResourceID
	}
	return view.ErrorLine{ID: "error-" + e.ID, Type: engine.ShortEventName(e.Type), Text: text,
		Source: e.Service + "@" + e.Host, Href: "/events/" + url.PathEscape(e.ID), At: c.Ago(e.At)}
}

func imageStates(o engine.Overview, c Clock) view.ImageStates {
	v := view.ImageStates{Total: Count(o.ImageTotal()), Packages: Count(o.Packages)}
	for _, s := range []struct {
		state      engine.AnalysisState
		name, tone string
	}{
		{engine.NotAnalyzed, "waiting", ""}, {engine.Analyzing, "analyzing", "run"},
		{engine.Analyzed, "analyzed", "ok"}, {engine.Failed, "failed", "bad"},
	} {
		n := o.Images[s.state]
		tone := s.tone
		if n == 0 {
			tone = "off"
		}
		v.States = append(v.States, view.Counted{Name: s.name, Count: Count(n), Tone: tone, Href: "/images?state=" + string(s.state)})
	}
	q := analyzeQueue(o)
	for _, n := range []struct {
		name  string
		count int64
		state engine.MessageState
	}{{"running", q.Leased, engine.MessageRunning}, {"waiting", q.Waiting, engine.MessageWaiting}, {"to be retried", q.Delayed, engine.MessageDelayed}} {
		if n.count > 0 {
			v.Queue = append(v.Queue, view.Counted{Name: n.name, Count: Count(n.count), Href: analyzeHref(n.state)})
		}
	}
	v.QueueHref = analyzeHref("")
	switch d := q.Drain(); {
	case len(v.Queue) == 0:
	case q.Paused:
		v.Drain = "paused"
	case d > 0:
		v.Drain = "empty in about " + Span(max(d, time.Minute))
		v.DrainWhy = fmt.Sprintf("%s wait, of all accounts; %s ended in the last %s", Count(q.All), Count(q.Ended), Span(q.Over))
	case q.All > 0:
		v.Drain = "too few have ended of late to say when it is empty"
	}
	if q.Waiting+q.Delayed > 0 {
		v.Oldest = c.Ago(q.Oldest)
	}
	return v
}

func posture(o engine.Overview) view.Posture {
	p := view.Posture{
		Bar:   SevBar(o.Severities, func(name string) string { return "/images?severity=" + name }),
		Total: Count(o.Severities.Total()), TotalHref: "/images?severity=" + engine.AnySeverity,
		Exploited: Count(o.Exploited), ExploitedHref: "/images?exploited=1", Fixable: Count(o.Fixable), FixableHref: "/images?fixable=1",
	}
	if n := o.Severities.Total(); n > 0 {
		p.FixableShare = share(o.Fixable, int64(n))
	}
	return p
}

// share is a part of all in percent. What is there is not nothing, and what is
// not all is not all.
func share(part, all int64) string {
	switch p := 100 * part / all; {
	case p == 0 && part > 0:
		return "under 1 %"
	default:
		return fmt.Sprintf("%d %%", p)
	}
}

func feedsCard(o engine.Overview, c Clock) view.FeedsCard {
	v := view.FeedsCard{Pill: feedsStep(o, c).Pill, Records: Count(o.FeedRecords), Synced: fmt.Sprintf("%d of %s synced", o.FeedsSynced, Plural(o.Feeds, "feed", "feeds"))}
	if d := o.FeedData; d != nil {
		v.Built, v.Installed, v.Source, v.Records = c.Ago(d.Built), c.Ago(d.InstalledAt), d.Source, Count(d.Records)
	}
	if s := o.FeedSync; s != nil {
		switch s.Status {
		case "running":
			v.Meter = &view.Meter{Label: "Feed sync", Text: string(s.Stage), Value: s.Done, Max: s.Total}
		case "failure":
			v.Fault = sentence(s.Message, "The last sync failed.")
		default:
			v.Last = s.Status
		}
		if !s.NextTry.IsZero() {
			v.Next = c.Until(s.NextTry)
		}
	}
	return v
}
