package present

import (
	"fmt"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// maxShownRows bounds the findings of one image that a page lists whole.
const maxShownRows = 300

// PolicyTrials shapes what came of a try. tried and against are the names of
// the two bundles; except is the address of the form that makes an exception in
// the tried one, empty where none is to be offered.
func PolicyTrials(t engine.PolicyTrials, tried, against, except string) *view.PolicyTrials {
	v := &view.PolicyTrials{Tried: tried, Against: against}
	if t.Against == "" {
		v.Against = ""
	}
	changed, faults := 0, 0
	for _, one := range t.Trials {
		row := policyTrial(one, except)
		if row.Changed {
			changed++
		}
		if row.Fault != "" {
			faults++
		}
		v.List = append(v.List, row)
	}
	n := len(v.List)
	switch {
	case n == 0 && t.Left == 0:
		v.Tone, v.Summary = "", "No image is analyzed yet, so nothing would change now."
	case v.Against == "":
		v.Tone, v.Summary = "info", stands(t.Trials)
	case n == 1:
		v.Tone, v.Summary = "ok", "The verdict on this image stays what it is."
		if changed == 1 {
			v.Tone, v.Summary = "warn", "The verdict on this image changes."
		}
	default:
		of := "the " + Count(n) + " newest analyzed images"
		if t.Analyzed <= n {
			of = "the " + Count(n) + " analyzed images"
		}
		v.Tone, v.Summary = "ok", "The verdict changes on none of "+of+"."
		if changed > 0 {
			v.Tone, v.Summary = "warn", "The verdict changes on "+Count(changed)+" of "+of+"."
		}
	}
	if faults > 0 {
		v.Tone = "bad"
		v.Summary += " On " + Count(faults) + " there would be no verdict at all."
	}
	if t.Left > 0 {
		v.Left = Plural(t.Left, "image was", "images were") + " not looked at: time was up. Try it on one of them alone."
	}
	if n == 1 {
		v.One = &v.List[0]
		v.One.Rows, v.One.RowsMore = allRows(t.Trials[0].Tried.Rows, except)
	}
	return v
}

// stands counts verdicts, where there are none to compare them with.
func stands(list []engine.PolicyTrial) string {
	n := map[string]int{}
	for _, t := range list {
		if t.Fault == "" {
			n[t.Tried.Action]++
		}
	}
	return fmt.Sprintf("Of %s, %d pass, %d pass with warnings and %d fail. No bundle is active to compare with.",
		Plural(len(list), "image", "images"), n[engine.ActionGo], n[engine.ActionWarn], n[engine.ActionStop])
}

func policyTrial(t engine.PolicyTrial, except string) view.PolicyTrial {
	v := view.PolicyTrial{
		DOMID: DOMID("trial", string(t.Image)), Name: t.Tag, Short: t.Image.Short(), Href: ImageHref(t.Image), Fault: t.Fault,
		TryHref: string(t.Image),
	}
	if v.Name == "" {
		v.Name = t.Image.Short()
	}
	if t.Fault == "" {
		v.Tried, v.TriedWhy, v.TriedRows = verdictPill(t.Tried), verdictWhy(t.Tried), rowsText(t.TriedRows)
	} else {
		v.Tried = view.Pill{Tone: "bad", Text: "no verdict"}
	}
	switch {
	case t.Now != nil:
		v.Now, v.NowWhy, v.NowRows = verdictPill(*t.Now), verdictWhy(*t.Now), rowsText(t.NowRows)
		v.Changed = t.Fault == "" && t.Now.Action != t.Tried.Action
	case t.NowFault != "":
		v.Now, v.NowWhy = view.Pill{Tone: "bad", Text: "no verdict"}, t.NowFault
		v.Changed = t.Fault == ""
	}
	for _, ch := range t.Changes {
		row := policyChange(ch, except)
		switch ch.Kind {
		case engine.RowNew:
			v.NewN++
		case engine.RowGone:
			v.GoneN++
		default:
			v.ChangedN++
		}
		v.Changes = append(v.Changes, row)
	}
	if t.MoreChanges > 0 {
		v.More = Plural(t.MoreChanges, "more finding differs", "more findings differ") + "."
	}
	if t.Same > 0 {
		v.Same = Plural(t.Same, "finding is", "findings are") + " the same under both."
	}
	var counts []string
	for _, c := range []struct {
		n    int
		what string
	}{{v.NewN, "new"}, {v.GoneN, "gone"}, {v.ChangedN, "changed"}} {
		if c.n > 0 {
			counts = append(counts, Count(c.n)+" "+c.what)
		}
	}
	if v.Counts = strings.Join(counts, ", "); v.Counts == "" {
		v.Counts = "none"
	}
	return v
}

// verdictPill is a final action in words that say what it means.
func verdictPill(v engine.Verdict) view.Pill {
	switch v.Action {
	case engine.ActionStop:
		return view.Pill{Tone: "bad", Text: "Fail", Title: "Final action: stop"}
	case engine.ActionWarn:
		return view.Pill{Tone: "warn", Text: "Warn", Title: "Final action: warn; the image passes"}
	}
	return view.Pill{Tone: "ok", Text: "Pass", Title: "Final action: go"}
}

// verdictWhy says how a final action came about.
func verdictWhy(v engine.Verdict) string {
	switch {
	case v.Blacklisted != "":
		return "listed as failing by " + v.Blacklisted
	case v.Whitelisted != "":
		return "listed as passing by " + v.Whitelisted
	case len(v.Problems) > 0 && len(v.Rows) == 0 && v.Action == engine.ActionStop:
		return "the bundle has faults: " + v.Problems[0]
	case v.Mapping == "":
		return "no mapping takes it"
	}
	return "mapping " + v.Mapping
}

func rowsText(n engine.VerdictRows) string {
	if n.Total() == 0 {
		return "no finding"
	}
	var parts []string
	for _, c := range []struct {
		n    int
		what string
	}{{n.Stop, "stop"}, {n.Warn, "warn"}, {n.Go, "go"}, {n.Excepted, "excepted"}} {
		if c.n > 0 {
			parts = append(parts, Count(c.n)+" "+c.what)
		}
	}
	return strings.Join(parts, ", ")
}

func policyChange(c engine.VerdictChange, except string) view.PolicyChange {
	v := verdictRow(c.Row, except)
	v.Kind = c.Kind
	switch c.Kind {
	case engine.RowNew:
		v.Mark, v.KindText = "+", "New"
	case engine.RowGone:
		v.Mark, v.KindText = "-", "Gone"
		v.Was, v.Now, v.Except = v.Now, view.Pill{}, ""
	case engine.RowChanged:
		v.Mark, v.KindText = "~", "Changed"
		v.Was = rowPill(*c.Was)
	}
	return v
}

func allRows(rows []engine.VerdictRow, except string) ([]view.PolicyChange, string) {
	var out []view.PolicyChange
	for _, r := range rows[:min(len(rows), maxShownRows)] {
		out = append(out, verdictRow(r, except))
	}
	if more := len(rows) - maxShownRows; more > 0 {
		return out, Plural(more, "more finding is", "more findings are") + " not shown."
	}
	return out, ""
}

func verdictRow(r engine.VerdictRow, except string) view.PolicyChange {
	v := view.PolicyChange{Now: rowPill(r), Gate: r.Gate, Trigger: r.Trigger, TriggerID: r.TriggerID, Output: r.Output, Why: rowWhy(r)}
	if x := r.Exception; x != nil {
		v.Excepted = "set aside by " + nameOr(x.WhitelistName, x.WhitelistID)
		if x.Reason != "" {
			v.Excepted += ": " + x.Reason
		}
	} else if except != "" {
		v.Except = except + ExceptionQuery(r.Gate, r.TriggerID)
	}
	return v
}

func rowPill(r engine.VerdictRow) view.Pill {
	tone, text := actionTone(r.Action)
	if r.Exception != nil {
		return view.Pill{Tone: "off", Text: "Excepted", Title: "An exception sets it aside"}
	}
	return view.Pill{Tone: tone, Text: text}
}

// rowWhy tells what made a rule fire.
func rowWhy(r engine.VerdictRow) []view.Fact {
	var list []view.Fact
	add := func(name, text string) {
		if text != "" {
			list = append(list, view.Fact{Name: name, Text: text})
		}
	}
	w := r.Why
	add("Rule", w.RuleID)
	add("Record", w.Record)
	add("Namespace", w.Namespace)
	add("Package", w.Package)
	add("Path", w.Path)
	add("Version", w.Version)
	add("Compared with", w.Against)
	add("Fixed in", w.Fix)
	add("Matcher", w.Matcher)
	add("Trigger id", r.TriggerID)
	return list
}
