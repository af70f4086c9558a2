package present

import (
	"cmp"
	"slices"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// PolicyIn is what the policy tab is made of.
type PolicyIn struct {
	Image   engine.Image
	Query   PolicyQuery
	Bundles []engine.PolicyBundle
	Verdict *engine.Judgement // nil: Fault says why
	Fault   error
	History []engine.JudgementStep
	More    bool // than History
	CanAsk  bool // may evaluate now
	CanEdit bool // may add exceptions
}

// ImagePolicy shapes the tab.
func ImagePolicy(in PolicyIn, c Clock) view.ImagePolicy {
	v := view.ImagePolicy{Path: ImageHref(in.Image.Digest), Tag: in.Query.Tag, Bundle: in.Query.Policy}
	known := false
	for _, t := range in.Image.Tags {
		if !slices.ContainsFunc(v.Tags, func(o view.Option) bool { return o.Value == t.Full() }) {
			v.Tags = append(v.Tags, view.Option{Value: t.Full(), Text: t.Full(), Selected: t.Full() == in.Query.Tag})
			known = known || t.Full() == in.Query.Tag
		}
	}
	if !known && in.Query.Tag != "" {
		v.Tags = append(v.Tags, view.Option{Value: in.Query.Tag, Text: in.Query.Tag + " (not a tag of this image)", Selected: true})
	}
	v.Bundles = bundleOptions(in)
	if in.Verdict == nil {
		v.None = noVerdict(in)
	} else {
		v.Verdict = verdict(in, *in.Verdict, c)
	}
	for n, s := range in.History {
		v.History = append(v.History, verdictStep(in, n, s, c))
	}
	v.Steps = Plural(len(in.History), "entry", "entries")
	if in.More {
		v.HistoryMore = "Older entries are kept; the API lists them with history=true."
	}
	return v
}

func bundleName(b engine.PolicyBundle) string { return cmp.Or(b.Name, b.ID) }

func bundleOptions(in PolicyIn) []view.Option {
	var out []view.Option
	active := false
	for _, b := range in.Bundles {
		active = active || b.Active
		o := view.Option{Value: b.ID, Text: bundleName(b), Selected: b.ID == in.Query.Policy || in.Query.Policy == "" && b.Active}
		if b.Active {
			o.Text += " (active)"
		}
		out = append(out, o)
	}
	if !active && in.Query.Policy == "" {
		out = append([]view.Option{{Text: "None is active", Selected: true}}, out...)
	}
	return out
}

// noVerdict tells the reasons for which a bundle says nothing apart.
func noVerdict(in PolicyIn) *view.PolicyNone {
	switch {
	case in.Query.Tag == "":
		return &view.PolicyNone{Title: "The image has no tag", Text: "Policies choose images by their names, and this one has none left. Add it again under a tag."}
	case len(in.Bundles) == 0:
		return &view.PolicyNone{Title: "There is no policy bundle", Text: "Add a bundle and make it active: it says which findings stop an image, and which only warn.", Href: "/policies", Link: "Policies"}
	case in.Query.Policy == "" && !slices.ContainsFunc(in.Bundles, func(b engine.PolicyBundle) bool { return b.Active }):
		return &view.PolicyNone{Title: "No bundle is active", Text: "Make one active, or choose one above to see what it would say.", Href: "/policies", Link: "Policies"}
	}
	return &view.PolicyNone{
		Title: "The bundle could not be evaluated",
		Text:  "A rule of it cannot be run on this image, as one whose regular expression is faulty. The log of the policy engine names the rule.",
		Href:  "/logs?service=policy_engine", Link: "Log of policy_engine",
	}
}

// actionWords are the final actions as a person reads them.
var actionWords = map[string]struct{ word, tone string }{
	engine.ActionStop: {"Stop", "bad"}, engine.ActionWarn: {"Warn", "warn"}, engine.ActionGo: {"Go", "ok"},
}

// ActionPill is an action of a policy.
func ActionPill(action string) view.Pill {
	a, ok := actionWords[action]
	if !ok {
		return view.Pill{Text: orDash(action)}
	}
	return view.Pill{Tone: a.tone, Text: a.word, Title: action}
}

func verdict(in PolicyIn, e engine.Judgement, c Clock) *view.Judgement {
	q := in.Query
	v := &view.Judgement{
		Action: e.Action, Word: ActionPill(e.Action).Text, Pill: ActionPill(e.Action), Because: because(e), CanAsk: in.CanAsk && q.At.IsZero(), At: c.Ago(e.At),
		CSV:  ImageHref(in.Image.Digest) + "/policy.csv" + encode(q.Values()),
		JSON: ImageHref(in.Image.Digest) + "/policy.json" + encode(q.Values()),
	}
	if !q.At.IsZero() {
		v.Stored, v.NowHref = "This is a stored evaluation, with the bundle as it was then.", PolicyQuery{Tag: q.Tag, Policy: e.Policy, Page: 1}.Href(in.Image.Digest)
	}
	v.Facts = verdictFacts(e, c)
	for _, p := range e.Problems {
		v.Problems = append(v.Problems, view.PolicyProblem{Type: p.Type, Text: printable([]byte(p.Details), maxCell), Severity: p.Severity})
	}
	v.Counts = verdictCounts(in.Image.Digest, q, e)
	v.Gates = gateCounts(in.Image.Digest, q, e)
	v.Form = policyForm(q, e)
	if q.filtered() {
		v.Clear = q.bare().Href(in.Image.Digest)
	}
	policyRows(v, in, e, c)
	return v
}

// maxCell bounds a text that stands in a row.
const maxCell = 2000

// because says in a sentence why the final action is what it is.
func because(e engine.Judgement) string {
	n := countRows(e.Rows)
	alone := " The policies alone would have said " + e.PolicyAction + "."
	if e.PolicyAction == e.Action {
		alone = " The policies alone say the same."
	}
	switch {
	case e.Blacklisted != nil:
		also := ""
		if e.Whitelisted != nil {
			also = " It is on the list of whitelisted images, too, but the other one counts."
		}
		return "The bundle's list of blacklisted images has this image: " + ruleWords(*e.Blacklisted) + "." + also + alone
	case e.Whitelisted != nil:
		return "The bundle's list of whitelisted images has this image: " + ruleWords(*e.Whitelisted) + "." + alone
	case e.Action == engine.ActionStop && len(e.Rows) == 0:
		return "The bundle cannot be used as it is: see its problems below. Images are stopped until it is put right."
	case e.Mapping == nil:
		return "No mapping of the bundle matches " + e.Tag + ", so no policy was run."
	case n.stop > 0:
		return Plural(n.stop, "finding asks", "findings ask") + " to stop" + tail(n.warn > 0, Plural(n.warn, "more warns", "more warn")) + asideWords(n.aside) + "."
	case n.warn > 0:
		return Plural(n.warn, "finding warns", "findings warn") + "; none asks to stop" + asideWords(n.aside) + "."
	case n.aside > 0:
		return "Every finding that asks for more is set aside" + asideWords(n.aside) + "."
	case n.goes > 0:
		return Plural(n.goes, "rule", "rules") + " fired, and none asks for more than go."
	}
	return "None of the rules fired."
}

func tail(yes bool, text string) string {
	if !yes {
		return ""
	}
	return ", " + text
}

func asideWords(n int) string {
	if n == 0 {
		return ""
	}
	return "; " + Plural(n, "is set aside by an exception", "are set aside by exceptions")
}

func ruleWords(r engine.JudgementRule) string {
	name := cmp.Or(r.Name, r.ID)
	if name == "" {
		return r.Images
	}
	return "the rule " + quoted(name) + " (" + r.Images + ")"
}

func quoted(s string) string { return "\u201c" + s + "\u201d" }

type rowCounts struct{ stop, warn, goes, aside int }

func countRows(rows []engine.JudgementRow) (n rowCounts) {
	for _, r := range rows {
		switch {
		case r.Exception != nil:
			n.aside++
		case r.Action == engine.ActionStop:
			n.stop++
		case r.Action == engine.ActionWarn:
			n.warn++
		default:
			n.goes++
		}
	}
	return n
}

func verdictFacts(e engine.Judgement, c Clock) []view.Fact {
	bundle := view.Fact{Name: "Bundle", Text: cmp.Or(e.PolicyName, e.Policy), Href: PolicyHref(e.Policy)}
	if e.Active {
		bundle.Text += " (active)"
	}
	facts := []view.Fact{bundle}
	switch {
	case e.Mapping != nil:
		facts = append(facts, view.Fact{Name: "Chosen by", Text: "mapping " + mappingWords(*e.Mapping)},
			view.Fact{Name: plain(len(e.Policies), "Policy", "Policies"), Text: namesOf(e.Policies)},
			view.Fact{Name: plain(len(e.Whitelists), "Whitelist", "Whitelists"), Text: namesOf(e.Whitelists)})
	default:
		facts = append(facts, view.Fact{Name: "Chosen by", Text: "no mapping matches"})
	}
	at := c.Ago(e.At)
	return append(facts, view.Fact{Name: "Evaluated", Time: &at})
}

func mappingWords(r engine.JudgementRule) string {
	if name := cmp.Or(r.Name, r.ID); name != "" {
		return quoted(name) + " (" + r.Images + ")"
	}
	return r.Images
}

func plain(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

func namesOf(list []engine.NamedID) string {
	var names []string
	for _, n := range list {
		names = append(names, cmp.Or(n.Name, n.ID))
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

func verdictCounts(d engine.Digest, q PolicyQuery, e engine.Judgement) []view.PolicyCount {
	n := countRows(e.Rows)
	of := func(text, class string, count int, alter func(*PolicyQuery), current bool) view.PolicyCount {
		return view.PolicyCount{Text: text, Class: class, Count: Count(count), Href: q.bare().with(alter).Href(d), Current: current}
	}
	by := func(action string) func(*PolicyQuery) { return func(p *PolicyQuery) { p.Action = action } }
	return []view.PolicyCount{
		of("Stop", "bad", n.stop, by(engine.ActionStop), q.Action == engine.ActionStop),
		of("Warn", "warn", n.warn, by(engine.ActionWarn), q.Action == engine.ActionWarn),
		of("Go", "ok", n.goes, by(engine.ActionGo), q.Action == engine.ActionGo),
		of("Set aside", "off", n.aside, func(p *PolicyQuery) { p.Aside = "only" }, q.Aside == "only"),
	}
}

func gateCounts(d engine.Digest, q PolicyQuery, e engine.Judgement) []view.PolicyCount {
	counts := map[string]int{}
	for _, r := range e.Rows {
		counts[r.Gate]++
	}
	var out []view.PolicyCount
	for _, gate := range sortedKeys(counts) {
		out = append(out, view.PolicyCount{
			Text: gate, Count: Count(counts[gate]), Current: q.Gate == gate,
			Href: q.with(func(p *PolicyQuery) { p.Gate = gate }).Href(d),
		})
	}
	return out
}

func policyForm(q PolicyQuery, e engine.Judgement) view.PolicyForm {
	f := view.PolicyForm{Text: q.Text}
	for _, k := range []string{"tag", "policy", "at"} {
		if s := q.Values().Get(k); s != "" {
			f.Keep = append(f.Keep, [2]string{k, s})
		}
	}
	f.Action = options(q.Action, "Any action", engine.ActionStop, "Stop", engine.ActionWarn, "Warn", engine.ActionGo, "Go")
	gates := map[string]bool{}
	for _, r := range e.Rows {
		gates[r.Gate] = true
	}
	if q.Gate != "" {
		gates[q.Gate] = true
	}
	f.Gate = names(q.Gate, "Any gate", sortedKeys(gates))
	f.Aside = options(q.Aside, "With those set aside", "hide", "Without those set aside", "only", "Only those set aside")
	return f
}
