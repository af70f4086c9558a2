package present

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// VulnQuery is what a page or an export asks of an image's vulnerabilities.
type VulnQuery struct {
	Text     string
	Severity string
	Fixable  bool
	Known    bool   // known to be exploited
	VEX      string // one of vulnMarks
	Group    string // package, cve, or empty
	Sort     string // one of vulnSorts
	Page     int    // from 1
}

// vulnPage is how many rows, or groups, stand on one page.
const vulnPage = 100

var vulnSorts = []view.Option{
	{Value: "", Text: "Worst first"}, {Value: "epss", Text: "Most likely exploited"}, {Value: "cvss", Text: "Highest CVSS"},
	{Value: "package", Text: "Package"}, {Value: "vuln", Text: "Id"},
}

// vulnMarks are the ways to look at matches by what VEX documents say of them.
var vulnMarks = []view.Option{
	{Value: "", Text: "VEX: all"}, {Value: engine.VEXHide, Text: "Hide not affected"}, {Value: engine.VEXCleared, Text: "Not affected only"}, {Value: engine.VEXMarked, Text: "With a statement"},
}

// ParseVulnQuery reads the page's query; what it does not know it leaves out.
func ParseVulnQuery(q url.Values) VulnQuery {
	v := VulnQuery{
		Text: strings.TrimSpace(q.Get("q")), Severity: q.Get("severity"), Fixable: q.Get("fixable") != "", Known: q.Get("known") != "",
		Group: q.Get("group"), Sort: q.Get("sort"), VEX: q.Get("vex"), Page: 1,
	}
	if !slices.ContainsFunc(vulnMarks, func(o view.Option) bool { return o.Value == v.VEX }) {
		v.VEX = ""
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		v.Page = n
	}
	if v.Group != "package" && v.Group != "cve" {
		v.Group = ""
	}
	if !slices.ContainsFunc(vulnSorts, func(o view.Option) bool { return o.Value == v.Sort }) {
		v.Sort = ""
	}
	if !slices.ContainsFunc(engine.SeverityNames, func(n string) bool { return strings.EqualFold(n, v.Severity) }) {
		v.Severity = ""
	}
	return v
}

// Values is the query again, without the page.
func (v VulnQuery) Values() url.Values {
	q := url.Values{}
	set := func(k, s string) {
		if s != "" {
			q.Set(k, s)
		}
	}
	set("q", v.Text)
	set("severity", v.Severity)
	set("group", v.Group)
	set("sort", v.Sort)
	set("vex", v.VEX)
	if v.Fixable {
		q.Set("fixable", "1")
	}
	if v.Known {
		q.Set("known", "1")
	}
	return q
}

// Select gives the matches that the query asks for, in its order. The list
// itself is not altered.
func (v VulnQuery) Select(list []engine.Match) []engine.Match {
	out := v.Filter().Select(list)
	slices.SortStableFunc(out, v.order())
	return out
}

func (v VulnQuery) order() func(a, b engine.Match) int {
	name := func(a, b engine.Match) int {
		return cmp.Or(cmp.Compare(a.Package, b.Package), cmp.Compare(a.Version, b.Version), cmp.Compare(a.Vuln, b.Vuln), cmp.Compare(a.Path, b.Path))
	}
	worst := func(a, b engine.Match) int {
		return cmp.Or(cmp.Compare(severityRank(a), severityRank(b)), cmpBool(b.KnownExploited, a.KnownExploited),
			cmp.Compare(b.EPSS, a.EPSS), cmp.Compare(cvss(b), cvss(a)), name(a, b))
	}
	switch v.Sort {
	case "epss":
		return func(a, b engine.Match) int {
			return cmp.Or(cmpBool(b.KnownExploited, a.KnownExploited), cmp.Compare(b.EPSS, a.EPSS), worst(a, b))
		}
	case "cvss":
		return func(a, b engine.Match) int { return cmp.Or(cmp.Compare(cvss(b), cvss(a)), worst(a, b)) }
	case "package":
		return name
	case "vuln":
		return func(a, b engine.Match) int { return cmp.Or(cmp.Compare(a.Vuln, b.Vuln), name(a, b)) }
	}
	return worst
}

func cmpBool(a, b bool) int {
	if a == b {
		return 0
	}
	if a {
		return 1
	}
	return -1
}

func severityOf(m engine.Match) string { return engine.SeverityName(m.Severity) }

func severityRank(m engine.Match) int { return slices.Index(engine.SeverityNames, severityOf(m)) }

