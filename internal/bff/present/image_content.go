package present

import (
	"net/url"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// contentClasses lists the kinds of content in the order of the tabs.
var contentClasses = []struct{ key, text string }{
	{"os", "System"}, {"npm", "npm"}, {"gem", "Gem"}, {"python", "Python"}, {"java", "Java"}, {"go", "Go"}, {"binary", "Binary"}, {"files", "Files"},
}

// ContentQuery is what the content tab shows.
type ContentQuery struct {
	Class string
	Text  string
	Page  int // from 1
}

// ParseContentQuery reads the page's query.
func ParseContentQuery(q url.Values) ContentQuery {
	v := ContentQuery{Class: "os", Text: strings.TrimSpace(q.Get("q")), Page: 1}
	for _, c := range contentClasses {
		if c.key == q.Get("class") {
			v.Class = c.key
		}
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		v.Page = n
	}
	return v
}

// ContentPage is how many rows of content stand on one page.
const ContentPage = 100

// ContentIn is what the content tab is made of: packages, or files.
type ContentIn struct {
	Image    engine.Image
	Query    ContentQuery
	Counts   map[string]int // packages by class
	Packages []engine.Package
	Total    int // packages that match
	Files    []engine.File
}

// ImageContent shapes the tab of packages and files.
func ImageContent(in ContentIn) *view.ImageContent {
	q := in.Query
	v := &view.ImageContent{Class: q.Class, Text: q.Text}
	href := func(class, text string, n int) string {
		vals := url.Values{"tab": {"content"}, "class": {class}}
		if text != "" {
			vals.Set("q", text)
		}
		if n > 1 {
			vals.Set("page", strconv.Itoa(n))
		}
		return ImageHref(in.Image.Digest) + "?" + vals.Encode()
	}
	for _, c := range contentClasses {
		t := view.Tab{Key: c.key, Text: c.text, Href: href(c.key, "", 1), Current: c.key == q.Class}
		if c.key != "files" {
			t.Count = Count(in.Counts[c.key])
		}
		v.Classes = append(v.Classes, t)
	}
	if q.Text != "" {
		v.Clear = href(q.Class, "", 1)
	}
	total := in.Total
	var files []engine.File
	if q.Class == "files" {
		files = findFiles(in.Files, q.Text)
		total = len(files)
	}
	pages := max((total+ContentPage-1)/ContentPage, 1)
	n := min(q.Page, pages)
	from := (n - 1) * ContentPage
	to := min(from+ContentPage, total)
	noun := [2]string{"package", "packages"}
	if q.Class == "files" {
		noun = [2]string{"file", "files"}
		for _, f := range files[from:to] {
			v.Files = append(v.Files, fileRow(f))
		}
	}
	for _, p := range in.Packages {
		v.Packages = append(v.Packages, packageRow(p))
	}
	v.Showing = Plural(total, noun[0], noun[1])
	v.Pager.Text = v.Showing
	if pages > 1 {
		v.Pager.Text = Count(from+1) + " to " + Count(to) + " of " + v.Showing
	}
	if n > 1 {
		v.Pager.First, v.Pager.Prev = href(q.Class, q.Text, 1), href(q.Class, q.Text, n-1)
	}
	if n < pages {
		v.Pager.Next = href(q.Class, q.Text, n+1)
	}
	switch {
	case total > 0:
	case q.Text != "":
		v.None = "No " + noun[1] + " of this kind match the search."
	default:
		v.None = "This image has no " + noun[1] + " of this kind."
	}
	return v
}

func findFiles(list []engine.File, text string) []engine.File {
	if text == "" {
		return list
	}
	text = strings.ToLower(text)
	var out []engine.File
	for _, f := range list {
		if strings.Contains(strings.ToLower(f.Path), text) || f.SHA256 == text {
			out = append(out, f)
		}
	}
	return out
}

func packageRow(p engine.Package) view.PackageRow {
	r := view.PackageRow{
		Name: p.Name, Version: orDash(p.Version), Type: orDash(p.Type), Path: path(p.Path), License: orDash(strings.Join(p.Licenses, ", ")),
		Size: "-", Source: p.Source, Origin: p.Origin, PURL: p.PURL,
	}
	if p.Size > 0 {
		r.Size = Bytes(p.Size)
	}
	if r.Source == p.Name {
		r.Source = ""
	}
	return r
}

func fileRow(f engine.File) view.FileRow {
	r := view.FileRow{
		Path: f.Path, Link: f.Link, Mode: orDash(f.Mode), Size: "-", Owner: strconv.Itoa(f.UID) + ":" + strconv.Itoa(f.GID), Type: fileType(f.Type),
		SHA: f.SHA256, Short: f.SHA256[:min(12, len(f.SHA256))],
	}
	if f.Type == "file" {
		r.Size = Bytes(f.Size)
	}
	return r
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
