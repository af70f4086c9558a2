package present

import (
	"cmp"
	"net/url"
	paths "path"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
)

// The classes of content that are not packages.
const (
	ClassFiles     = "files"
	ClassMalware   = "malware"
	ClassRetrieved = "retrieved"
	ClassSecrets   = "secrets"
	ClassFindings  = "findings"
)

// ClassAll lists packages of every class.
const ClassAll = "all"

type contentClass struct{ key, text string }

// packageClasses are in the order of the tabs; what else an image has comes
// after them.
var packageClasses = []contentClass{
	{ClassAll, "All packages"}, {"os", "System"}, {"npm", "npm"}, {"gem", "Gem"}, {"python", "Python"}, {"java", "Java"}, {"go", "Go"}, {"binary", "Binary"},
}

var otherClasses = []contentClass{
	{ClassFiles, "Files"}, {ClassSecrets, "Secrets"}, {ClassFindings, "Text findings"}, {ClassMalware, "Malware"}, {ClassRetrieved, "Kept files"},
}

// ContentDocument is the stored document that a class is read from; empty:
// none.
func ContentDocument(class string) string {
	return map[string]string{
		ClassMalware: engine.DocMalware, ClassRetrieved: engine.DocRetrieved, ClassSecrets: engine.DocSecrets, ClassFindings: engine.DocContentSearch,
	}[class]
}

// ContentQuery is what the content tab shows.
type ContentQuery struct {
	Class  string
	Text   string
	Folder string // of files, absolute
	Flat   bool   // files of all folders in one list
	Key    string // of the package that is shown in detail
	File   string // kept file that is shown
	Page   int    // from 1
}

// ParseContentQuery reads the page's query.
func ParseContentQuery(q url.Values) ContentQuery {
	v := ContentQuery{
		Class: cmp.Or(q.Get("class"), ClassAll), Text: strings.TrimSpace(q.Get("q")), Folder: paths.Clean("/" + q.Get("dir")), Flat: q.Get("view") == "flat",
		Key: q.Get("pkg"), File: q.Get("file"), Page: 1,
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 1 {
		v.Page = n
	}
	return v
}

// Files is what the query asks of the list of files.
func (q ContentQuery) Files() engine.FileQuery {
	f := engine.FileQuery{Text: q.Text, Folder: q.Folder, Browse: !q.Flat && q.Text == "", Offset: (q.Page - 1) * ContentPage, Limit: ContentPage}
	if q.Flat && q.Text == "" && q.Folder == "/" {
		f.Folder = ""
	}
	return f
}

// Packages is what the query asks of the packages.
func (q ContentQuery) Packages() engine.PackageFilter {
	f := engine.PackageFilter{Class: q.Class, Text: q.Text, Offset: (q.Page - 1) * ContentPage, Limit: ContentPage}
	if q.Class == ClassAll {
		f.Class = ""
	}
	return f
}

// Known reports whether there is such a class; the error names those that are.
func (q ContentQuery) Known() error {
	var names []string
	for _, c := range slices.Concat(packageClasses, otherClasses) {
		if c.key == q.Class {
			return nil
		}
		names = append(names, c.key)
	}
	return engine.Invalidf("There is no class of content %.40q. The classes are %s.", q.Class, strings.Join(names, ", "))
}

// OfPackages reports whether the query's class is one of packages.
func (q ContentQuery) OfPackages() bool {
	return q.Class != ClassFiles && ContentDocument(q.Class) == ""
}

// Values is the query again, without the page.
func (q ContentQuery) Values() url.Values {
	v := url.Values{"class": {q.Class}}
	set := func(k, s string) {
		if s != "" {
			v.Set(k, s)
		}
	}
	set("q", q.Text)
	set("pkg", q.Key)
	set("file", q.File)
	if q.Class == ClassFiles {
		if q.Folder != "/" {
			v.Set("dir", q.Folder)
		}
		if q.Flat {
			v.Set("view", "flat")
		}
	}
	return v
}

// Href is the address of the tab with this query.
func (q ContentQuery) Href(digest engine.Digest) string {
	v := q.Values()
	v.Set("tab", "content")
	if q.Page > 1 {
		v.Set("page", strconv.Itoa(q.Page))
	}
	return ImageHref(digest) + "?" + v.Encode()
}

// FolderHref is the address of a folder of an image.
func FolderHref(digest engine.Digest, folder string) string {
	return ContentQuery{Class: ClassFiles, Folder: paths.Clean("/" + folder)}.Href(digest)
}

// PackageHref is the address of a package of an image.
func PackageHref(digest engine.Digest, key string) string {
	return ContentQuery{Class: ClassAll, Key: key}.Href(digest)
}
