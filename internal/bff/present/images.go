package present

import (
	"net/url"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// ImagesIn is what the list of images is made of.
type ImagesIn struct {
	Images                   []engine.Image
	Verdicts                 []engine.ImageVerdict
	Next                     string // cursor of the next page
	Total                    int    // that match
	States                   map[engine.AnalysisState]int
	Registries, Repositories []string
	Distros                  []string
	Filter                   engine.ImageFilter
	Query                    url.Values // as it was sent: the state of the page
	Samples                  engine.SampleStatus
	Add                      view.AddImage
	API                      string // address of the console, before /v1
	User                     string
}

// ImageFilterKeys are the query's names of filters.
var ImageFilterKeys = []string{"q", "state", "registry", "repository", "severity", "package", "vuln", "policy", "fixable", "exploited", "cause", "distro"}

// Images shapes the list page.
func Images(in ImagesIn, c Clock) view.Images {
	all := 0
	for _, n := range in.States {
		all += n
	}
	filtered := false
	for _, k := range ImageFilterKeys {
		filtered = filtered || in.Query.Get(k) != ""
	}
	v := view.Images{
		Sub: Plural(all, "image", "images"), States: stateLinks(in, all), Form: imageForm(in), Add: in.Add,
		None: all == 0 && !filtered && in.Query.Get("after") == "", Samples: samples(in.Samples, all), Same: imagesSame(in),
	}
	for _, i := range in.Images {
		v.Rows = append(v.Rows, ImageRow(i, in.Verdicts, c))
	}
	if filtered {
		v.Clear = "/images"
	}
	v.Pager = view.Pager{Text: Count(len(in.Images)) + " of " + Plural(in.Total, "image", "images")}
	if in.Query.Get("after") != "" {
		v.Pager.First = "/images" + encode(with(in.Query, "after", ""))
	}
	if in.Next != "" {
		v.Pager.Next = "/images" + encode(with(in.Query, "after", in.Next))
	}
	if in.Total > len(in.Images) {
		v.All = "all " + Count(in.Total)
		if filtered {
			v.All += " that match"
		}
		v.AllHref = map[string]string{}
		for _, do := range []string{"delete", "reanalyze"} {
			v.AllHref[do] = "/images/confirm" + encode(with(with(with(in.Query, "after", ""), "do", do), "all", "1"))
		}
	}
	return v
}

// with is a query with one value set, or without it when it is empty. What
// belongs to one request alone is left out.
func with(q url.Values, key, value string) url.Values {
	out := url.Values{}
	for k, vs := range q {
		if k != "fragment" && k != "add" && k != key {
			for _, v := range vs {
				if v != "" {
					out.Add(k, v)
				}
			}
		}
	}
	if value != "" {
		out.Set(key, value)
	}
	return out
}

// encode is a query with its question mark; nothing for an empty one.
func encode(q url.Values) string {
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

func stateLinks(in ImagesIn, all int) []view.StateCount {
	now := in.Query.Get("state")
	base := with(in.Query, "after", "")
	list := []view.StateCount{{Text: "All", Count: Count(all), Href: "/images" + encode(with(base, "state", "")), Current: now == ""}}
	for _, s := range engine.AnalysisStates {
		list = append(list, view.StateCount{
			Text: statePill(s).Text, Count: Count(in.States[s]), Href: "/images" + encode(with(base, "state", string(s))), Current: now == string(s),
		})
	}
	return list
}

func imageForm(in ImagesIn) view.ImageForm {
	f := view.ImageForm{
		Text: in.Filter.Text, Package: in.Filter.Package, Vuln: in.Filter.Vuln,
		Registry: in.Filter.Registry, Repository: in.Filter.Repository,
		Registries: in.Registries, Repositories: in.Repositories, Distro: in.Filter.Distro, Distros: in.Distros,
		Fixable: in.Filter.Fixable, Exploited: in.Filter.Exploited, Chips: imageChips(in),
	}
	f.State = []view.Option{{Value: "", Text: "Any state", Selected: in.Filter.State == ""}}
	for _, s := range engine.AnalysisStates {
		f.State = append(f.State, view.Option{Value: string(s), Text: statePill(s).Text, Selected: in.Filter.State == s})
	}
	f.Severity = []view.Option{{Value: "", Text: "Any severity", Selected: in.Filter.Severity == ""},
		{Value: engine.AnySeverity, Text: "Has any vulnerability", Selected: strings.EqualFold(in.Filter.Severity, engine.AnySeverity)}}
	for _, s := range engine.SeverityNames {
		f.Severity = append(f.Severity, view.Option{Value: s, Text: "Has " + strings.ToLower(s), Selected: strings.EqualFold(in.Filter.Severity, s)})
	}
	f.Policy = options(in.Filter.Verdict, "Any policy result", engine.ActionStop, "Policy: stop", engine.ActionWarn, "Policy: warn",
		engine.ActionGo, "Policy: go", "none", "Not evaluated")
	f.Cause = []view.Option{{Text: "Any cause of failure", Selected: in.Filter.Cause == ""}}
	for _, k := range engine.Causes() {
		f.Cause = append(f.Cause, view.Option{Value: k.Code, Text: remedies[k.Code].title, Selected: in.Filter.Cause == k.Code})
	}
	f.More = f.Registry != "" || f.Repository != "" || f.Distro != "" || in.Filter.Cause != "" || f.Fixable || f.Exploited
	return f
}

// imageChips are the filters that are set, but for the state, which the tabs
// show, and for the text, which stands in its field.
func imageChips(in ImagesIn) []view.Chip {
	var list []view.Chip
	base := with(in.Query, "after", "")
	chip := func(key, name, value string) {
		if value != "" {
			list = append(list, view.Chip{Name: name, Value: value, Remove: "/images" + encode(with(base, key, ""))})
		}
	}
	f := in.Filter
	chip("severity", "severity", strings.ToLower(f.Severity))
	if f.Fixable {
		chip("fixable", "has", "a fixable vulnerability")
	}
	if f.Exploited {
		chip("exploited", "has", "a vulnerability known to be exploited")
	}
	chip("vuln", "vulnerability", f.Vuln)
	chip("package", "package", f.Package)
	if f.Verdict == "none" {
		chip("policy", "policy", "not evaluated")
	} else {
		chip("policy", "policy", f.Verdict)
	}
	if f.Cause != "" {
		chip("cause", "failed because", remedies[f.Cause].title)
	}
	chip("distro", "distribution", f.Distro)
	chip("registry", "registry", f.Registry)
	chip("repository", "repository", f.Repository)
	return list
}

func samples(s engine.SampleStatus, images int) view.SampleOffer {
	v := view.SampleOffer{Try: s.Images == 0 && !s.Running && images == 0, Remove: s.Images > 0 || s.Starter}
	switch {
	case s.Images > 0 && s.Starter:
		v.Text = Plural(s.Images, "sample image", "sample images") + " and the starter vulnerability data"
	case s.Images > 0:
		v.Text = Plural(s.Images, "sample image", "sample images")
	case s.Starter:
		v.Text = "the starter vulnerability data"
	}
	return v
}

func imagesSame(in ImagesIn) view.SameBy {
	q := url.Values{}
	cli := "anchore-cli image list"
	if st := in.Filter.State; st != "" {
		q.Set("analysis_status", string(st))
	}
	return view.SameBy{API: curl(in.User, in.API, "/images"+encode(q)), CLI: cli}
}

// curl is a command line that asks the API.
func curl(user, base, path string) string {
	return "curl -u " + shellWord(user) + " " + shellWord(base+"/v1"+path)
}

// shellWord quotes what a shell would take apart.
func shellWord(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/._-@%+=,") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// statePill is an analysis state.
func statePill(s engine.AnalysisState) view.Pill {
	switch s {
	case engine.NotAnalyzed:
		return view.Pill{Tone: "off", Text: "Waiting"}
	case engine.Analyzing:
		return view.Pill{Tone: "run", Text: "Analyzing"}
	case engine.Analyzed:
		return view.Pill{Tone: "ok", Text: "Analyzed"}
	case engine.Failed:
		return view.Pill{Tone: "bad", Text: "Failed"}
	}
	return view.Pill{Text: string(s)}
}

// imageState is the state of an image, deletion included.
func imageState(i engine.Image) view.Pill {
	if i.Status == engine.ImageDeleting {
		return view.Pill{Tone: "off", Text: "Deleting", Title: "will be removed within a minute; adding it again keeps it"}
	}
	return statePill(i.State)
}

// ImageHref is the address of an image's page.
func ImageHref(digest engine.Digest) string { return "/images/" + url.PathEscape(string(digest)) }

// imageName is what an image is called: its newest tag, else its digest.
func imageName(i engine.Image) string {
	if len(i.Tags) == 0 {
		return i.Digest.Short()
	}
	return i.Tags[0].Full()
}

// imageVerdict is the policy result of an image in the list: that of its newest
// tag or, when that was not asked about, the worst of the others.
func imageVerdict(i engine.Image, list []engine.ImageVerdict) *view.Pill {
	var at *engine.ImageVerdict
	for n, v := range list {
		if v.Digest != i.Digest {
			continue
		}
		if len(i.Tags) > 0 && v.Tag == i.Tags[0].Full() {
			at = &list[n]
			break
		}
		if at == nil || v.Action == engine.ActionStop || v.Action == engine.ActionWarn && at.Action == engine.ActionGo {
			at = &list[n]
		}
	}
	if at == nil {
		return nil
	}
	p := ActionPill(at.Action)
	p.Href = PolicyQuery{Tag: at.Tag, Page: 1}.Href(i.Digest)
	p.Title = "as " + at.Tag + ", by the active bundle"
	if !at.Current {
		p.Text += "?"
		p.Title += " before it was edited"
	}
	return &p
}

// ImageRow shapes one image for the list.
func ImageRow(i engine.Image, verdicts []engine.ImageVerdict, c Clock) view.ImageRow {
	r := view.ImageRow{
		DOMID: "image-" + i.Digest.Short(), Href: ImageHref(i.Digest), Tag: imageName(i),
		Short: i.Digest.Short(), Digest: string(i.Digest), State: imageState(i), Distro: "-", Size: "-", Packages: "-",
		Sample: i.Source == engine.FromSample, Starter: i.Starter,
	}
	if len(i.Tags) > 1 {
		names := make([]string, 0, len(i.Tags)-1)
		for _, t := range i.Tags[1:] {
			names = append(names, t.Full())
		}
		r.More, r.Others = "+"+Count(len(names)), strings.Join(names, "\n")
	}
	if m := i.Meta; m != nil {
		r.Distro, r.Size = distro(*m), Bytes(m.Size)
	}
	if !i.AnalyzedAt.IsZero() && i.State == engine.Analyzed {
		r.Packages, r.PackagesHref = Count(i.Packages), r.Href+"?tab=content"
		r.Analyzed = c.Ago(i.AnalyzedAt)
	} else {
		r.Analyzed = view.Time{Text: "-"}
	}
	if i.MatchedWith != "" && i.State == engine.Analyzed {
		bar := SevBar(i.Severities, func(name string) string { return r.Href + "?tab=vulnerabilities&severity=" + name })
		r.Sevs = &bar
		if i.Cleared > 0 {
			r.Cleared, r.ClearedHref = Count(i.Cleared)+" not affected", r.Href+"?tab=vulnerabilities&vex=cleared"
		}
	}
	if i.State == engine.Analyzed {
		r.Policy, r.PolicyHref = imageVerdict(i, verdicts), r.Href+"?tab=policy"
	}
	if i.Progress != nil && i.State == engine.Analyzing {
		m := progressMeter(*i.Progress)
		r.Progress = &m
	}
	if i.Failure != nil {
		r.Fault = i.Failure.Message
		if i.State == engine.NotAnalyzed {
			r.Fault = "Tried again by itself: " + r.Fault
		}
	}
	return r
}

func distro(m engine.ImageMeta) string {
	name, version := known(m.Distro), known(m.DistroVersion)
	if name == "" {
		return "none"
	}
	return strings.TrimSpace(name + " " + version)
}

// known is a text, or nothing when it only says that nothing is known.
func known(s string) string {
	switch strings.ToLower(s) {
	case "n/a", "unknown", "none", "null":
		return ""
	}
	return s
}

// stageText is what goes on in a stage.
var stageText = map[engine.Stage]string{
	engine.StagePull:    "Pulling layers",
	engine.StageSBOM:    "Reading packages",
	engine.StageContent: "Reading files",
	engine.StageMatch:   "Matching vulnerabilities",
	engine.StageSave:    "Saving",
}

func progressMeter(p engine.Progress) view.Meter {
	text := stageText[p.Stage]
	if text == "" {
		text = "Starting"
	}
	m := view.Meter{Label: text, Text: text, Value: max(p.Done, 0), Max: max(p.Total, 0)}
	m.Value = min(m.Value, m.Max)
	if m.Max > 0 {
		if p.Stage == engine.StagePull {
			m.Text += " " + Bytes(m.Value) + " of " + Bytes(m.Max)
		} else {
			m.Text += " " + Count(m.Value) + " of " + Count(m.Max)
		}
	}
	return m
}

// ImageTitle is what an image is called: its newest tag, else its digest.
func ImageTitle(i engine.Image) string { return imageName(i) }

// Bulk words the question that is asked before something is done to several
// images; false when there is no such thing to do.
func Bulk(v *view.BulkImages) bool {
	n := Plural(v.Count, "image", "images")
	switch v.Do {
	case "delete":
		v.Title, v.Button, v.Danger, v.Force = "Delete "+n, "Delete "+n, true, true
		v.Text = "Their packages, vulnerabilities and SBOMs are removed. This cannot be undone; an image that is added again is analyzed anew. Subscriptions to tags whose newest image goes are switched off. Nothing is removed from the registry."
	case "reanalyze":
		v.Title, v.Button = "Analyze "+n+" again", "Analyze "+n+" again"
		v.Text = "What is known of them stays until the new analysis replaces it. An analysis that is already running begins anew."
	default:
		return false
	}
	if rest := v.Count - len(v.Names); rest > 0 {
		v.More = "and " + Count(rest) + " more"
	}
	return true
}
