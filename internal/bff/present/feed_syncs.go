package present

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

var stageNames = map[engine.FeedStage]string{
	engine.FeedCheck: "Check", engine.FeedDownload: "Download", engine.FeedVerify: "Verify",
	engine.FeedUnpack: "Unpack", engine.FeedIndex: "Index", engine.FeedActivate: "Activate",
}

// feedRun shows a sync under way: its step, how far it is and how fast.
func feedRun(s engine.FeedSync, c Clock) *view.FeedRun {
	v := &view.FeedRun{Title: triggerName(s.Trigger), Source: s.Source}
	passed := true
	for _, st := range engine.FeedStages {
		step := view.FeedStage{Name: stageNames[st]}
		switch {
		case st == s.Stage:
			step.State, passed = "now", false
		case passed:
			step.State = "done"
		}
		v.Stages = append(v.Stages, step)
	}
	v.Meter = view.Meter{Label: stageNames[s.Stage], Value: s.Done, Max: s.Total, Text: stageNames[s.Stage]}
	facts := []string{Span(c.Now.Sub(s.StartedAt)) + " so far"}
	if s.Total > 0 {
		v.Meter.Text = fmt.Sprintf("%s of %s", Bytes(s.Done), Bytes(s.Total))
		if took := c.Now.Sub(s.StageAt); s.Done > 0 && took > 300*time.Millisecond {
			rate := float64(s.Done) / took.Seconds()
			facts = append(facts, Bytes(int64(rate))+"/s")
			if s.Done < s.Total {
				left := time.Duration(float64(s.Total-s.Done) / rate * float64(time.Second))
				facts = append(facts, "about "+Span(max(left, time.Second))+" left in this step")
			}
		}
	}
	v.Facts = strings.Join(facts, ", ")
	return v
}

func triggerName(trigger string) string {
	switch trigger {
	case "periodic":
		return "Periodic sync"
	case "manual":
		return "Sync"
	case "upload":
		return "Uploaded archive"
	case "starter":
		return "Starter data"
	case "rollback":
		return "Roll back"
	}
	return trigger
}

// causes says what a person can do about each cause of a failed sync.
var causes = map[string]struct {
	title string
	tries []string
}{
	"dns": {"the source's name does not resolve", []string{
		"Check the host's DNS settings (/etc/resolv.conf), and the name in CONSOLE_FEEDS_URL for typing errors.",
		"Behind a proxy, set HTTPS_PROXY: names are then resolved by it.",
		"Without internet, upload an archive below, or point CONSOLE_FEEDS_URL at a mirror."}},
	"connection": {"the source cannot be reached", []string{
		"Check that this host may reach the address: firewall, route, and whether the source is up.",
		"Behind a proxy, set HTTPS_PROXY.",
		"Without internet, upload an archive below, or point CONSOLE_FEEDS_URL at a mirror."}},
	"tls": {"no trusted TLS connection", []string{
		"A proxy that opens TLS, or a mirror of your own, needs its CA certificate in the host's trust store (or SSL_CERT_FILE).",
		"Check the host's clock: certificates are valid for a time.",
		"An address that starts with https:// must not answer plain HTTP."}},
	"proxy":       {"the proxy refuses", []string{"Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY, and the login in them.", "Ask whoever runs the proxy to allow the source's address."}},
	"http_4xx":    {"the source says no", []string{"Check the path of CONSOLE_FEEDS_URL: it is the base under which v6/latest.json lies.", "A mirror may be missing the archive that its listing names: sync the mirror again."}},
	"http_5xx":    {"the source is in trouble", []string{"Nothing to do here: the sync is tried again by itself.", "If it lasts, look at the source's status, or use another mirror."}},
	"checksum":    {"the archive is not the announced one", []string{"The download was altered or mixed up on its way: try again.", "If it stays so, a mirror or proxy serves an old archive under a new listing: clear its cache."}},
	"disk":        {"no room to write", []string{"Free some space in the data folder: a sync needs about twice the size of the unpacked data.", "Check the folder's owner and permissions."}},
	"format":      {"not a database that this program reads", []string{"Check that the address serves grype databases of schema version 6.", "For an upload, choose the .tar.zst or .tar.gz archive as it was downloaded."}},
	"sanity":      {"the new data looks wrong", []string{"The source may have published a broken build: wait for its next one.", "If the smaller or older data is what you want, use Flush and sync."}},
	"interrupted": {"the program stopped during the sync", []string{"Nothing to do: it is done again by itself."}},
}

