// Package hints reads what an image says of itself: /anchore_hints.json, in
// which its builder names packages that cannot be found by looking, such as a
// program that was compiled into place. It is read only where the operator
// allows that, since whoever builds an image may write anything in it.
//
//	{"packages": [{"name": "musl", "version": "1.1.20", "release": "r8", "type": "apkg",
//	               "license": "MIT", "origin": "...", "source": "musl", "size": 10, "location": "/x"}]}
//
// The document is foreign: its size, the number of its packages and the length
// of its texts are bounded. What is wrong with one package leaves that one out
// and is told in a note; a document that is no such thing is an error.
package hints

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// File is where an image has its hints.
const File = "/anchore_hints.json"

const (
	// MaxSize bounds the document, in bytes.
	MaxSize     = 4 << 20
	maxPackages = 10_000
	maxText     = 1000 // bytes of a text
	maxList     = 100  // items of a list
	maxNotes    = 20
)

// Types are the types of packages that can be named.
var Types = []string{"rpm", "apkg", "dpkg", "python", "npm", "gem", "java", "go", "binary"}

// Package is one package that an image names.
type Package struct {
	Type     string // one of Types
	Name     string
	Version  string // with the release, where one was given
	Location string // absolute; empty: not given
	Licenses []string
	Origin   string
	Source   string // source package
	Arch     string
	CPEs     []string
	Size     int64
}

// hint is a package as it is written. Lists may be written as one text, and
// texts as a list.
type hint struct {
	Name     text  `json:"name"`
	Version  text  `json:"version"`
	Versions texts `json:"versions"`
	Release  text  `json:"release"`
	Type     text  `json:"type"`
	Location text  `json:"location"`
	License  text  `json:"license"`
	Licenses texts `json:"licenses"`
	Origin   text  `json:"origin"`
	Origins  texts `json:"origins"`
	Source   text  `json:"source"`
	SrcPkg   text  `json:"sourcepkg"`
	Arch     text  `json:"arch"`
	CPEs     texts `json:"cpes"`
	Size     size  `json:"size"`
}

// Read reads a document of hints. Notes say what was left out, and why.
func Read(r io.Reader) (list []Package, notes []string, err error) {
	raw, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	if err != nil {
		return nil, nil, err
	}
	if len(raw) > MaxSize {
		return nil, nil, fmt.Errorf("larger than %d bytes", MaxSize)
	}
	var doc struct {
		Packages []json.RawMessage `json:"packages"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		return nil, nil, fmt.Errorf("not a document of hints: %w", err)
	}
	left := 0
	note := func(i int, err error) {
		if left++; len(notes) < maxNotes {
			notes = append(notes, fmt.Sprintf("package %d: %v", i+1, err))
		}
	}
	for i, item := range doc.Packages {
		if len(list) == maxPackages {
			notes = append(notes, fmt.Sprintf("only the first %d packages are taken", maxPackages))
			break
		}
		var h hint
		if err := json.Unmarshal(item, &h); err != nil {
			note(i, err)
			continue
		}
		p, err := h.read()
		if err != nil {
			note(i, err)
			continue
		}
		list = append(list, p)
	}
	if left > maxNotes {
		notes = append(notes, fmt.Sprintf("%d packages are left out in all", left))
	}
	return list, notes, nil
}

func (h *hint) read() (Package, error) {
	p := Package{
		Type: strings.ToLower(string(h.Type)), Name: string(h.Name), Version: string(h.Version),
		Licenses: h.Licenses, Origin: string(h.Origin), Source: string(h.Source), Arch: string(h.Arch), CPEs: h.CPEs, Size: int64(h.Size),
	}
	if p.Version == "" && len(h.Versions) > 0 {
		p.Version = h.Versions[0]
	}
	switch {
	case p.Name == "":
		return p, errors.New("it has no name")
	case p.Version == "":
		return p, fmt.Errorf("%s has no version", p.Name)
	case !slices.Contains(Types, p.Type):
		return p, fmt.Errorf("%s: its type %q is none of %s", p.Name, p.Type, strings.Join(Types, ", "))
	}
	if h.Release != "" && (p.Type == "rpm" || p.Type == "apkg" || p.Type == "dpkg") {
		p.Version += "-" + string(h.Release)
	}
	if len(p.Licenses) == 0 && h.License != "" {
		p.Licenses = []string{string(h.License)}
	}
	if p.Origin == "" {
		p.Origin = strings.Join(h.Origins, ",")
	}
	if p.Source == "" {
		p.Source = string(h.SrcPkg)
	}
	if h.Location != "" {
		p.Location = path.Clean("/" + string(h.Location))
	}
	return p, nil
}

// text is a text, or a number, that can be shown and stored.
type text string

func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(raw, &s) == nil:
	case json.Unmarshal(raw, &n) == nil:
		s = n.String()
	default:
		return fmt.Errorf("%.60s is no text", raw)
	}
	s = strings.TrimSpace(s)
	if len(s) > maxText {
		return fmt.Errorf("a text of %d bytes: at most %d are taken", len(s), maxText)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return fmt.Errorf("%.60q has control characters", s)
	}
	*t = text(s)
	return nil
}

// texts is a list of texts, or one alone. Empty ones are left out.
type texts []string

func (t *texts) UnmarshalJSON(raw []byte) error {
	var list []text
	if err := json.Unmarshal(raw, &list); err != nil {
		var one text
		if json.Unmarshal(raw, &one) != nil {
			return err
		}
		list = []text{one}
	}
	if len(list) > maxList {
		return fmt.Errorf("a list of %d items: at most %d are taken", len(list), maxList)
	}
	for _, item := range list {
		if item != "" {
			*t = append(*t, string(item))
		}
	}
	return nil
}

// size is a number of bytes, or its text.
type size int64

func (s *size) UnmarshalJSON(raw []byte) error {
	var t text
	if err := json.Unmarshal(raw, &t); err != nil {
		return err
	}
	if t == "" || t == "N/A" {
		return nil
	}
	var n int64
	if err := json.Unmarshal([]byte(t), &n); err != nil || n < 0 {
		return fmt.Errorf("%q is no size", string(t))
	}
	*s = size(n)
	return nil
}
