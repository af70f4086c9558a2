package present

import (
	"cmp"
	paths "path"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// ContentPage is how many rows of content stand on one page.
const ContentPage = 100

// ContentIn is what the content tab is made of: packages, one of them, files,
// or a document.
type ContentIn struct {
	Image    engine.Image
	Query    ContentQuery
	Counts   map[string]int // packages by class
	Packages []engine.Package
	Total    int // packages that match
	Files    engine.FilePage
	NoFiles  bool // there is no list of them
	Package  *engine.Package
	Owned    engine.FilePage // files of the package
	Matches  []engine.Match  // of the package
	Document []byte          // nil: there is none
}

// ImageContent shapes the tab.
func ImageContent(in ContentIn) *view.ImageContent {
	q := in.Query
	v := &view.ImageContent{Class: q.Class, Text: q.Text, Classes: classTabs(in)}
	href := func(alter func(*ContentQuery)) string {
		n := ContentQuery{Class: q.Class, Folder: q.Folder, Flat: q.Flat, Text: q.Text, Page: 1}
		alter(&n)
		return n.Href(in.Image.Digest)
	}
	if q.Text != "" {
		v.Clear = href(func(n *ContentQuery) { n.Text = "" })
	}
	v.CSV = ImageHref(in.Image.Digest) + "/content.csv" + encode(q.Values())
	v.Search = "File or name"
	total, noun := 0, [2]string{"package", "packages"}
	switch {
	case in.Package != nil:
		v.Package = packageDetail(in)
		return v
	case q.OfPackages():
		total = in.Total
		v.Search = "Name, version or path"
		for _, p := range in.Packages {
			v.Packages = append(v.Packages, packageRow(in.Image.Digest, p))
		}
	case q.Class == ClassFiles:
		total, noun = in.Files.Total, [2]string{"file", "files"}
		if q.Files().Browse {
			noun = [2]string{"entry", "entries"}
		}
		v.Search = "Part of the path, or a SHA-256"
		fileList(v, in, href)
	default:
		var found []view.FindingRow
		found, noun = documentRows(v, in)
		total = len(found)
		pages := max((total+ContentPage-1)/ContentPage, 1)
		q.Page = min(q.Page, pages)
		v.Findings = found[(q.Page-1)*ContentPage : min(q.Page*ContentPage, total)]
	}
	v.Showing = Plural(total, noun[0], noun[1])
	v.Pager = contentPager(q, total, v.Showing, func(n int) string { return href(func(q *ContentQuery) { q.Page = n }) })
	switch {
	case total > 0 || v.None != "":
	case q.Text != "":
		v.None = "No " + noun[1] + " of this kind match the search."
	default:
		v.None = "This image has no " + noun[1] + " of this kind."
	}
	return v
}

func contentPager(q ContentQuery, total int, showing string, href func(n int) string) view.Pager {
	p := view.Pager{Text: showing}
	pages := max((total+ContentPage-1)/ContentPage, 1)
	n := min(q.Page, pages)
	if pages > 1 {
		p.Text = Count((n-1)*ContentPage+1) + " to " + Count(min(n*ContentPage, total)) + " of " + showing
	}
	if n > 1 {
		p.First, p.Prev = href(1), href(n-1)
	}
	if n < pages {
		p.Next = href(n + 1)
	}
	return p
}

func classTabs(in ContentIn) []view.Tab {
	var tabs []view.Tab
	add := func(c contentClass, count string) {
		tabs = append(tabs, view.Tab{Key: c.key, Text: c.text, Count: count, Href: ContentQuery{Class: c.key}.Href(in.Image.Digest), Current: c.key == in.Query.Class})
	}
	all := 0
	for _, n := range in.Counts {
		all += n
	}
	listed := map[string]bool{}
	for _, c := range packageClasses {
		n := in.Counts[c.key]
		if c.key == ClassAll {
			n = all
		}
		listed[c.key] = true
		if n > 0 || c.key == ClassAll || c.key == in.Query.Class {
			add(c, Count(n))
		}
	}
	for _, k := range sortedKeys(in.Counts) {
		if !listed[k] {
			add(contentClass{k, cmp.Or(k, "other")}, Count(in.Counts[k]))
		}
	}
	for _, c := range otherClasses {
		add(c, "")
	}
	return tabs
}

func packageRow(digest engine.Digest, p engine.Package) view.PackageRow {
	r := view.PackageRow{
		Name: p.Name, Version: orDash(p.Version), Type: orDash(p.Type), Path: path(p.Path), License: orDash(strings.Join(p.Licenses, ", ")),
		Size: "-", Source: p.Source, Origin: p.Origin, PURL: p.PURL, Href: PackageHref(digest, p.Key),
	}
	if p.Size > 0 {
		r.Size = Bytes(p.Size)
	}
	if r.Source == p.Name {
		r.Source = ""
	}
	return r
}

func fileList(v *view.ImageContent, in ContentIn, href func(func(*ContentQuery)) string) {
	q, digest := in.Query, in.Image.Digest
	if in.NoFiles {
		v.None = "This analysis was made from an SBOM: its files are not known."
		return
	}
	v.Folder, v.Flat = q.Folder, q.Flat
	at := "/"
	v.Path = append(v.Path, view.Crumb{Text: "/", Href: FolderHref(digest, "/")})
	for part := range strings.SplitSeq(strings.Trim(q.Folder, "/"), "/") {
		if part != "" {
			at = paths.Join(at, part)
			v.Path = append(v.Path, view.Crumb{Text: part, Href: FolderHref(digest, at)})
		}
	}
	if q.Folder == "/" && !q.Flat {
		v.Path[0].Text = "/ (root)"
	}
	v.Path[len(v.Path)-1].Href = ""
	if q.Text == "" {
		v.FlatHref = href(func(n *ContentQuery) { n.Flat = !n.Flat })
	}
	for _, e := range in.Files.Entries {
		v.Files = append(v.Files, fileRow(digest, e, q.Files().Browse))
	}
	if in.Files.Total == 0 && q.Text == "" {
		v.None = "There is nothing in this folder, or no such folder."
	}
}

func fileRow(digest engine.Digest, e engine.FileEntry, browse bool) view.FileRow {
	f := e.File
	r := view.FileRow{
		Path: printable([]byte(f.Path), maxCell), Link: printable([]byte(f.Link), maxCell), Mode: orDash(f.Mode), Size: "-", Owner: strconv.Itoa(f.UID) + ":" + strconv.Itoa(f.GID),
		Type: fileType(f.Type), SHA: f.SHA256, Short: f.SHA256[:min(12, len(f.SHA256))],
	}
	r.Name = r.Path
	if browse {
		r.Name = printable([]byte(paths.Base(f.Path)), maxCell)
	} else if f.Path != "" {
		r.Dir = FolderHref(digest, paths.Dir(f.Path))
	}
	if f.Mode == "" { // a folder that has no entry of its own
		r.Owner = "-"
	}
	switch {
	case e.Folder:
		r.Folder, r.Name = FolderHref(digest, f.Path), r.Name+"/"
		r.Size = Bytes(e.Bytes)
		r.Holds = Plural(e.Files, "file", "files")
	case f.Type == "file":
		r.Size = Bytes(f.Size)
	}
	if e.Owner.Key != "" {
		r.Package, r.PackageHref = strings.TrimSpace(e.Owner.Name+" "+e.Owner.Version), PackageHref(digest, e.Owner.Key)
	}
	r.Special = special(f.Mode)
	return r
}

// special tells what is unusual of a mode.
func special(mode string) string {
	n, err := strconv.ParseUint(mode, 8, 32)
	if err != nil {
		return ""
	}
	var said []string
	if n&0o4000 != 0 {
		said = append(said, "setuid")
	}
	if n&0o2000 != 0 {
		said = append(said, "setgid")
	}
	return strings.Join(said, ", ")
}

func fileType(t string) string {
	switch t {
	case "dir":
		return "folder"
	case "slink":
		return "link"
	case "hlink":
		return "hard link"
	}
	return orDash(t)
}

// packageDetail is one package with its files and what it is affected by.
func packageDetail(in ContentIn) *view.PackageDetail {
	p, digest := *in.Package, in.Image.Digest
	v := &view.PackageDetail{Name: p.Name, Version: p.Version, Back: ContentQuery{Class: ClassAll}.Href(digest)}
	add := func(name, text string, mono bool) {
		if text != "" {
			f := view.Fact{Name: name, Text: printable([]byte(text), maxCell), Mono: mono}
			if mono {
				f.Copy = f.Text
			}
			v.Facts = append(v.Facts, f)
		}
	}
	add("Type", p.Type, false)
	add("Version", p.Version, true)
	add("Licences", strings.Join(p.Licenses, ", "), false)
	if p.Size > 0 {
		v.Facts = append(v.Facts, view.Fact{Name: "Installed size", Text: Bytes(p.Size)})
	}
	add("Source package", p.Source, false)
	add("From", p.Origin, false)
	if at := path(p.Path); at != "" {
		v.Facts = append(v.Facts, view.Fact{Name: "Where", Text: at, Href: ContentQuery{Class: ClassFiles, Folder: "/", Text: at}.Href(digest)})
	} else if p.Path != "" {
		v.Facts = append(v.Facts, view.Fact{Name: "Where", Text: "the system's package database"})
	}
	add("Package URL", p.PURL, true)
	for n, c := range p.CPEs {
		if n == 8 {
			v.Facts = append(v.Facts, view.Fact{Name: "", Text: "and " + Count(len(p.CPEs)-n) + " more CPEs"})
			break
		}
		name := "CPE"
		if n > 0 {
			name = ""
		}
		v.Facts = append(v.Facts, view.Fact{Name: name, Text: printable([]byte(c), maxCell), Mono: true})
	}
	v.Extra = sortedFacts(p.Extra)
	for _, e := range in.Owned.Entries {
		v.Files = append(v.Files, fileRow(digest, e, false))
	}
	v.Owned = Plural(in.Owned.Total, "file", "files")
	if more := in.Owned.Total - len(in.Owned.Entries); more > 0 {
		v.MoreFiles = "and " + Count(more) + " more"
	}
	slices.SortStableFunc(in.Matches, VulnQuery{}.order())
	for _, m := range in.Matches {
		v.Matches = append(v.Matches, view.PackageMatch{
			ID: m.Vuln, Href: ImageHref(digest) + "?tab=vulnerabilities&q=" + m.Vuln, Sev: Sev(m.Severity), Fix: orDash(strings.Join(m.Fixes, ", ")),
		})
	}
	return v
}
