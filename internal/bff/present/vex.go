package present

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// VEXHref is the address of the list of exploitability documents.
const VEXHref = "/policies/vex"

// VEXDocumentHref is the address of a document's page.
func VEXDocumentHref(id string) string { return VEXHref + "/" + url.PathEscape(id) }

// vexStatementHref is the address of a statement on its document's page.
func vexStatementHref(id string, place int) string {
	href := VEXDocumentHref(id)
	if n := (place-1)/VEXPage + 1; n > 1 {
		href += "?page=" + strconv.Itoa(n)
	}
	return href + "#s" + strconv.Itoa(place)
}

// VEXPage is how many documents, or statements, stand on one page.
const VEXPage = 50

// maxVEXProducts is how many products of a statement are shown.
const maxVEXProducts = 10

// VEXIn is what the list of documents is made of.
type VEXIn struct {
	List  []engine.VEXDocument
	Total int
	Page  int // from 1
	Form  view.VEXForm
	May   bool
	API   string
	User  string
}

// VEX shapes the list.
func VEX(in VEXIn, c Clock) view.VEX {
	v := view.VEX{
		Form: in.Form, May: in.May, None: in.Total == 0, Sub: Plural(in.Total, "document", "documents"),
		Same: view.SameBy{API: curl(in.User, in.API, "/console/vex")},
	}
	v.Form.Limit = "16 MB"
	for _, d := range in.List {
		v.Rows = append(v.Rows, vexRow(d, c))
	}
	v.Pager = pagerOf(in.Page, in.Total, func(n int) string { return VEXHref + "?page=" + strconv.Itoa(n) }, "document", "documents")
	return v
}

// pagerOf is the pager of a list that the engine cut.
func pagerOf(at, total int, href func(int) string, one, many string) view.Pager {
	pages := max((total+VEXPage-1)/VEXPage, 1)
	p := view.Pager{Text: Plural(total, one, many)}
	if pages > 1 {
		p.Text = Count(min((at-1)*VEXPage+1, total)) + " to " + Count(min(at*VEXPage, total)) + " of " + p.Text
	}
	if at > 1 {
		p.First, p.Prev = href(1), href(min(at-1, pages))
	}
	if at < pages {
		p.Next = href(at + 1)
	}
	return p
}

func vexRow(d engine.VEXDocument, c Clock) view.VEXRow {
	r := view.VEXRow{
		DOMID: "vex-" + domID(d.ID), ID: d.ID, Href: VEXDocumentHref(d.ID), Name: d.Name, Author: d.Author, Format: vexFormat(d.Format),
		About: "all images it names", Statements: Plural(d.Statements, "statement", "statements"), Enabled: d.Enabled,
		Marks: vexMarks(d.Marks), State: view.Pill{Tone: "ok", Text: "in use", Title: "Its statements count"},
		Uploaded: c.Ago(d.UploadedAt), By: d.UploadedBy,
	}
	r.Summary = r.Format + ", " + r.Statements
	if d.Author != "" {
		r.Summary += ", by " + d.Author
	}
	if r.Name == "" {
		r.Name = r.Format + " document"
	}
	if d.Image != "" {
		r.About, r.AboutHref = "image "+d.Image.Short(), ImageHref(d.Image)
	}
	switch {
	case d.Unplaced == d.Statements:
		r.Unplaced = "names no image and no package"
		if d.Statements > 1 {
			r.Unplaced = "none of them names an image or a package"
		}
	case d.Unplaced > 0:
		r.Unplaced = Plural(d.Unplaced, "statement names", "statements name") + " neither an image nor a package"
	}
	if !d.Enabled {
		r.State = view.Pill{Tone: "off", Text: "disabled", Title: "Its statements do not count"}
	}
	if d.Marks.Images > 0 {
		r.Images = "in " + Plural(d.Marks.Images, "image", "images")
	}
	r.Confirm = "Delete this document with " + Plural(d.Statements, "statement", "statements") + "? It marks no matches now."
	if n := d.Marks.Total(); n > 0 {
		r.Confirm = "Delete this document with " + Plural(d.Statements, "statement", "statements") + "? " + Plural(n, "match", "matches") + " " + r.Images +
			" lose the mark, and policies fire on " + Plural(d.Marks.Cleared(), "match", "matches") + " that it sets aside, unless another document does."
	}
	return r
}

func vexFormat(f string) string {
	if f == engine.VEXCycloneDX {
		return "CycloneDX"
	}
	return "OpenVEX"
}

func vexMarks(m engine.VEXMarks) []view.VEXMark {
	var list []view.VEXMark
	for _, k := range []struct {
		n      int
		status engine.VEXStatus
	}{
		{m.NotAffected, engine.VEXNotAffected}, {m.Fixed, engine.VEXFixed}, {m.Affected, engine.VEXAffected}, {m.Investigating, engine.VEXInvestigating},
	} {
		if k.n > 0 {
			p := vexStatus(k.status)
			list = append(list, view.VEXMark{Tone: p.Tone, Text: Count(k.n) + " " + p.Text})
		}
	}
	return list
}

// vexStatus is a status in words.
func vexStatus(s engine.VEXStatus) view.Pill {
	switch s {
	case engine.VEXNotAffected:
		return view.Pill{Tone: "ok", Text: "not affected", Title: "Set aside: listed, and policies do not fire on it"}
	case engine.VEXFixed:
		return view.Pill{Tone: "ok", Text: "fixed", Title: "Set aside: the author says that it is remedied"}
	case engine.VEXAffected:
		return view.Pill{Tone: "bad", Text: "affected", Title: "The author confirms it"}
	}
	return view.Pill{Tone: "warn", Text: "under investigation", Title: "The author does not know yet"}
}

