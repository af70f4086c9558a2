package present

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// documentRows shapes what an analysis found in files: where, and never the
// text of it.
func documentRows(v *view.ImageContent, in ContentIn) (rows []view.FindingRow, noun [2]string) {
	q, digest := in.Query, in.Image.Digest
	fileHref := func(path string) string {
		return ContentQuery{Class: ClassFiles, Folder: "/", Text: path}.Href(digest)
	}
	switch q.Class {
	case ClassMalware:
		rows, noun = malwareRows(v, in.Document), [2]string{"finding", "findings"}
	case ClassRetrieved:
		rows, noun = keptRows(v, in), [2]string{"kept file", "kept files"}
	default:
		rows, noun = searchRows(in.Document), [2]string{"finding", "findings"}
		v.Hint = "Where an expression matched. The text itself is not kept, so that nobody reads a secret here."
	}
	if in.Document == nil && len(rows) == 0 && q.Text == "" {
		v.None = map[string]string{
			ClassMalware:   "The files were not scanned for malware. Install ClamAV on the analyzer's host, switch it on in the analyzer's settings, and analyze the image again.",
			ClassRetrieved: "No files were kept. The analyzer's settings say which are (retrieve_files).",
			ClassSecrets:   "Nothing was found, or nothing was looked for: the analyzer's settings say for what (secret_search).",
			ClassFindings:  "Nothing was looked for. The analyzer's settings say for what (content_search).",
		}[q.Class]
	} else if len(rows) == 0 && q.Text == "" && v.None == "" {
		v.None = map[string]string{
			ClassMalware: "The scan found no malware.", ClassSecrets: "No secret was found in any file.", ClassFindings: "No expression matched in any file.",
			ClassRetrieved: "None of the files that are to be kept is in this image.",
		}[q.Class]
	}
	text := strings.ToLower(q.Text)
	kept := rows[:0]
	for _, r := range rows {
		if text != "" && !strings.Contains(strings.ToLower(r.Path+" "+r.Name+" "+r.Detail), text) {
			continue
		}
		r.FileHref = fileHref(r.Path)
		r.Path = printable([]byte(r.Path), maxCell)
		kept = append(kept, r)
	}
	return kept, noun
}

// maxLines bounds the line numbers that a row names.
const maxLines = 12

func searchRows(doc []byte) []view.FindingRow {
	var files []struct {
		Path    string `json:"path"`
		Matches []struct {
			Name  string `json:"name"`
			Regex string `json:"regex"`
			Lines []int  `json:"lines"` // from zero
		} `json:"matches"`
	}
	if json.Unmarshal(doc, &files) != nil {
		return nil
	}
	var rows []view.FindingRow
	for _, f := range files {
		for _, m := range f.Matches {
			var lines []string
			for n, line := range m.Lines {
				if n == maxLines {
					lines = append(lines, "and "+Count(len(m.Lines)-n)+" more")
					break
				}
				lines = append(lines, strconv.Itoa(line+1))
			}
			rows = append(rows, view.FindingRow{
				Path: f.Path, Name: printable([]byte(m.Name), maxCell), Detail: printable([]byte(m.Regex), maxCell), Lines: strings.Join(lines, ", "),
			})
		}
	}
	return rows
}

func malwareRows(v *view.ImageContent, doc []byte) []view.FindingRow {
	var scans []struct {
		Scanner  string `json:"scanner"`
		Findings []struct {
			Path      string `json:"path"`
			Signature string `json:"signature"`
		} `json:"findings"`
		Metadata struct {
			Versions   map[string]any `json:"db_version"`
			Incomplete string         `json:"incomplete"`
		} `json:"metadata"`
	}
	if json.Unmarshal(doc, &scans) != nil {
		return nil
	}
	var rows []view.FindingRow
	for _, s := range scans {
		hint := "Scanned by " + s.Scanner
		for _, k := range sortedKeys(s.Metadata.Versions) {
			hint += fmt.Sprintf(", %s %v", k, s.Metadata.Versions[k])
		}
		v.Hint = strings.TrimSpace(v.Hint + " " + hint + ".")
		if s.Metadata.Incomplete != "" {
			v.Warn = s.Metadata.Incomplete
		}
		for _, f := range s.Findings {
			rows = append(rows, view.FindingRow{Path: f.Path, Name: printable([]byte(f.Signature), maxCell), Detail: s.Scanner})
		}
	}
	return rows
}

type keptFile struct {
	Path string `json:"path"`
	Body string `json:"b64_content"`
}

func keptFiles(doc []byte) []keptFile {
	var files []keptFile
	if json.Unmarshal(doc, &files) != nil {
		return nil
	}
	return files
}

// KeptFile is the content of a file that the analysis kept.
func KeptFile(doc []byte, path string) ([]byte, bool) {
	for _, f := range keptFiles(doc) {
		if f.Path == path {
			body, err := base64.StdEncoding.DecodeString(f.Body)
			return body, err == nil
		}
	}
	return nil, false
}

func keptRows(v *view.ImageContent, in ContentIn) []view.FindingRow {
	var rows []view.FindingRow
	for _, f := range keptFiles(in.Document) {
		size := int64(base64.StdEncoding.DecodedLen(len(f.Body)) - strings.Count(f.Body[max(0, len(f.Body)-2):], "="))
		q := ContentQuery{Class: ClassRetrieved, File: f.Path}
		r := view.FindingRow{Path: f.Path, Name: Bytes(size), Open: q.Href(in.Image.Digest), Current: f.Path == in.Query.File}
		if r.Current {
			v.Kept = keptView(in.Image.Digest, f)
		}
		rows = append(rows, r)
	}
	return rows
}

func keptView(digest engine.Digest, f keptFile) *view.KeptFile {
	k := &view.KeptFile{Path: printable([]byte(f.Path), maxCell), Download: ImageHref(digest) + "/kept" + encode(ContentQuery{Class: ClassRetrieved, File: f.Path}.Values())}
	body, err := base64.StdEncoding.DecodeString(f.Body)
	switch {
	case err != nil:
		k.Note = "What is stored of this file cannot be read."
	case len(body) == 0:
		k.Note = "The file is empty."
	case !utf8.Valid(body) || strings.ContainsRune(string(body[:min(len(body), 8000)]), 0):
		k.Note = "The file is not a text."
	default:
		if len(body) > maxText {
			k.Note = "Its first " + Bytes(maxText) + "."
		}
		k.Text = printable(body, maxText)
	}
	return k
}