// cvss is the score that is shown; -1: none.
func cvss(m engine.Match) float64 {
	base, _ := m.Score()
	return base
}

// ImageVulns shapes the tab of vulnerabilities.
func ImageVulns(i engine.Image, all []engine.Match, q VulnQuery, c Clock) *view.ImageVulns {
	path := ImageHref(i.Digest)
	tab := func(q VulnQuery) string {
		vals := q.Values()
		vals.Set("tab", "vulnerabilities")
		return path + "?" + vals.Encode()
	}
	bySev := func(name string) string {
		to := q
		to.Severity = name
		if strings.EqualFold(q.Severity, name) {
			to.Severity = "" // a second click takes the filter back
		}
		return tab(to)
	}
	list := q.Select(all)
	v := &view.ImageVulns{
		Bar: SevBar(count(all), bySev), GroupBy: q.Group, Form: vulnForm(q), Starter: i.Starter, Matched: c.Ago(i.MatchedAt),
		Exports: VulnExports(i, q),
	}
	cleared, marked := 0, 0
	for _, m := range all {
		if m.VEX != nil {
			marked++
			if m.Cleared() {
				cleared++
			}
		}
	}
	if marked > 0 || q.VEX != "" {
		for _, o := range vulnMarks {
			o.Selected = o.Value == q.VEX
			v.Form.VEX = append(v.Form.VEX, o)
		}
	}
	v.Upload = VEXHref + "?image=" + url.QueryEscape(string(i.Digest)) + "#upload"
	v.Text = Plural(len(all), "vulnerability", "vulnerabilities")
	if len(list) != len(all) {
		v.Text = Count(len(list)) + " of " + v.Text
		v.ClearRef = tab(VulnQuery{Group: q.Group, Sort: q.Sort})
	}
	if cleared > 0 {
		to := VulnQuery{VEX: engine.VEXCleared}
		if q.VEX == engine.VEXCleared {
			to.VEX = ""
		}
		v.Cleared, v.ClearedRef = Count(cleared)+" not affected by VEX", tab(to)
	}
	switch {
	case i.MatchedWith == "":
		v.None = "This image has not been matched yet: there is no vulnerability data. Sync the feeds."
	case len(all) == 0:
		v.None = "Nothing known to the vulnerability data affects what is in this image."
	case len(list) == 0:
		v.None = "Nothing matches this filter."
	}
	if q.Group != "" {
		groups := group(list, q, c)
		part, pager := page(groups, q.Page, func(n int) string { return tab(q) + "&page=" + strconv.Itoa(n) }, "group", "groups")
		v.Groups, v.Pager = part, pager
		return v
	}
	part, pager := page(list, q.Page, func(n int) string { return tab(q) + "&page=" + strconv.Itoa(n) }, "row", "rows")
	for _, m := range part {
		v.Rows = append(v.Rows, vulnRow(m, c))
	}
	v.Pager = pager
	return v
}

func vulnForm(q VulnQuery) view.VulnForm {
	f := view.VulnForm{Text: q.Text, Fixable: q.Fixable, Known: q.Known}
	f.Severity = []view.Option{{Text: "Any severity", Selected: q.Severity == ""}}
	for _, s := range engine.SeverityNames {
		f.Severity = append(f.Severity, view.Option{Value: s, Text: s, Selected: strings.EqualFold(s, q.Severity)})
	}
	for _, o := range []view.Option{{Value: "", Text: "No groups"}, {Value: "package", Text: "By package"}, {Value: "cve", Text: "By vulnerability"}} {
		o.Selected = o.Value == q.Group
		f.Group = append(f.Group, o)
	}
	for _, o := range vulnSorts {
		o.Selected = o.Value == q.Sort
		f.Sort = append(f.Sort, o)
	}
	return f
}

// page cuts one page out of a list. A page past the end is the last.
func page[T any](list []T, n int, href func(int) string, one, many string) ([]T, view.Pager) {
	pages := max((len(list)+vulnPage-1)/vulnPage, 1)
	n = min(n, pages)
	from := (n - 1) * vulnPage
	to := min(from+vulnPage, len(list))
	p := view.Pager{Text: Plural(len(list), one, many)}
	if pages > 1 {
		p.Text = Count(from+1) + " to " + Count(to) + " of " + p.Text
	}
	if n > 1 {
		p.First, p.Prev = href(1), href(n-1)
	}
	if n < pages {
		p.Next = href(n + 1)
	}
	return list[from:to], p
}

func count(list []engine.Match) engine.Severities {
	var s engine.Severities
	for _, m := range list {
		s = s.Add(severityOf(m))
	}
	return s
}

