package present

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// policyRows fills in the page of rows, grouped by trigger: the triggers that
// ask for most first, and within one the rows that do.
func policyRows(v *view.Judgement, in PolicyIn, e engine.Judgement, c Clock) {
	q := in.Query
	rows := q.Select(e.Rows)
	sortRows(rows)
	total := len(rows)
	pages := max((total+policyPage-1)/policyPage, 1)
	n := min(q.Page, pages)
	from := (n - 1) * policyPage
	to := min(from+policyPage, total)
	counts := map[[2]string]int{}
	for _, r := range rows {
		counts[[2]string{r.Gate, r.Trigger}]++
	}
	for at := from; at < to; at++ {
		r := rows[at]
		last := len(v.Groups) - 1
		if last < 0 || v.Groups[last].Gate != r.Gate || v.Groups[last].Trigger != r.Trigger {
			g := view.PolicyGroup{
				DOMID: "group-" + r.Gate + "-" + r.Trigger, Gate: r.Gate, Trigger: r.Trigger,
				Count: Plural(counts[[2]string{r.Gate, r.Trigger}], "finding", "findings"),
			}
			if at == from && at > 0 && rows[at-1].Gate == r.Gate && rows[at-1].Trigger == r.Trigger {
				g.Note = "continued"
			}
			v.Groups = append(v.Groups, g)
			last++
		}
		v.Groups[last].Rows = append(v.Groups[last].Rows, policyRow(in, e, r, at, c))
	}
	v.Pager.Text = Plural(total, "finding", "findings")
	if pages > 1 {
		v.Pager.Text = Count(from+1) + " to " + Count(to) + " of " + v.Pager.Text
	}
	page := func(n int) string {
		p := q
		p.Page = n
		return p.Href(in.Image.Digest)
	}
	if n > 1 {
		v.Pager.First, v.Pager.Prev = page(1), page(n-1)
	}
	if n < pages {
		v.Pager.Next = page(n + 1)
	}
	switch {
	case total > 0:
	case q.filtered():
		v.NoRows = "No row matches the filter."
	case e.Mapping == nil && len(e.Problems) == 0:
		v.NoRows = "No mapping matches this image, so no rule was run. Add a mapping for it to the bundle, or one for all: registry, repository and tag *."
	case len(e.Problems) > 0:
		v.NoRows = "No rule was run."
	default:
		v.NoRows = "No rule fired: there is nothing to put right."
	}
}

// rowRank orders rows by what they ask for; those set aside come last.
func rowRank(r engine.JudgementRow) int {
	rank := slices.Index([]string{engine.ActionStop, engine.ActionWarn, engine.ActionGo}, r.Action)
	if r.Exception != nil {
		rank = 3
	}
	return rank
}

func sortRows(rows []engine.JudgementRow) {
	worst := map[[2]string]int{}
	for _, r := range rows {
		k := [2]string{r.Gate, r.Trigger}
		if w, ok := worst[k]; !ok || rowRank(r) < w {
			worst[k] = rowRank(r)
		}
	}
	slices.SortStableFunc(rows, func(a, b engine.JudgementRow) int {
		return cmp.Or(cmp.Compare(worst[[2]string{a.Gate, a.Trigger}], worst[[2]string{b.Gate, b.Trigger}]),
			cmp.Compare(a.Gate, b.Gate), cmp.Compare(a.Trigger, b.Trigger), cmp.Compare(rowRank(a), rowRank(b)))
	})
}

