package present

import (
	"bytes"
	"net/url"
	"slices"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// PoliciesHref is the address of the list of bundles.
const PoliciesHref = "/policies"

// policyPages are the names below /policies that are not ids of bundles.
var policyPages = []string{"new", "gates", "gates.json", "vex", "check", "upload", ".", ".."}

// PolicyHref is the address of a bundle's page. An id that is spelled as the
// name of a page is written so that it is none.
func PolicyHref(id string) string {
	p := url.PathEscape(id)
	if slices.Contains(policyPages, id) {
		p = "%" + strings.ToUpper(hex2(id[0])) + id[1:]
	}
	return PoliciesHref + "/" + p
}

func hex2(b byte) string { return string("0123456789abcdef"[b>>4]) + string("0123456789abcdef"[b&15]) }

// PolicyTabHref is the address of a tab of a bundle's page.
func PolicyTabHref(id, tab string) string { return PolicyHref(id) + "?tab=" + tab }

// PoliciesIn is what the list of bundles is shaped from.
type PoliciesIn struct {
	Bundles []engine.PolicyBundle // with documents
	Counts  engine.VerdictCounts
	Walk    engine.Reevaluation // of all images by the active bundle; zero: none
	Upload  view.PolicyUpload
	May     bool
	API     string
	User    string
}

// Policies shapes the list of bundles, the active one first.
func Policies(in PoliciesIn, now Clock) view.Policies {
	v := view.Policies{
		May: in.May, Upload: in.Upload, Sub: Plural(len(in.Bundles), "bundle", "bundles"),
		Same: view.SameBy{API: "curl -u " + in.User + " " + in.API + "/v1/policies", CLI: "anchore-cli policy list"},
	}
	list := slices.Clone(in.Bundles)
	slices.SortStableFunc(list, func(a, b engine.PolicyBundle) int {
		switch {
		case a.Active == b.Active:
			return 0
		case a.Active:
			return -1
		}
		return 1
	})
	for _, b := range list {
		row := bundleRow(b, in.May, now)
		if b.Active {
			v.Posture = policyPosture(row, in.Counts, in.Walk, now)
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

func bundleRow(b engine.PolicyBundle, may bool, now Clock) view.BundleRow {
	href := PolicyHref(b.ID)
	row := view.BundleRow{
		DOMID: DOMID("bundle", b.ID), ID: b.ID, Name: policyName(b), Href: href, Description: b.Description, Active: b.Active, Source: b.Source,
		Updated: now.Ago(b.UpdatedAt), Size: Bytes(int64(len(b.Document))), Download: href + "/download",
	}
	doc, err := ReadPolicy(b.Document)
	if err != nil {
		row.Broken = err.Error()
	} else {
		if row.Description == "" {
			row.Description = doc.Comment
		}
		row.Counts = policyCounts(doc)
	}
	if may {
		row.Duplicate = PoliciesHref + "/new?from=" + url.QueryEscape(b.ID)
		if !b.Active {
			row.Activate, row.Delete = href+"/activate", href+"/delete"
		}
	}
	return row
}

func policyCounts(doc PolicyDocument) []view.Fact {
	rules, items := 0, 0
	for _, p := range doc.Policies {
		rules += len(p.Rules)
	}
	for _, w := range doc.Whitelists {
		items += len(w.Items)
	}
	facts := []view.Fact{
		{Name: "policies", Text: Plural(len(doc.Policies), "policy", "policies")},
		{Name: "rules", Text: Plural(rules, "rule", "rules")},
		{Name: "mappings", Text: Plural(len(doc.Mappings), "mapping", "mappings")},
		{Name: "whitelists", Text: Plural(len(doc.Whitelists), "whitelist", "whitelists") + ", " + Plural(items, "exception", "exceptions")},
	}
	if n := len(doc.Passing) + len(doc.Failing); n > 0 {
		facts = append(facts, view.Fact{Name: "images", Text: Plural(n, "image rule", "image rules")})
	}
	return facts
}

func policyPosture(row view.BundleRow, n engine.VerdictCounts, walk engine.Reevaluation, now Clock) *view.PolicyPosture {
	p := &view.PolicyPosture{Name: row.Name, Href: row.Href, At: now.Ago(n.At)}
	judged := n.Go + n.Warn + n.Stop
	switch {
	case judged+n.Waiting == 0:
		p.Empty = "No image is analyzed yet. Each is judged by this bundle as soon as it is."
	case judged == 0:
		p.Empty = Plural(n.Waiting, "image waits", "images wait") + " to be judged by the bundle as it now is."
	case n.Waiting > 0:
		p.Waiting = Plural(n.Waiting, "image is", "images are") + " not judged by the bundle as it now is"
	}
	if walk.EndedAt.IsZero() && walk.Total > 0 {
		p.Progress = &view.Meter{
			Label: "Images judged since it was made active", Value: min(walk.Done, walk.Total), Max: walk.Total,
			Text: Count(walk.Done) + " of " + Plural(walk.Total, "image", "images") + " judged since it was made active or changed, " + Count(walk.Changed) + " with another outcome",
		}
		p.Waiting = ""
	}
	for _, s := range []view.PolicyShare{
		{Class: "ok", Tone: "ok", Text: "pass", N: n.Go}, {Class: "m", Tone: "warn", Text: "pass with warnings", N: n.Warn}, {Class: "c", Tone: "bad", Text: "fail", N: n.Stop},
	} {
		s.Total, s.Count = judged, Count(s.N)
		p.List = append(p.List, s)
	}
	p.Text = Count(n.Go) + " pass, " + Count(n.Warn) + " pass with warnings, " + Count(n.Stop) + " fail"
	return p
}

// policyName is what a bundle is called on pages.
func policyName(b engine.PolicyBundle) string {
	if b.Name != "" {
		return b.Name
	}
	return b.ID
}

// DOMID is an id of an element made of a foreign name.
func DOMID(kind, name string) string {
	var b strings.Builder
	b.WriteString(kind)
	b.WriteByte('-')
	for _, r := range []byte(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-':
			b.WriteByte(r)
		default:
			b.WriteString("_" + hex2(r))
		}
	}
	return b.String()
}

// PolicyText is a stored document as a person edits it.
func PolicyText(document []byte) string {
	return string(indented(bytes.TrimSpace(document))) + "\n"
}