func feedFailure(s engine.FeedSync, st engine.FeedStatus, c Clock) *view.FeedFailure {
	what := causes[s.Cause]
	v := &view.FeedFailure{
		Cause: what.title, Message: s.Message, At: c.Ago(s.EndedAt), Tries: what.tries,
		InUse:  "There is no data to match with until a sync succeeds.",
		Events: "/events?" + url.Values{"type": {"system.feeds.*"}}.Encode(),
		Log:    "/logs?" + url.Values{"service": {"policy_engine"}, "at": {s.EndedAt.UTC().Format(time.RFC3339)}}.Encode(),
	}
	if v.Cause == "" {
		v.Cause, v.Tries = "an unexpected error", []string{"The log of this moment says more.", "Try again."}
	}
	if st.Active != nil {
		v.InUse = "The data built " + Ago(c.Now.Sub(st.Active.Built)) + " stays in use."
		if st.Active.Starter {
			v.InUse = "The starter data stays in use."
		}
	}
	if !st.Next.IsZero() {
		v.Retry = c.Until(st.Next)
	}
	return v
}

func feedSyncRow(s engine.FeedSync, c Clock) view.FeedSyncRow {
	r := view.FeedSyncRow{
		ID: "sync-" + strconv.FormatInt(s.ID, 10), At: c.Ago(s.StartedAt), Trigger: triggerName(s.Trigger), Pill: syncPill(s),
		Took: "-", Records: "-", Message: s.Message, Data: s.Data, DataFull: s.Data, Host: s.Host,
	}
	if !s.EndedAt.IsZero() {
		r.Took = Span(s.EndedAt.Sub(s.StartedAt))
	}
	if s.Records > 0 {
		r.Records = Count(s.Records)
	}
	if s.Status == "success" && s.Delta != s.Records {
		r.Change = change(s.Delta)
	}
	if s.Data != "" {
		r.Data = s.Data[:min(8, len(s.Data))]
	}
	if s.Message == "" && s.Trigger == "upload" {
		r.Message = s.Source
	}
	return r
}

func syncPill(s engine.FeedSync) view.Pill {
	switch s.Status {
	case "running":
		return view.Pill{Tone: "run", Text: "running"}
	case "success":
		return view.Pill{Tone: "ok", Text: "new data"}
	case "unchanged":
		return view.Pill{Tone: "ok", Text: "unchanged"}
	case "cancelled":
		return view.Pill{Tone: "off", Text: "cancelled"}
	}
	return view.Pill{Tone: "bad", Text: "failed: " + strings.ReplaceAll(s.Cause, "_", " "), Title: s.Message}
}

// Size of the chart, in units of its drawing.
const chartWidth, chartHeight = 600, 64

// feedChart draws the duration of each sync of the history, oldest first.
func feedChart(list []engine.FeedSync) []view.FeedBar {
	var longest time.Duration
	var ended []engine.FeedSync
	for _, s := range list {
		if s.EndedAt.IsZero() {
			continue
		}
		ended = append(ended, s)
		longest = max(longest, s.EndedAt.Sub(s.StartedAt))
	}
	if len(ended) < 2 {
		return nil
	}
	step := min(chartWidth/len(ended), 40)
	bars := make([]view.FeedBar, 0, len(ended))
	for i := range ended {
		s := ended[len(ended)-1-i]
		took := s.EndedAt.Sub(s.StartedAt)
		h := max(3, int(float64(chartHeight)*float64(took)/float64(max(longest, 1))))
		class := "f-info"
		switch s.Status {
		case "failure":
			class = "f-c"
		case "unchanged":
			class = "f-n"
		case "cancelled":
			class = "f-none"
		}
		title := fmt.Sprintf("%s, %s: %s", s.StartedAt.UTC().Format(exactLayout), syncPill(s).Text, Span(took))
		if s.Delta != 0 {
			title += ", " + change(s.Delta).Text + " records"
		}
		bars = append(bars, view.FeedBar{
			X: strconv.Itoa(i * step), Y: strconv.Itoa(chartHeight - h), W: strconv.Itoa(max(step-4, 2)), H: strconv.Itoa(h), Class: class, Title: title,
		})
	}
	return bars
}
