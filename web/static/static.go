// Package static holds what browsers fetch once and keep: the stylesheet, the
// icon sprite and the script bundle, embedded in the program. Each is served
// under a name that carries the hash of its content, so that it may be cached
// for ever and a new release is seen at once.
//
// The stylesheet is css/*.css and css/pages/*.css joined in order of name: a
// page's own rules go into a file of css/pages inside `@layer pages`. The
// script is dist/console.js, bundled from js/ and npm at build time; without it
// (a plain go build) pages are complete, but not live.
package static

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"path"
	"sort"
	"strings"
	"sync"
)

//go:embed css img all:dist
var files embed.FS

// Prefix is where the console serves the assets.
const Prefix = "/static/"

// Asset is one file as it is served.
type Asset struct {
	Name string // with the hash: console.3f9c1a2b.css
	Type string
	Body []byte
	Gzip []byte // nil where it would not pay
}

type set struct {
	byName    map[string]*Asset // by served name
	byLogical map[string]string // logical name to address
}

var load = sync.OnceValue(func() set {
	s := set{byName: map[string]*Asset{}, byLogical: map[string]string{}}
	s.add("console.css", stylesheet())
	for _, dir := range []string{"img", "dist"} {
		// An embedded tree cannot fail to be read.
		_ = fs.WalkDir(files, dir, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasPrefix(d.Name(), ".") {
				return err
			}
			body, err := files.ReadFile(p)
			if err == nil {
				s.add(d.Name(), body)
			}
			return err
		})
	}
	return s
})

// stylesheet joins the parts; numbered names give the order of the layers.
func stylesheet() []byte {
	var out bytes.Buffer
	for _, dir := range []string{"css", "css/pages"} {
		list, _ := fs.Glob(files, dir+"/*.css")
		sort.Strings(list)
		for _, p := range list {
			body, _ := files.ReadFile(p)
			out.Write(body)
			out.WriteByte('\n')
		}
	}
	return out.Bytes()
}

func (s set) add(logical string, body []byte) {
	sum := sha256.Sum256(body)
	ext := path.Ext(logical)
	name := strings.TrimSuffix(logical, ext) + "." + hex.EncodeToString(sum[:5]) + ext
	a := &Asset{Name: name, Type: mimeType(ext), Body: body}
	if ext != ".png" && len(body) > 512 {
		a.Gzip = compress(body)
	}
	s.byName[name] = a
	s.byLogical[logical] = Prefix + name
}

func mimeType(ext string) string {
	switch ext {
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return mime.TypeByExtension(ext)
}

func compress(body []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression)
	w.Write(body)
	w.Close()
	return b.Bytes()
}

// Path is the address of an asset by its plain name (console.css); empty when
// there is none, as with a script that was not built.
func Path(logical string) string { return load().byLogical[logical] }

// Lookup finds an asset by the name it is served under.
func Lookup(name string) (*Asset, bool) {
	a, ok := load().byName[name]
	return a, ok
}
