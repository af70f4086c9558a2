package present

import (
	"slices"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// clockSlack is how far into the future a source may say it built its data
// before the host's clock is doubted.
const clockSlack = time.Hour

// feedNotices is what a person should know beside a failure: data that is old
// or missing, feeds that are off, hosts without the data, a clock that is wrong.
func feedNotices(list []engine.Feed, st engine.FeedStatus, c Clock) []view.FeedNotice {
	var v []view.FeedNotice
	add := func(tone, icon, text, href, link string) {
		v = append(v, view.FeedNotice{Tone: tone, Icon: icon, Text: text, Href: href, Link: link})
	}
	if st.Interval <= 0 && st.Source != "" {
		add("info", "clock", "Periodic syncs are off (CONSOLE_FEEDS_INTERVAL is 0): data gets no newer unless somebody syncs or uploads it.", "", "")
	}
	if d := st.Active; d != nil {
		switch age := c.Now.Sub(d.Built); {
		case d.Starter:
		case age < -clockSlack:
			add("warn", "clock", "The data says it was built in "+Span(-age)+": the clock of this host is slow, or that of the source is fast. Ages on this page cannot be trusted.", "/troubleshoot", "Check the clocks")
		case age >= staleAfter:
			add("warn", "alert", "The data in use was built "+Ago(age)+": what became known since is not found. "+whyStale(st), "", "")
		}
		for _, h := range st.Hosts {
			if h.Data != d.ID && h.Message != "" {
				add("warn", "alert", h.Host+" lacks the data in use and leaves matching to the other hosts: "+h.Message, "/logs?service=policy_engine", "Its log")
			}
		}
	}
	if p := st.Previous; p != nil && p.SetAside {
		add("info", "undo", "The data built "+p.Built.UTC().Format(exactLayout)+" UTC was rolled back. Periodic syncs leave it alone until the source has newer; Sync now installs it again.", "", "")
	}
	off, groups := 0, 0
	for _, f := range list {
		if !f.Enabled {
			off++
		}
		for _, g := range f.Groups {
			if !g.Enabled {
				groups++
			}
		}
		if f.Name == "vulnerabilities" && !f.Enabled {
			add("warn", "alert", "The feed vulnerabilities is disabled: packages of distributions are not matched, and “system wait” of the command line reports an error.", "", "")
		}
	}
	if off+groups > 0 {
		text := "Left out of matching: "
		if off > 0 {
			text += Plural(off, "disabled feed", "disabled feeds")
		}
		if off > 0 && groups > 0 {
			text += " and "
		}
		if groups > 0 {
			text += Plural(groups, "disabled group", "disabled groups")
		}
		add("info", "filter", text+".", "/feeds?show=off", "Show them")
	}
	return v
}

// whyStale says what stands in the way of newer data, as far as that is known.
func whyStale(st engine.FeedStatus) string {
	i := slices.IndexFunc(st.Syncs, func(s engine.FeedSync) bool { return s.Status != "running" })
	switch {
	case i < 0:
		return "Sync now, or upload an archive."
	case st.Syncs[i].Status == "failure":
		return "The last sync failed; its cause is below."
	case st.Syncs[i].Status == "unchanged":
		return "The source has nothing newer: a mirror may have stopped mirroring."
	}
	return "Sync now, or upload an archive."
}

// feedUploads lists the archives that were uploaded and are not installed.
func feedUploads(st engine.FeedStatus, c Clock) []view.FeedUpload {
	busy := len(st.Syncs) > 0 && st.Syncs[0].Status == "running"
	var v []view.FeedUpload
	for _, a := range st.Archives {
		u := view.FeedUpload{
			ID: a.ID, Name: uploadName(a.Source), Bytes: a.Size, Have: a.Have, By: a.By, At: c.Ago(a.TouchedAt), Message: a.Message,
			Install: FeedsHref("uploads", a.ID, "install"), Discard: FeedsHref("uploads", a.ID, "discard"), Size: Bytes(max(a.Size, a.Have)),
		}
		whole := a.Have > 0 && (a.Size == 0 || a.Have == a.Size)
		switch {
		case a.State == engine.FeedArchiveInstalling && busy:
			continue // the run shows it
		case a.State == engine.FeedArchiveOpen && !whole:
			u.Pill = view.Pill{Tone: "run", Text: "incomplete"}
			u.Open = a.Size > 0
			u.Meter = &view.Meter{Label: "Bytes of " + u.Name + " that are here", Value: a.Have, Max: a.Size, Text: Bytes(a.Have) + " of " + Bytes(a.Size)}
			u.Message = "Choose the same file again to go on where it stopped."
			u.Install = ""
		case a.State == engine.FeedArchiveOpen:
			u.Pill = view.Pill{Tone: "ok", Text: "complete"}
			u.Message = "It is not installed yet."
		case a.State == engine.FeedArchiveInstalling:
			u.Pill = view.Pill{Tone: "warn", Text: "interrupted"}
			u.Message = "The program stopped while it was installed."
		default:
			u.Pill = view.Pill{Tone: "bad", Text: "not installed"}
			u.Force = a.Cause == "sanity"
		}
		v = append(v, u)
	}
	return v
}

func uploadName(source string) string {
	if len(source) > 8 && source[:8] == "upload: " {
		return source[8:]
	}
	return source
}
