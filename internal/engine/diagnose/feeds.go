package diagnose

import (
	"strings"
	"time"

	"windlass/internal/engine"
)

// staleData is the age from which matches made with the data miss what is known.
const staleData = 5 * 24 * time.Hour

// Feeds judges the vulnerability data in use.
func Feeds(list []engine.Feed, st engine.FeedStatus, now time.Time) engine.Check {
	f := begin(engine.CheckFeeds, "")
	syncing := len(st.Syncs) > 0 && st.Syncs[0].Status == "running"
	var on, synced, records int64
	var off []string
	for _, v := range list {
		for _, g := range v.Groups {
			records += g.Records
		}
		switch {
		case !v.Enabled:
			off = append(off, v.Name)
		case v.LastSync.IsZero():
			on++
		default:
			on++
			synced++
		}
	}
	d := st.Active
	switch {
	case d == nil && syncing:
		f.say(engine.CheckWarn, "The first sync is running (%s): until it ends nothing can be matched.", st.Syncs[0].Stage)
		f.step(see("Watch it", "feeds", ""))
	case d == nil:
		f.say(engine.CheckFail, "There is no vulnerability data: images show no vulnerabilities at all.")
		f.step(do("Sync the feeds now", engine.DoSyncFeeds, ""))
		f.step(see("Or upload an archive, without internet", "feeds", ""))
	case d.Starter:
		f.say(engine.CheckWarn, "The data in use is the built-in starter database: a few records to try things with.")
		f.step(do("Sync the feeds now", engine.DoSyncFeeds, ""))
	case now.Sub(d.Built) > staleData:
		f.say(engine.CheckWarn, "The data in use was built %s ago: what became known since is not found.", span(now.Sub(d.Built)))
		f.step(do("Sync the feeds now", engine.DoSyncFeeds, ""))
	}
	if d != nil {
		status := engine.CheckPass
		if d.Starter || now.Sub(d.Built) > staleData {
			status = engine.CheckWarn
		}
		f.fact(engine.CheckFact{Name: "data in use", Value: count(d.Records, "record", "records") + " from " + d.Source + ", built", At: d.Built, Status: status, Place: at("feeds", "")})
	} else {
		f.fact(engine.CheckFact{Name: "data in use", Value: "none", Status: engine.CheckFail, Place: at("feeds", "")})
	}
	if on == 0 && len(off) > 0 {
		f.say(engine.CheckFail, "Every feed is switched off: nothing is matched.")
		f.step(see("Switch feeds on", "feeds", ""))
	} else if len(off) > 0 {
		f.fact(engine.CheckFact{Name: "switched off", Value: trim(strings.Join(off, ", "), 200), Place: at("feeds", "")})
	}
	if on > 0 {
		status := engine.CheckPass
		if synced < on {
			status = engine.CheckWarn
			if d != nil {
				f.say(engine.CheckWarn, "%s never been synced.", count(on-synced, "feed has", "feeds have"))
				f.step(see("See which", "feeds", ""))
			}
		}
		f.fact(engine.CheckFact{Name: "feeds", Value: count(synced, "of "+count(on, "feed", "feeds"), "of "+count(on, "feed", "feeds")) + " synced", Status: status})
	}
	switch {
	case st.Interval == 0:
		f.fact(engine.CheckFact{Name: "next sync", Value: "never by itself: CONSOLE_FEEDS_INTERVAL is 0"})
	case !st.Next.IsZero():
		f.fact(engine.CheckFact{Name: "next sync", Value: "due", At: st.Next})
	}
	f.fine = count(synced, "feed", "feeds") + " synced, " + count(records, "record", "records") + "."
	return f.end()
}

// feedAdvice is what to do about a cause of a failed sync.
var feedAdvice = map[string]string{
	"dns":         "The name of the feed's host is not known here: check this machine's name resolution, or CONSOLE_FEEDS_URL.",
	"connection":  "No connection to the feed's host: check the firewall and whether it needs a proxy (HTTPS_PROXY).",
	"tls":         "The certificate of the feed's host is not trusted: install the authority of the proxy or mirror in this machine's store.",
	"proxy":       "The proxy refused: check HTTPS_PROXY and its credentials.",
	"http_4xx":    "The feed's host refused (4xx): check CONSOLE_FEEDS_URL; a mirror must serve v6/latest.json.",
	"http_5xx":    "The feed's host has a problem of its own (5xx): it is tried again by itself.",
	"checksum":    "What arrived is not what was announced: a proxy alters it, or a mirror is half updated. Sync again, with flush if it goes on.",
	"disk":        "There is not enough room in the data folder: free some, then sync again.",
	"format":      "What arrived is no database of this schema: check that CONSOLE_FEEDS_URL serves version 6.",
	"sanity":      "The new data has far fewer records than the data in use, so it was not taken. Look at the groups; import it by upload with flush if it is right.",
	"interrupted": "The program stopped in the middle: sync again.",
	"internal":    "The log of policy_engine says more.",
}

// FeedFailure judges how the syncs of late ended.
func FeedFailure(syncs []engine.FeedSync) engine.Check {
	f := begin(engine.CheckFeedFailure, "No sync has failed.")
	failed, since := -1, 0
	for i, s := range syncs {
		if s.Status == "failure" {
			failed = i
			break
		}
		if s.Status != "running" {
			since++
		}
	}
	for _, s := range syncs {
		if s.Status != "running" {
			fact := engine.CheckFact{Name: "last sync", Value: s.Status + " (" + s.Trigger + ", on " + s.Host + ")", At: s.EndedAt, Status: engine.CheckPass, Place: at("feeds", "")}
			if s.Status == "failure" {
				fact.Status = engine.CheckFail
			}
			f.fact(fact)
			break
		}
	}
	if failed < 0 {
		if len(f.Facts) == 0 {
			f.fine = "No sync has ended yet."
		}
		return f.end()
	}
	s := syncs[failed]
	cause := s.Cause
	if cause == "" {
		cause = "internal"
	}
	f.fact(engine.CheckFact{Name: "last failure", Value: cause + " while at " + string(s.Stage) + ": " + sentence(trim(s.Message, 300)), At: s.EndedAt})
	if since > 0 {
		f.fine = "The last one succeeded; the one that failed before is history."
		return f.end()
	}
	f.say(engine.CheckFail, "The last sync failed (%s): %s", cause, sentence(trim(s.Message, 300)))
	if !s.NextTry.IsZero() {
		f.fact(engine.CheckFact{Name: "next try", Value: "by itself", At: s.NextTry})
	}
	text := feedAdvice[cause]
	if text == "" {
		text = feedAdvice["internal"]
	}
	f.step(advice(text))
	f.step(do("Sync the feeds now", engine.DoSyncFeeds, ""))
	f.step(see("Log of policy_engine", "logs", "", "service", engine.PolicyEngine))
	return f.end()
}
