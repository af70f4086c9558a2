package present

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// CompareQuery is what the Compare tab shows.
type CompareQuery struct {
	With     string // digest or tag; empty: the one before under the same tag
	Find     string // search for an image to compare with
	Part     string // one of compareParts
	Text     string
	Change   engine.Difference // empty: whatever is not the same
	Severity string
	Page     int // from 1
}

// compareParts are the tables of a comparison; the first is shown when none is
// named.
var compareParts = []struct{ key, text string }{
	{"vulnerabilities", "Vulnerabilities"}, {"packages", "Packages"}, {"configuration", "Configuration"}, {"files", "Files"},
}

// ParseCompareQuery reads the page's query; what it does not know it leaves
// out.
func ParseCompareQuery(q url.Values) CompareQuery {
	v := CompareQuery{
		With: strings.TrimSpace(q.Get("with")), Find: strings.TrimSpace(q.Get("find")), Part: compareParts[0].key, Text: strings.TrimSpace(q.Get("q")), Page: 1,
	}
	for _, p := range compareParts {
		if p.key == q.Get("part") {
			v.Part = p.key
		}
	}
	changes := []engine.Difference{engine.Added, engine.Removed, engine.Changed}
	if v.Part == "vulnerabilities" {
		changes = append(changes, engine.Same)
	}
	if d := engine.Difference(q.Get("change")); slices.Contains(changes, d) {
		v.Change = d
	}
	if s := q.Get("severity"); v.Part == "vulnerabilities" && slices.ContainsFunc(engine.SeverityNames, func(n string) bool { return strings.EqualFold(n, s) }) {
		v.Severity = engine.SeverityName(s)
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		v.Page = n
	}
	return v
}

// Values is the query again, without the page.
func (q CompareQuery) Values() url.Values {
	v := url.Values{}
	for k, s := range map[string]string{"with": q.With, "part": q.Part, "q": q.Text, "change": string(q.Change), "severity": q.Severity} {
		if s != "" && (k != "part" || s != compareParts[0].key) {
			v.Set(k, s)
		}
	}
	return v
}

func (q CompareQuery) filtered() bool { return q.Text != "" || q.Change != "" || q.Severity != "" }

// keeps reports whether a change of one of these texts is shown.
func (q CompareQuery) keeps(d engine.Difference, texts ...string) bool {
	if q.Change != "" && d != q.Change || q.Change == "" && d == engine.Same {
		return false
	}
	text := strings.ToLower(q.Text)
	return text == "" || slices.ContainsFunc(texts, func(s string) bool { return strings.Contains(strings.ToLower(s), text) })
}

// CompareIn is what the tab is made of.
type CompareIn struct {
	Image    engine.Image
	Query    CompareQuery
	CanRead  bool // the API is there to be read from
	SameTag  []engine.Image
	SameRepo []engine.Image
	Recent   []engine.Image
	Found    []engine.Image
	Fault    string
	Result   *engine.Comparison
}

// Previous is the image that stood before this one under the same tag, or nil.
func (in CompareIn) Previous() *engine.Image {
	at := slices.IndexFunc(in.SameTag, func(i engine.Image) bool { return i.Digest == in.Image.Digest })
	if at < 0 {
		return nil
	}
	for n := range in.SameTag[at+1:] {
		if i := &in.SameTag[at+1+n]; i.Digest != in.Image.Digest {
			return i
		}
	}
	return nil
}

// ImageCompare shapes the tab.
func ImageCompare(in CompareIn, c Clock) view.ImageCompare {
	path := ImageHref(in.Image.Digest)
	v := view.ImageCompare{Path: path, Fault: in.Fault, Pick: comparePick(in, c)}
	if in.Result == nil {
		v.Pick.Open = true
		return v
	}
	v.Pick.Open = in.Query.Find != ""
	v.Result = compareResult(in, c)
	return v
}

func compareHref(digest engine.Digest, q CompareQuery) string {
	v := q.Values()
	v.Set("tab", "compare")
	return ImageHref(digest) + "?" + v.Encode()
}

// CompareHref is the address of what changed from an image to another.
func CompareHref(after, before engine.Digest) string {
	return compareHref(after, CompareQuery{With: string(before)})
}

func comparePick(in CompareIn, c Clock) view.ComparePick {
	v := view.ComparePick{Text: in.Query.Find}
	seen := map[engine.Digest]bool{in.Image.Digest: true}
	group := func(title string, list []engine.Image) {
		g := view.CompareGroup{Title: title}
		for _, i := range list {
			if seen[i.Digest] {
				continue
			}
			seen[i.Digest] = true
			to := CompareQuery{With: string(i.Digest), Part: in.Query.Part}
			g.Images = append(g.Images, view.CompareChoice{
				Name: imageName(i), Short: i.Digest.Short(), Href: compareHref(in.Image.Digest, to), At: c.Ago(i.AnalyzedAt),
				Bar: SevBar(i.Severities, nil), Current: in.Result != nil && in.Result.Before.Digest == i.Digest,
			})
		}
		if len(g.Images) > 0 {
			v.Groups = append(v.Groups, g)
		}
	}
	if in.Query.Find != "" {
		group("Found", in.Found)
	} else {
		group("Under the same tag", in.SameTag)
		group("In the same repository", in.SameRepo)
		group("Latest images", in.Recent)
	}
	switch {
	case len(v.Groups) > 0:
	case in.Query.Find != "":
		v.None = "No other analyzed image has this in its tag, digest or id."
	default:
		v.None = "This is the only analyzed image of the account. As soon as there is another, or its tag moves, what changed is shown here."
	}
	return v
}

