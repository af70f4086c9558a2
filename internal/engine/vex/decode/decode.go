// Package decode reads exploitability documents: OpenVEX 0.2 and CycloneDX with
// analyses. Both become statements in OpenVEX's words.
//
// A document is taken whole or refused, with the statement and the field that
// is wrong: a part of it left out in silence would be an exception that
// somebody believes to be in force. Whatever is read is bounded, and what is
// valid but speaks of nothing that can be found in an image is counted, for the
// one who uploads it to see.
//
// The package must not know the store, nor which statement counts (package
// vex).
package decode

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"windlass/internal/engine"
	"windlass/internal/engine/vex"
)

// Bounds of a document. The largest collections that vendors publish have some
// thousand statements in a file.
const (
	MaxBytes      = 16 << 20
	MaxStatements = 20_000

	maxDepth    = 100    // of JSON: components nest
	maxProducts = 10_000 // of a statement
	maxNames    = 300_000
	maxIDs      = 200  // of a vulnerability
	maxName     = 2048 // bytes of an id or a package URL
	maxText     = 16_384
	// ahead is by how much the clock of an author may be wrong. A statement from
	// the future would win over all that are made until then.
	ahead = 24 * time.Hour
)

// Document reads a document as it came; bound: it is to speak of one image only.
// What is wrong with it is a Fault.
func Document(body []byte, bound bool, now time.Time) (engine.VEXDocument, []engine.VEXStatement, error) {
	r := reader{now: now}
	if err := r.read(body); err != nil {
		return engine.VEXDocument{}, nil, err
	}
	r.doc.Bytes, r.doc.Statements = len(body), len(r.list)
	for _, s := range r.list {
		placed := false
		for _, p := range s.Products {
			placed = placed || vex.Placed(p, bound)
		}
		if !placed {
			r.doc.Unplaced++
		}
	}
	return r.doc, r.list, nil
}

// reader reads one document.
type reader struct {
	now   time.Time
	doc   engine.VEXDocument
	list  []engine.VEXStatement
	names int // identifiers of products, all together
}

func (r *reader) read(body []byte) error {
	if len(body) > MaxBytes {
		return engine.Invalidf("the document has more than %d MiB", MaxBytes>>20)
	}
	body = bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(body)) == 0 {
		return engine.Invalidf("the document is empty")
	}
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return engine.Invalidf("the document is XML: the JSON form of CycloneDX is read, and OpenVEX, which is JSON")
	}
	if err := shape(body); err != nil {
		return err
	}
	var kind struct {
		Context json.RawMessage `json:"@context"`
		Format  json.RawMessage `json:"bomFormat"`
		CSAF    json.RawMessage `json:"csaf_version"`
		CSAF2   struct {
			CSAF json.RawMessage `json:"csaf_version"`
		} `json:"document"`
	}
	if err := json.Unmarshal(body, &kind); err != nil {
		var wrong *json.UnmarshalTypeError
		if !errors.As(err, &wrong) || wrong.Field == "" {
			return engine.Invalidf("the document is no JSON object")
		}
	}
	switch {
	case kind.Context != nil:
		return r.openVEX(body)
	case kind.Format != nil:
		return r.cycloneDX(body)
	case kind.CSAF != nil || kind.CSAF2.CSAF != nil:
		return engine.Invalidf("the document is CSAF: OpenVEX and CycloneDX are read")
	}
	return engine.Invalidf("the document is neither OpenVEX, which has an @context, nor CycloneDX, which has a bomFormat")
}

// shape refuses what is no JSON, and JSON that is too deep, before anything is
// made of it.
func shape(body []byte) error {
	depth, quoted, escaped := 0, false, false
	for _, c := range body {
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return engine.Invalidf("the document is nested deeper than %d levels", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	var any json.RawMessage
	err := json.Unmarshal(body, &any)
	if err == nil {
		return nil
	}
	at := int64(len(body))
	var bad *json.SyntaxError
	if errors.As(err, &bad) {
		at = bad.Offset
	}
	before := body[:min(max(at, 0), int64(len(body)))]
	line, column := bytes.Count(before, []byte("\n"))+1, len(before)-bytes.LastIndexByte(before, '\n')-1
	return engine.Invalidf("the document is no JSON: line %d, column %d: %s", line, max(column, 1), plain(err))
}

func plain(err error) string {
	if strings.Contains(err.Error(), "unexpected end") {
		return "it ends too soon"
	}
	return err.Error()
}

// place is where in a document something stands, for people and for programs.
type place struct {
	n    int    // of the statement, from 0; below: of the document
	vuln string // what the statement is about, when that is known
	path string // of the statement in the document: statements[3]
}

// wrong is the fault at a field of the place.
func (p place) wrong(field, format string, args ...any) error {
	what := fmt.Sprintf(format, args...)
	if p.n < 0 {
		return engine.Invalidf("%s: %s", field, what)
	}
	name := fmt.Sprintf("statement %d", p.n+1)
	if p.vuln != "" {
		name += " (" + clip(p.vuln) + ")"
	}
	path := p.path
	if field != "" {
		path += "." + field
	}
	return engine.Invalidf("%s: %s: %s", name, path, what)
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "..."
	}
	return s
}

// decode reads a part of a document into a struct, and says which field is
// none that belongs there.
func (p place) decode(raw json.RawMessage, into any) error {
	err := json.Unmarshal(raw, into)
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &kind):
		return p.wrong(kind.Field, "a JSON %s does not belong here", kind.Value)
	}
	return p.wrong("", "%s", clip(err.Error()))
}

// text holds a text of a document against its bound.
func (p place) text(field, s string, limit int) error {
	switch {
	case len(s) > limit:
		return p.wrong(field, "longer than %d bytes", limit)
	case strings.ContainsRune(s, 0) || !utf8.ValidString(s):
		return p.wrong(field, "has a character that no text has")
	}
	return nil
}

// at reads a time; none is the zero one.
func (r *reader) at(p place, field, s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		if t, err = time.Parse("2006-01-02T15:04:05", s); err != nil {
			return t, p.wrong(field, "%q is no time as in 2023-01-08T18:02:03Z", clip(s))
		}
	}
	switch {
	case t.After(r.now.Add(ahead)):
		return t, p.wrong(field, "%s lies in the future", t.UTC().Format(time.RFC3339))
	case t.Year() < 1980:
		return t, p.wrong(field, "%s is before there were such documents", t.UTC().Format(time.RFC3339))
	}
	return t.UTC(), nil
}

// name holds an identifier of a product against the bounds.
func (r *reader) name(p place, field, s string) error {
	if r.names++; r.names > maxNames {
		return engine.Invalidf("the document names more than %d products", maxNames)
	}
	if err := p.text(field, s, maxName); err != nil {
		return err
	}
	if strings.HasPrefix(s, "pkg:") {
		if err := vex.CheckPackageURL(s); err != nil {
			return p.wrong(field, "%q is no package URL: %s", clip(s), clip(err.Error()))
		}
	}
	return nil
}

// vulns makes the list of a vulnerability's ids, each once.
func (p place) vulns(field string, ids []string) ([]string, error) {
	if len(ids) > maxIDs {
		return nil, p.wrong(field, "more than %d ids of one vulnerability", maxIDs)
	}
	list := make([]string, 0, len(ids))
	seen := make(map[string]bool, len(ids))
	for _, id := range ids {
		id = vex.VulnID(strings.TrimSpace(id))
		if err := p.text(field, id, 256); err != nil {
			return nil, err
		}
		if id != "" && !seen[id] {
			seen[id] = true
			list = append(list, id)
		}
	}
	return list, nil
}