// vexWords is a justification as a person reads it.
func vexWords(word string) string { return strings.ReplaceAll(word, "_", " ") }

// VEXDocumentIn is what the page of a document is made of.
type VEXDocumentIn struct {
	Document   engine.VEXDocument
	Images     []engine.VEXImage
	Statements []engine.VEXStatement
	Page       int // of statements, from 1
	May        bool
	API, User  string
}

// VEXDocument shapes the page of a document.
func VEXDocument(in VEXDocumentIn, c Clock) view.VEXDocument {
	d := in.Document
	v := view.VEXDocument{VEXRow: vexRow(d, c), May: in.May, Original: VEXDocumentHref(d.ID) + "/document"}
	v.Crumbs = []view.Crumb{{Text: "Policies", Href: "/policies"}, {Text: "VEX", Href: VEXHref}, {Text: v.Name}}
	switch {
	case d.Unplaced == d.Statements:
		v.Unmarked = "No statement names an image or a package, so the document marks nothing."
	case d.Unplaced == 1:
		v.Unmarked = "1 of " + v.VEXRow.Statements + " names neither an image nor a package, so it marks nothing."
	case d.Unplaced > 0:
		v.Unmarked = Count(d.Unplaced) + " of " + v.VEXRow.Statements + " name neither an image nor a package, so they mark nothing."
	}
	fact := func(name, text string) {
		if text != "" {
			v.Facts = append(v.Facts, view.Fact{Name: name, Text: text})
		}
	}
	fact("Format", v.Format)
	fact("Author", d.Author)
	fact("Version", d.Version)
	if !d.IssuedAt.IsZero() {
		at := c.Exact(d.IssuedAt)
		v.Facts = append(v.Facts, view.Fact{Name: "Issued", Time: &at})
	}
	v.Facts = append(v.Facts, view.Fact{Name: "Applies to", Text: v.About, Href: v.AboutHref})
	at := c.Exact(d.UploadedAt)
	v.Facts = append(v.Facts, view.Fact{Name: "Uploaded", Time: &at})
	fact("By", d.UploadedBy)
	fact("Size", Bytes(int64(d.Bytes)))
	v.Facts = append(v.Facts, view.Fact{Name: "SHA-256", Text: d.SHA256, Copy: d.SHA256, Mono: true})
	for _, i := range in.Images {
		w := view.VEXImage{Href: ImageHref(i.Digest) + "?tab=vulnerabilities&vex=marked", Name: i.Tag, Short: i.Digest.Short(), Marks: vexMarks(i.Marks)}
		if w.Name == "" {
			w.Name = i.Digest.Short()
		}
		v.Images = append(v.Images, w)
	}
	if more := d.Marks.Images - len(in.Images); more > 0 {
		v.More = "and " + Plural(more, "more image", "more images")
	}
	for _, s := range in.Statements {
		v.Statements = append(v.Statements, vexStatement(s, c))
	}
	v.Pager = pagerOf(in.Page, d.Statements, func(n int) string { return VEXDocumentHref(d.ID) + "?page=" + strconv.Itoa(n) }, "statement", "statements")
	v.Same = view.SameBy{API: curl(in.User, in.API, "/console/vex/"+url.PathEscape(d.ID)+"/statements")}
	return v
}

func vexStatement(s engine.VEXStatement, c Clock) view.VEXStatement {
	v := view.VEXStatement{
		DOMID: "s" + strconv.Itoa(s.Place), Place: Count(s.Place), Vulns: s.Vulns, Status: vexStatus(s.Status),
		Justification: vexWords(s.Justification), Impact: printable([]byte(s.Impact), 2000), At: c.Exact(s.At),
	}
	unnamed := 0
	s.Products = slices.DeleteFunc(slices.Clone(s.Products), func(p engine.VEXProduct) bool {
		if len(p.IDs)+len(p.Parts) > 0 {
			return false
		}
		unnamed++
		return true
	})
	if unnamed > 0 {
		v.Products = []view.VEXProduct{{Name: Plural(unnamed, "component", "components") + " that the document does not describe"}}
	}
	for n, p := range s.Products {
		if n == maxVEXProducts {
			v.More = "and " + Plural(len(s.Products)-n, "more product", "more products")
			break
		}
		w := view.VEXProduct{Name: strings.Join(p.IDs, " = ")}
		if w.Name == "" {
			w.Name = "a component that the document does not describe"
		}
		for k, ids := range p.Parts {
			if k == maxVEXProducts {
				w.Parts = append(w.Parts, "and "+Plural(len(p.Parts)-k, "more part", "more parts"))
				break
			}
			w.Parts = append(w.Parts, orDash(strings.Join(ids, " = ")))
		}
		v.Products = append(v.Products, w)
	}
	return v
}

// vulnMark shapes what a document says of a match; nil: none does.
func vulnMark(m *engine.VEX, c Clock) *view.VulnMark {
	if m == nil {
		return nil
	}
	v := &view.VulnMark{
		Status: vexStatus(m.Status), Justification: vexWords(m.Justification), Impact: printable([]byte(m.Impact), 1000), At: c.Exact(m.At),
		Href: vexStatementHref(m.Document, m.Statement), Said: "statement " + Count(m.Statement),
	}
	if m.Author != "" {
		v.Said = m.Author + ", " + v.Said
	}
	return v
}
