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
	if s.Trigger == "upload" {
		v.Tries = uploadTries(s.Cause, v.Tries)
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

// uploadTries leaves out what is of use for a download alone.
func uploadTries(cause string, tries []string) []string {
	switch cause {
	case "checksum":
		return []string{"Compare the file's checksum with the listing it came from (sha256sum), and bring the file over again."}
	case "sanity":
		return []string{"If the smaller or older data is what you want, install the upload all the same: it is kept below."}
	case "interrupted":
		return []string{"The upload is kept: it is tried once more by itself, or by you below."}
	}
	return tries
}

func feedSyncRow(s engine.FeedSync, c Clock) view.FeedSyncRow {
	r := view.FeedSyncRow{
		ID: "sync-" + strconv.FormatInt(s.ID, 10), At: c.Ago(s.StartedAt), Trigger: triggerName(s.Trigger), Pill: syncPill(s),
		Took: "-", Records: "-", Images: "-", Message: s.Message, Data: s.Data, DataFull: s.Data, Host: s.Host,
	}
	if !s.EndedAt.IsZero() {
		r.Took, r.Steps = Span(s.EndedAt.Sub(s.StartedAt)), stepsText(s.Steps)
	}
	if !s.MatchedAt.IsZero() {
		r.Images = Count(s.Images)
		r.Matched = fmt.Sprintf("%s matched again in %s; %s changed", Plural(s.Images, "image", "images"), Span(s.MatchedAt.Sub(s.EndedAt)), Count(s.Changed))
		if s.Changed > 0 {
			r.Images = Count(s.Changed) + " of " + Count(s.Images)
		}
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