func policyRow(in PolicyIn, e engine.Judgement, r engine.JudgementRow, at int, c Clock) view.PolicyRow {
	v := view.PolicyRow{
		DOMID: "row-" + Count(at), Action: ActionPill(r.Action), Message: printable([]byte(r.Message), maxCell),
		TriggerID: r.TriggerID, ShortID: short(r.TriggerID, 34), Rule: r.Rule,
		Aside: exceptionWords(r.Exception, c), Lapsed: exceptionWords(r.Lapsed, c),
	}
	if r.Exception != nil {
		v.Action = view.Pill{Tone: "off", Text: "Set aside", Title: "an exception made it go"}
		v.Asked = r.Ruled
	} else if in.CanEdit && in.Query.At.IsZero() {
		v.Except = ExceptionHref(e.Policy, r.Gate, r.TriggerID, in.Image.Digest, e.Tag, in.Query.Href(in.Image.Digest))
	}
	page := ImageHref(in.Image.Digest)
	w := r.Why
	record := view.Fact{Name: "Record", Text: w.Record, Mono: true}
	if r.Gate == "vulnerabilities" && r.Trigger == "package" && w.Record != "" {
		record = view.Fact{Name: "Vulnerability", Text: w.Record, Href: page + "?" + url.Values{"tab": {"vulnerabilities"}, "q": {w.Record}}.Encode()}
	}
	pkg := view.Fact{Name: "Package", Text: w.Package}
	if w.Package != "" {
		pkg.Href = page + "?" + url.Values{"tab": {"content"}, "class": {"all"}, "q": {w.Package}}.Encode()
	}
	path := view.Fact{Name: "Where", Text: w.Path, Mono: true}
	switch {
	case w.Path == "pkgdb":
		path.Text, path.Mono = "the package database", false
	case w.Path != "" && w.Path[0] == '/':
		path = view.Fact{Name: "File", Text: w.Path, Href: page + "?" + url.Values{"tab": {"content"}, "class": {"files"}, "q": {w.Path}}.Encode()}
	}
	against := view.Fact{Name: "Compared with", Text: w.Against, Mono: true}
	add := func(to *[]view.Fact, facts ...view.Fact) {
		for _, f := range facts {
			if f.Text != "" {
				f.Text = printable([]byte(f.Text), maxCell)
				*to = append(*to, f)
			}
		}
	}
	version := view.Fact{Name: "Found", Text: w.Version, Mono: true}
	fix := view.Fact{Name: "Fixed in", Text: w.Fix, Mono: true}
	if pkg.Text == record.Text {
		record.Text = ""
	}
	add(&v.Summary, record, pkg, version, fix)
	if len(v.Summary) == 0 || record.Href == "" && path.Href != "" && path.Text != record.Text {
		add(&v.Summary, path)
	}
	add(&v.Why, record, view.Fact{Name: "From", Text: w.Namespace}, pkg, version, against, fix, path, view.Fact{Name: "Found by", Text: w.Matcher})
	add(&v.Why, view.Fact{Name: "Policy", Text: cmp.Or(r.Policy.Name, r.Policy.ID)}, view.Fact{Name: "Rule", Text: r.Rule, Copy: r.Rule, Mono: true},
		view.Fact{Name: "Rule asks", Text: r.Ruled})
	for _, p := range r.Params {
		add(&v.Params, view.Fact{Name: p.Name, Text: cmp.Or(p.Value, "(empty)"), Mono: true})
	}
	return v
}

func exceptionWords(x *engine.JudgementException, c Clock) *view.PolicyException {
	if x == nil {
		return nil
	}
	v := &view.PolicyException{Reason: printable([]byte(x.Reason), maxCell)}
	switch {
	case x.VEX:
		v.Text, v.Reason = "VEX document "+x.List.ID, vexWords(v.Reason)
		v.Href = VEXDocumentHref(x.List.ID)
		if n, err := strconv.Atoi(x.Item); err == nil {
			v.Text, v.Href = v.Text+", statement "+x.Item, vexStatementHref(x.List.ID, n)
		}
	default:
		v.Text = "whitelist " + quoted(cmp.Or(x.List.Name, x.List.ID))
		if x.Item != "" {
			v.Text += ", item " + x.Item
		}
	}
	if !x.Expires.IsZero() {
		t := c.Until(x.Expires)
		if !x.Expires.After(c.Now) {
			t = c.Ago(x.Expires)
		}
		v.Expires = &t
	}
	return v
}
