package present

import (
	"cmp"
	"strconv"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

func verdictStep(in PolicyIn, n int, s engine.JudgementStep, c Clock) view.JudgementStep {
	q := PolicyQuery{Tag: in.Query.Tag, Policy: s.Policy, At: s.At, Page: 1}
	v := view.JudgementStep{
		DOMID: "step-" + strconv.Itoa(n), At: c.Exact(s.At), Href: q.Href(in.Image.Digest), Bundle: s.Policy, Active: s.Active,
		Action: ActionPill(s.Action), Rows: Plural(s.Rows, "finding", "findings"), Current: s.At.Equal(in.Query.At),
	}
	for _, b := range in.Bundles {
		if b.ID == s.Policy {
			v.Bundle = bundleName(b)
		}
	}
	v.Bundle = cmp.Or(v.Bundle, s.Policy)
	switch {
	case s.First:
		v.Change = "the first by this bundle"
		return v
	case s.More == 0 && s.Fewer == 0:
		v.Change = "the same findings"
	default:
		v.Change = "+" + Count(s.More) + " \u2212" + Count(s.Fewer)
	}
	if s.Document {
		v.Change += ", the bundle was edited"
	}
	v.Came, v.CameMore = stepRows(s.Came, s.More)
	v.Went, v.WentMore = stepRows(s.Went, s.Fewer)
	return v
}

func stepRows(list []engine.JudgementRow, all int) ([]view.StepRow, string) {
	var out []view.StepRow
	for _, r := range list {
		out = append(out, view.StepRow{Action: ActionPill(r.Action), Text: printable([]byte(r.Message), maxCell), Gate: r.Gate + " \u203a " + r.Trigger})
	}
	if more := all - len(list); more > 0 {
		return out, "and " + Count(more) + " more"
	}
	return out, ""
}