func compareResult(in CompareIn, c Clock) *view.CompareResult {
	r, q := in.Result, in.Query
	v := &view.CompareResult{
		Before: compareSide("Before", r.Before, c), After: compareSide("After: this image", r.After, c), Part: q.Part,
		Swap: compareHref(r.Before.Digest, CompareQuery{With: string(r.After.Digest), Part: q.Part}),
	}
	if q.With == "" {
		v.Because = "The image that stood under " + imageName(in.Image) + " before this one."
		q.With = string(r.Before.Digest) // links name it from here on: the tag may move again
	}
	v.Shared = sharedLayers(*r)
	v.Notes = compareNotes(*r)
	counts := map[string]engine.Differences{"vulnerabilities": r.MatchCount, "packages": r.PackageCount, "configuration": r.ConfigCount, "files": r.FileCount}
	for _, p := range compareParts {
		to := CompareQuery{With: q.With, Part: p.key}
		t := view.Tab{Key: p.key, Text: p.text, Href: compareHref(in.Image.Digest, to), Current: p.key == q.Part}
		if p.key != "files" || r.WithFiles {
			t.Count = tally(counts[p.key], p.key == "vulnerabilities")
		}
		v.Parts = append(v.Parts, t)
	}
	v.Form = compareForm(q)
	compareRows(v, *r, q, func(n int) string { return compareHref(in.Image.Digest, q) + "&page=" + strconv.Itoa(n) })
	if q.filtered() {
		v.Clear = compareHref(in.Image.Digest, CompareQuery{With: q.With, Part: q.Part})
	}
	v.None = compareNone(v, counts[q.Part], q)
	path := ImageHref(in.Image.Digest)
	file := "compare-" + r.Before.Digest.Short() + "-" + r.After.Digest.Short()
	v.CSV = view.Download{Title: "CSV", For: "What this table shows.", Href: path + "/compare.csv" + encode(q.Values()), File: file + "-" + q.Part + ".csv"}
	if in.CanRead {
		v.JSON = view.Download{
			Title: "JSON", For: "The whole comparison, files included.", File: file + ".json",
			Href: "/v1/console/images/" + string(r.After.Digest) + "/compare/" + string(r.Before.Digest) + "?files=true&unchanged=true",
		}
	}
	return v
}

// sharedLayers says how much of the two is one and the same.
func sharedLayers(r engine.Comparison) string {
	switch n := r.SharedLayers; {
	case r.After.Layers == 0 || r.Before.Layers == 0: // not known
		return ""
	case n == 0:
		return "They share no layer from the bottom up: they stand on different bases."
	case n == 1:
		return "They share the lowest layer; from the second on they differ."
	case n == r.After.Layers && n == r.Before.Layers:
		return "They share all " + Count(n) + " layers."
	default:
		return "They share the lowest " + Count(n) + " layers."
	}
}

// tally is counts in few characters: +3 -12 ~1.
func tally(d engine.Differences, fixes bool) string {
	var parts []string
	for _, p := range []struct {
		sign string
		n    int
	}{{"+", d.Added}, {"\u2212", d.Removed}, {"~", d.Changed}} {
		if p.n > 0 {
			parts = append(parts, p.sign+Count(p.n))
		}
	}
	if len(parts) == 0 {
		return "0"
	}
	return strings.Join(parts, " ")
}

func compareSide(label string, i engine.ComparedImage, c Clock) view.CompareSide {
	v := view.CompareSide{
		Label: label, Name: imageName(i.Image), Href: ImageHref(i.Digest), Short: i.Digest.Short(), Digest: string(i.Digest), Bar: SevBar(i.Severities, nil),
	}
	at := c.Exact(i.AnalyzedAt)
	v.Facts = []view.Fact{{Name: "Analyzed", Time: &at}}
	if m := i.Meta; m != nil {
		v.Facts = append(v.Facts, view.Fact{Name: "Distribution", Text: distro(*m)}, view.Fact{Name: "Size", Text: Bytes(m.Size)})
	}
	v.Facts = append(v.Facts, view.Fact{Name: "Packages", Text: Count(i.Packages)}, view.Fact{Name: "Vulnerabilities", Text: Count(i.Severities.Total())})
	if p := i.Verdict; p != nil {
		v.Policy = imageVerdict(i.Image, []engine.ImageVerdict{*p})
	}
	return v
}

// compareNotes are what makes a difference that is none of the images.
func compareNotes(r engine.Comparison) []string {
	var notes []string
	if a, b := r.Before.MatchedWith, r.After.MatchedWith; a != b && a != "" && b != "" {
		notes = append(notes, "The two were matched with different vulnerability data, so that some vulnerabilities came or went without a package changing. Rematching follows each feed sync by itself.")
	}
	if a, b := r.Before.Meta, r.After.Meta; a != nil && b != nil && a.Arch != b.Arch {
		notes = append(notes, "They are built for different architectures: "+orDash(a.Arch)+" and "+orDash(b.Arch)+".")
	}
	if r.Before.Source == engine.FromImport || r.After.Source == engine.FromImport {
		notes = append(notes, "At least one is an imported analysis, which tells less: files and configuration may be missing.")
	}
	return notes
}

// ShortName is a name as a person gave it, cut for a sentence.
func ShortName(s string) string { return printable([]byte(s), 120) }
