package present

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// FeedQuery is the filter of the feeds page.
type FeedQuery struct {
	Text   string // part of a feed's or a group's name
	Show   string // off, changed, or empty: all
	Before int64  // the history begins before this sync; 0: at the newest
}

// href is the page with another beginning of the history.
func (q FeedQuery) href(before int64) string {
	v := url.Values{}
	if q.Text != "" {
		v.Set("q", q.Text)
	}
	if q.Show != "" {
		v.Set("show", q.Show)
	}
	if before > 0 {
		v.Set("before", strconv.FormatInt(before, 10))
	}
	if len(v) == 0 {
		return "/feeds"
	}
	return "/feeds?" + v.Encode()
}

// openGroups is how many groups a feed may have to be drawn open.
const openGroups = 12

// Feeds shapes the feeds page. past is a page of the history and, where there
// is an older one, one sync more than its size.
func Feeds(list []engine.Feed, st engine.FeedStatus, past []engine.FeedSync, size int, q FeedQuery, admin bool, c Clock) view.Feeds {
	v := view.Feeds{
		Admin: admin, Source: st.Source, Every: every(st.Interval), Next: view.Time{Text: "not planned"},
		Filter: view.FeedFilter{Text: q.Text, On: q.Text != "" || q.Show != "", Shows: []view.Choice{
			{Value: "", Text: "All groups", On: q.Show == ""},
			{Value: "changed", Text: "Changed by the last sync", On: q.Show == "changed"},
			{Value: "off", Text: "Disabled", On: q.Show == "off"},
		}},
	}
	if !st.Next.IsZero() {
		v.Next = c.Until(st.Next)
	}
	if st.Active != nil {
		v.Data, v.Starter = feedData(*st.Active, c), st.Active.Starter
		v.Data.Checked = c.Ago(lastChecked(st.Syncs))
		v.Data.Hosts = feedHosts(st)
	}
	if st.Previous != nil {
		v.Before = feedData(*st.Previous, c)
	}
	if len(st.Syncs) > 0 {
		switch last := st.Syncs[0]; last.Status {
		case "running":
			v.Running = feedRun(last, st, c)
		case "failure":
			v.Failure = feedFailure(last, st, c)
		}
	}
	if v.Running == nil && st.Rematch.Data != "" && st.Rematch.EndedAt.IsZero() {
		v.Running = rematchRun(st, c)
	}
	v.Rematch = rematch(st.Rematch)
	v.Notices = feedNotices(list, st, c)
	v.Uploads = feedUploads(st, c)
	shown, groups, records := 0, 0, int64(0)
	for _, f := range list {
		groups += len(f.Groups)
		box := feedBox(f, gone(f, st.Before), st, q, c)
		for _, g := range f.Groups {
			records += g.Records
		}
		shown += len(box.Rows)
		if len(box.Rows) > 0 || !v.Filter.On {
			v.Feeds = append(v.Feeds, box)
		}
	}
	slices.SortStableFunc(v.Feeds, func(a, b view.FeedBox) int {
		return cmp.Or(cmp.Compare(feedRank(a.Name), feedRank(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	if len(list) > 0 {
		v.Sub = Plural(len(list), "feed", "feeds") + ", " + Plural(groups, "group", "groups")
		if st.Active != nil {
			v.Sub += ", " + Plural(st.Active.Records, "record", "records")
		}
	}
	if v.Filter.On {
		v.Matches = Plural(shown, "group matches", "groups match")
	}
	older := len(past) > size
	past = past[:min(len(past), size)]
	for _, s := range past {
		v.History = append(v.History, feedSyncRow(s, c))
	}
	v.Chart = feedChart(past)
	v.Pager = historyPager(past, older, q)
	return v
}

// historyPager leads through the history of syncs.
func historyPager(past []engine.FeedSync, older bool, q FeedQuery) *view.Pager {
	if !older && q.Before == 0 {
		return nil
	}
	p := &view.Pager{Text: Plural(len(past), "sync", "syncs")}
	if q.Before > 0 {
		p.First = q.href(0) + "#feed-history"
		p.Text += " before the newest"
	}
	if older {
		p.Next = q.href(past[len(past)-1].ID) + "#feed-history"
	}
	return p
}

// lastChecked is when the source was last asked and gave an answer.
func lastChecked(list []engine.FeedSync) time.Time {
	for _, s := range list {
		if (s.Trigger == "periodic" || s.Trigger == "manual") && (s.Status == "success" || s.Status == "unchanged") {
			return s.EndedAt
		}
	}
	return time.Time{}
}

// feedHosts says of each host whether it has the data in use; of one alone it
// says nothing.
func feedHosts(st engine.FeedStatus) []view.FeedHost {
	var list []view.FeedHost
	for _, h := range st.Hosts {
		v := view.FeedHost{Name: h.Host, Pill: view.Pill{Tone: "ok", Text: "has it"}}
		switch {
		case h.Data == st.Active.ID:
		case h.Message != "":
			v.Pill = view.Pill{Tone: "bad", Text: "lacks it", Title: h.Message}
		default:
			v.Pill = view.Pill{Tone: "run", Text: "brings it"}
		}
		list = append(list, v)
	}
	if len(list) == 1 && list[0].Pill.Tone == "ok" {
		return nil
	}
	return list
}

// feedRank puts the feed of the distributions first.
func feedRank(name string) int {
	return slices.Index([]string{"", "github", "nvd", "vulnerabilities"}, name) * -1
}

func every(d time.Duration) string {
	if d <= 0 {
		return "only when asked"
	}
	return "every " + Span(d)
}

func feedData(d engine.FeedData, c Clock) *view.FeedData {
	v := &view.FeedData{
		Records: Count(d.Records), Schema: d.Schema, Built: c.Ago(d.Built), Installed: c.Ago(d.InstalledAt),
		Sum: engine.Digest(d.Checksum).Short(), SumFull: d.Checksum, Source: d.Source, Size: Bytes(d.Bytes),
	}
	v.Fresh, v.Kept = dataFresh(d, c), d.Archive != ""
	return v
}

// staleAfter is the age at which data is called stale, as the checks do.
const staleAfter = 5 * 24 * time.Hour

func dataFresh(d engine.FeedData, c Clock) view.Pill {
	switch age := c.Now.Sub(d.Built); {
	case d.Starter:
		return view.Pill{Tone: "warn", Text: "starter data", Title: "A few well-known records to try things with; not a feed"}
	case age < 36*time.Hour:
		return view.Pill{Tone: "ok", Text: "fresh"}
	case age < staleAfter:
		return view.Pill{Tone: "ok", Text: Span(age) + " old"}
	default:
		return view.Pill{Tone: "warn", Text: Span(age) + " old", Title: "Newer vulnerabilities are missing from it"}
	}
}

// groupFresh is how old a group's records are: those of the data in use, unless
// syncs pass the group by.
func groupFresh(g engine.FeedGroup, on bool, st engine.FeedStatus, c Clock) view.Pill {
	switch {
	case g.LastSync.IsZero() || st.Active == nil:
		return view.Pill{}
	case !on:
		return view.Pill{Tone: "off", Text: "not synced", Title: "Its counts are those of the sync before it was disabled"}
	}
	return dataFresh(*st.Active, c)
}

// FeedsHref is the address of a feed's or group's action.
func FeedsHref(parts ...string) string {
	for i, p := range parts {
		parts[i] = url.PathEscape(p)
	}
	return "/feeds/" + strings.Join(parts, "/")
}

// deleteHref is the page that counts what deleting would remove.
func deleteHref(feed, group string) string {
	v := url.Values{"feed": {feed}}
	if group != "" {
		v.Set("group", group)
	}
	return "/feeds/delete?" + v.Encode()
}

// gone are the groups of a feed that the data before had and this has not.
func gone(f engine.Feed, before []engine.FeedGroup) []engine.FeedGroup {
	var list []engine.FeedGroup
	for _, b := range before {
		if b.Feed == f.Name && !slices.ContainsFunc(f.Groups, func(g engine.FeedGroup) bool { return g.Name == b.Name }) {
			list = append(list, b)
		}
	}
	return list
}

// feedBox shapes a feed. Without data before everything would be new.
func feedBox(f engine.Feed, gone []engine.FeedGroup, st engine.FeedStatus, q FeedQuery, c Clock) view.FeedBox {
	compared := st.Previous != nil
	b := view.FeedBox{
		ID: "feed-" + f.Name, Name: f.Name, Enabled: f.Enabled, Synced: c.Ago(f.LastSync), Pill: onOff(f.Enabled, f.LastSync),
		Groups: Plural(len(f.Groups), "group", "groups"), Toggle: FeedsHref(f.Name, "toggle"), Delete: deleteHref(f.Name, ""),
	}
	var records, delta int64
	off := 0
	for _, g := range f.Groups {
		records += g.Records
		if g.Before >= 0 {
			delta += g.Records - g.Before
		} else {
			delta += g.Records
		}
		if !g.Enabled {
			off++
		}
		row := feedGroupRow(g, c)
		row.Fresh = groupFresh(g, g.Enabled && f.Enabled, st, c)
		if !compared {
			row.Change = view.Change{}
		}
		if keeps(q, f.Name, g.Name, !g.Enabled || !f.Enabled, row.Change.Way != "") {
			b.Rows = append(b.Rows, row)
		}
	}
	for _, g := range gone {
		if keeps(q, f.Name, g.Name, false, true) {
			b.Rows = append(b.Rows, view.FeedGroupRow{
				ID: "group-" + f.Name + "-" + g.Name, Name: g.Name, Gone: true, Records: "0",
				Pill:   view.Pill{Tone: "off", Text: "left out", Title: "The newest data has no records of it"},
				Change: view.Change{Text: "-" + Count(g.Records), Way: "gone"}, Synced: view.Time{Text: "-"},
			})
		}
		delta -= g.Records
	}
	slices.SortFunc(b.Rows, func(x, y view.FeedGroupRow) int { return natural(x.Name, y.Name) })
	b.Records = Count(records)
	if compared {
		b.Change = change(delta)
	}
	if off > 0 {
		b.EnabledOf = Count(off) + " off"
	}
	b.Open = q.Text != "" || q.Show != "" || len(b.Rows) <= openGroups || f.Name == "vulnerabilities"
	return b
}

func keeps(q FeedQuery, feed, group string, off, changed bool) bool {
	text := strings.ToLower(strings.TrimSpace(q.Text))
	if !strings.Contains(strings.ToLower(feed+"/"+group), text) {
		return false
	}
	switch q.Show {
	case "off":
		return off
	case "changed":
		return changed
	}
	return true
}

func feedGroupRow(g engine.FeedGroup, c Clock) view.FeedGroupRow {
	r := view.FeedGroupRow{
		ID: "group-" + g.Feed + "-" + g.Name, Name: g.Name, Enabled: g.Enabled, Pill: onOff(g.Enabled, g.LastSync),
		Records: Count(g.Records), Synced: c.Ago(g.LastSync),
		Toggle: FeedsHref(g.Feed, g.Name, "toggle"), Delete: deleteHref(g.Feed, g.Name),
	}
	switch {
	case g.LastSync.IsZero():
	case g.Before < 0:
		r.Change = view.Change{Text: "new", Way: "new"}
	default:
		r.Change = change(g.Records - g.Before)
	}
	return r
}

func change(n int64) view.Change {
	switch {
	case n > 0:
		return view.Change{Text: "+" + Count(n), Way: "up"}
	case n < 0:
		return view.Change{Text: Count(n), Way: "down"}
	}
	return view.Change{}
}

func onOff(on bool, synced time.Time) view.Pill {
	switch {
	case !on && synced.IsZero():
		return view.Pill{Tone: "off", Text: "off, deleted", Title: "Disabled, and its data was deleted"}
	case !on:
		return view.Pill{Tone: "off", Text: "off", Title: "Disabled: left out of matching"}
	case synced.IsZero():
		return view.Pill{Tone: "warn", Text: "no data", Title: "Its data was deleted; the next sync brings it back"}
	}
	return view.Pill{Tone: "ok", Text: "on"}
}

// natural orders names with their numbers by value: debian:9 before debian:12.
func natural(a, b string) int {
	for a != "" && b != "" {
		x, y := digits(a), digits(b)
		if x > 0 && y > 0 {
			m, _ := strconv.Atoi(a[:x])
			n, _ := strconv.Atoi(b[:y])
			if m != n {
				return cmp.Compare(m, n)
			}
			a, b = a[x:], b[y:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digits(s string) int {
	n := 0
	for n < len(s) && n < 9 && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}