func group(list []engine.Match, q VulnQuery, c Clock) []view.VulnGroup {
	index := map[string]int{}
	var names []string
	var parts [][]engine.Match
	for _, m := range list { // the order of the first of each group stays
		k := m.Vuln
		if q.Group == "package" {
			k = m.Package + " " + m.Version
		}
		at, ok := index[k]
		if !ok {
			at = len(parts)
			index[k], names, parts = at, append(names, k), append(parts, nil)
		}
		parts[at] = append(parts[at], m)
	}
	out := make([]view.VulnGroup, len(parts))
	for n, part := range parts {
		worst := slices.MinFunc(part, func(a, b engine.Match) int { return cmp.Compare(severityRank(a), severityRank(b)) })
		g := view.VulnGroup{DOMID: "group-" + domID(names[n]), Worst: Sev(worst.Severity), Bar: SevBar(count(part), nil)}
		if q.Group == "package" {
			g.Name, g.Sub = part[0].Package, part[0].Version
			g.Count = Plural(len(part), "vulnerability", "vulnerabilities")
		} else {
			g.Name, g.Href = part[0].Vuln, SafeLink(part[0].URL)
			g.Count = Plural(len(part), "package", "packages")
		}
		fixable := 0
		for _, m := range part {
			if len(m.Fixes) > 0 {
				fixable++
			}
			g.Rows = append(g.Rows, vulnRow(m, c))
		}
		if g.Fix = "no fix known"; fixable > 0 {
			g.Fix = Count(fixable) + " with a fix"
		}
		out[n] = g
	}
	return out
}

func vulnRow(m engine.Match, c Clock) view.VulnRow {
	r := view.VulnRow{
		DOMID: "vuln-" + domID(m.PackageKey+m.Vuln+m.Namespace), ID: m.Vuln, Href: SafeLink(m.URL), Sev: Sev(m.Severity),
		Package: m.Package, Version: orDash(m.Version), Type: orDash(m.PackageType), Path: path(m.Path), Fix: strings.Join(m.Fixes, ", "),
		Known: m.KnownExploited, WontFix: m.WillNotFix, Sample: m.Sample, Title: printable([]byte(m.Description), 600),
	}
	if r.Fix == "" {
		r.FixState = fixState(m)
	}
	if score := cvss(m); score >= 0 {
		r.CVSS = strconv.FormatFloat(score, 'f', 1, 64)
	}
	if m.EPSS > 0 {
		r.EPSS = strconv.FormatFloat(m.EPSS*100, 'f', 1, 64) + " %"
		if m.EPSS < 0.001 {
			r.EPSS = "< 0.1 %"
		}
		r.EPSSTitle = "chance of being exploited within 30 days"
	}
	var related []string
	for _, id := range m.CVEs {
		if id != m.Vuln {
			related = append(related, id)
		}
	}
	r.Related = strings.Join(related, ", ")
	r.Why = matchWhy(m)
	r.Mark = vulnMark(m.VEX, c)
	r.Cleared = m.Cleared()
	return r
}

// matchWhy says why a match was made: the record, the versions compared, and
// what compared them.
func matchWhy(m engine.Match) []view.Fact {
	var facts []view.Fact
	add := func(name, text string) {
		if text != "" {
			facts = append(facts, view.Fact{Name: name, Text: text, Mono: true})
		}
	}
	add("Record", m.Vuln)
	add("of", m.Namespace)
	if len(m.Fixes) > 0 {
		add("Fixed in", strings.Join(m.Fixes, ", "))
	}
	add("Affects", m.Constraint)
	add("Found", strings.TrimSpace(m.Package+" "+m.Version))
	add("Known as", m.CPE23)
	add("By", m.Matcher)
	return facts
}

func fixState(m engine.Match) string {
	switch {
	case m.WillNotFix || m.FixState == "wont-fix":
		return "won't be fixed"
	case m.FixState == "not-fixed":
		return "no fix yet"
	}
	return "no fix known"
}

// path is a package's place; those of the system's package database have none.
func path(p string) string {
	if p == "" || p == "pkgdb" {
		return ""
	}
	return p
}

// SafeLink is an address as it may be linked to: http and https alone.
func SafeLink(u string) string {
	if p, err := url.Parse(u); err != nil || p.Scheme != "https" && p.Scheme != "http" || p.Host == "" {
		return ""
	}
	return u
}

// domID makes an id of a text: letters, digits and dashes.
func domID(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-':
			return r
		}
		return '_'
	}, s)
}
