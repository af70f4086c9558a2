// Package support packs what somebody who helps from afar needs to know of an
// engine into one archive, and leaves out what nobody else may know. Every text
// passes the redactor, whatever it is of: the settings, the log lines and the
// events alike. What could not be gathered is in the archive as the reason why.
//
// The archive is bounded: each file by its own limit, and all of them together.
package support

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"windlass/internal/engine"
)

// Limits of what is packed, before it is compressed.
const (
	fileMax = 2 << 20
	allMax  = 16 << 20
)

// Part is one file of an archive.
type Part struct {
	Name string
	Says string // what it holds, for the list of contents
	// Make gathers it: a string is written as it is, anything else as JSON.
	Make func() (any, error)
}

// Write makes the archive. It fails only when w does.
func Write(w io.Writer, parts []Part, r *Redactor, at time.Time) error {
	z := zip.NewWriter(w)
	left := allMax
	var contents strings.Builder
	fmt.Fprintf(&contents, "Support bundle of Windlass %s, made %s.\n\nPasswords, tokens and keys were taken out; look through it before you pass it on.\n\n",
		engine.Version, at.UTC().Format("2006-01-02 15:04:05 UTC"))
	for _, p := range parts {
		name, text := p.Name, ""
		v, err := p.Make()
		if err == nil {
			text, err = words(v)
		}
		if err != nil {
			name, text = p.Name+".missing.txt", "This could not be gathered: "+err.Error()+"\n"
		}
		text = r.Text(cut(text, min(fileMax, left)))
		left -= len(text)
		fmt.Fprintf(&contents, "%-28s %s\n", name, p.Says)
		if err := add(z, name, text, at); err != nil {
			return err
		}
	}
	if err := add(z, "README.txt", contents.String(), at); err != nil {
		return err
	}
	return z.Close()
}

func words(v any) (string, error) {
	if s, ok := v.(string); ok {
		return s, nil
	}
	raw, err := json.MarshalIndent(v, "", "  ")
	if string(raw) == "null" {
		raw = []byte("[]") // there are none of what is listed
	}
	return string(raw) + "\n", err
}

// cut keeps the end, which is the newest of a log, and whole lines.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	const note = "[what came before was too much]\n"
	if n <= len(note) {
		return ""
	}
	s = s[len(s)-n+len(note):]
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		s = s[i+1:]
	}
	return note + s
}

func add(z *zip.Writer, name, text string, at time.Time) error {
	f, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at.UTC()})
	if err != nil {
		return fmt.Errorf("support bundle: %w", err)
	}
	if _, err := io.WriteString(f, text); err != nil {
		return fmt.Errorf("support bundle: %w", err)
	}
	return nil
}
