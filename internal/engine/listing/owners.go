package listing

import (
	"bytes"
	"encoding/json"
	"path"
	"strings"

	"windlass/internal/engine"
)

// Of lays out the files of an analysis, each with the package whose database
// entry, or whose description, it is part of.
func Of(a engine.Analysis) ([]byte, error) {
	c := claims{paths: map[string]int{}, aliases: aliases(a.Files)}
	c.fromSBOM(a.SBOM)
	// Packages of languages are known by the file that describes them; where
	// several stand in one file, as in a Go binary, it is nobody's.
	shared := map[string]int{}
	for _, p := range a.Packages {
		shared[p.Path]++
	}
	for _, p := range a.Packages {
		if strings.HasPrefix(p.Path, "/") && shared[p.Path] == 1 {
			c.claim(len(c.owners), p.Path)
			c.owners = append(c.owners, engine.FileOwner{Key: p.Key, Name: p.Name, Version: p.Version})
		}
	}
	return Build(a.Files, c.owners, func(path string) int {
		if n, ok := c.paths[path]; ok {
			return n
		}
		return -1
	})
}

type claims struct {
	owners  []engine.FileOwner
	paths   map[string]int
	aliases map[string]string
}

// claim notes an owner; the first one stays.
func (c *claims) claim(owner int, p string) {
	// A database may name a file by a folder that is a link today: /bin/sh is
	// /usr/bin/sh where /bin is a link to it.
	if top, rest, ok := strings.Cut(strings.TrimPrefix(p, "/"), "/"); ok && c.aliases[top] != "" {
		p = c.aliases[top] + "/" + rest
	}
	if _, taken := c.paths[p]; !taken {
		c.paths[p] = owner
	}
}

// aliases are the folders of the root that are links, and where they lead.
func aliases(files []engine.File) map[string]string {
	m := map[string]string{}
	for _, f := range files {
		if name := strings.TrimPrefix(f.Path, "/"); f.Type == "slink" && !strings.Contains(name, "/") {
			m[name] = path.Clean("/" + f.Link)
		}
	}
	return m
}

// fromSBOM reads, one artifact at a time, the files that package databases
// claim. A document that is something else, as an imported one may be, claims
// nothing from where it is.
func (c *claims) fromSBOM(doc []byte) {
	d := json.NewDecoder(bytes.NewReader(doc))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return
		}
		if key != "artifacts" {
			var skip json.RawMessage
			if d.Decode(&skip) != nil {
				return
			}
			continue
		}
		if t, err := d.Token(); err != nil || t != json.Delim('[') {
			return
		}
		for d.More() {
			var a struct {
				ID, Name, Version, Type string
				Metadata                json.RawMessage
			}
			if d.Decode(&a) != nil {
				return
			}
			if a.Type == "deb" || a.Type == "apk" || a.Type == "rpm" {
				c.database(engine.FileOwner{Key: a.ID, Name: a.Name, Version: a.Version}, a.Metadata)
			}
		}
		return
	}
}

func (c *claims) database(o engine.FileOwner, metadata json.RawMessage) {
	var m struct {
		Files []struct {
			Path string `json:"path"`
		} `json:"files"`
	}
	if json.Unmarshal(metadata, &m) != nil || len(m.Files) == 0 {
		return
	}
	at := len(c.owners)
	c.owners = append(c.owners, o)
	for _, f := range m.Files {
		c.claim(at, path.Clean("/"+f.Path))
	}
}
