package search

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"path"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"windlass/internal/engine/malware"
	"windlass/internal/engine/pattern"
)

const (
	maxSettings    = 1 << 20  // bytes of the file
	maxFiles       = 1000     // files to keep whole
	maxExpressions = 200      // of one search
	maxFileSize    = 10 << 20 // bytes of a file that is searched or kept
)

// Settings is what to look for in every image.
type Settings struct {
	Retrieve Retrieve
	Secrets  Search
	Content  Search
	Malware  malware.Settings
	Hints    bool // whether images may name packages themselves
}

// Retrieve names files to keep whole.
type Retrieve struct {
	Files   []string // clean and absolute
	MaxSize int64    // larger files are not kept
}

// Search is a set of expressions and the files to try them on.
type Search struct {
	MaxSize     int64 // larger files are not searched
	Store       bool  // files in which something matches are kept whole
	Expressions []Expression
}

// Expression is matched at the start of every line.
type Expression struct {
	Name  string
	re    *pattern.Regexp
	needs [][]byte
}

// expressionText is how an expression goes from one process to another.
type expressionText struct{ Name, Regexp string }

// MarshalJSON writes the text that UnmarshalJSON compiles again.
func (e Expression) MarshalJSON() ([]byte, error) {
	return json.Marshal(expressionText{e.Name, e.re.String()})
}

func (e *Expression) UnmarshalJSON(raw []byte) error {
	var t expressionText
	err := json.Unmarshal(raw, &t)
	if err == nil {
		*e, err = expression(t.Name + "=" + t.Regexp)
	}
	return err
}

// may reports whether a folded text contains all that the expression needs.
func (e *Expression) may(folded []byte) bool {
	for _, need := range e.needs {
		if !bytes.Contains(folded, need) {
			return false
		}
	}
	return true
}

// secrets are the expressions of the secret search where none are given.
var secrets = []string{
	`AWS_ACCESS_KEY=(?i).*aws_access_key_id( *=+ *).*(?<![A-Z0-9])[A-Z0-9]{20}(?![A-Z0-9]).*`,
	`AWS_SECRET_KEY=(?i).*aws_secret_access_key( *=+ *).*(?<![A-Za-z0-9/+=])[A-Za-z0-9/+=]{40}(?![A-Za-z0-9/+=]).*`,
	`PRIV_KEY=(?i)-+BEGIN(.*)PRIVATE KEY-+`,
	`DOCKER_AUTH=(?i).*"auth": *".+"`,
	`API_KEY=(?i).*api(-|_)key( *=+ *).*(?<![A-Z0-9])[A-Z0-9]{20,60}(?![A-Z0-9]).*`,
}

// Default is what an analyzer without a file of settings does.
func Default() *Settings {
	s := &Settings{
		Retrieve: Retrieve{Files: []string{"/etc/passwd"}, MaxSize: 1000 << 10},
		Secrets:  Search{MaxSize: 10_000}, Content: Search{MaxSize: 10_000},
		Malware: malware.Settings{Update: true},
	}
	for _, item := range secrets {
		e, err := expression(item)
		if err != nil {
			panic(err) // they are constants, and a test reads them
		}
		s.Secrets.Expressions = append(s.Secrets.Expressions, e)
	}
	return s
}

// expression reads NAME=REGEX.
func expression(item string) (Expression, error) {
	name, text, ok := strings.Cut(item, "=")
	if !ok || name == "" || text == "" {
		return Expression{}, fmt.Errorf("%q is not of the form NAME=REGEX", item)
	}
	re, err := pattern.Compile(text)
	if err != nil {
		return Expression{}, err
	}
	e := Expression{Name: name, re: re}
	for _, need := range re.Needs() {
		e.needs = append(e.needs, []byte(need))
	}
	return e, nil
}

// Read reads the analyzer's file of settings. What it leaves out is as in
// Default; what it names and nobody knows is an error, since a search that was
// misspelled would silently not be made. Errors name the key.
func Read(r io.Reader) (*Settings, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxSettings+1))
	if err != nil {
		return nil, err
	}
	if len(raw) > maxSettings {
		return nil, fmt.Errorf("larger than %d bytes", maxSettings)
	}
	var root yaml.Node
	if err := yaml.Unmarshal(raw, &root); err != nil {
		return nil, fmt.Errorf("not YAML: %w", err)
	}
	s := Default()
	if root.Kind == 0 { // empty
		return s, nil
	}
	return s, keys("", root.Content[0], map[string]reader{
		"retrieve_files": s.Retrieve.read,
		"secret_search":  s.Secrets.read,
		"content_search": s.Content.read,
		"malware":        s.readMalware,
	})
}

// reader reads what stands under a key; at is the key's path, for errors.
type reader func(at string, n *yaml.Node) error

// keys hands the values of a mapping to their readers. Keys without a value
// count as left out.
func keys(at string, n *yaml.Node, known map[string]reader) error {
	if n = target(n); isNull(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return fmt.Errorf("%s: want a mapping", or(at, "file"))
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, target(n.Content[i+1])
		name := strings.TrimPrefix(at+"."+key, ".")
		read, ok := known[key]
		if !ok {
			return fmt.Errorf("%s: no such key", name)
		}
		if isNull(value) {
			continue
		}
		if err := read(name, value); err != nil {
			return err
		}
	}
	return nil
}

// target is the node that an alias stands for.
func target(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

func (r *Retrieve) read(at string, n *yaml.Node) error {
	return keys(at, n, map[string]reader{
		"max_file_size_kb": func(at string, n *yaml.Node) error {
			kb, err := strconv.ParseInt(n.Value, 10, 32)
			if err != nil || kb < 0 || kb > maxFileSize>>10 {
				return fmt.Errorf("%s: want a number from 0 to %d", at, maxFileSize>>10)
			}
			r.MaxSize = kb << 10
			return nil
		},
		"file_list": func(at string, n *yaml.Node) error {
			list, err := texts(at, n, maxFiles)
			if err != nil {
				return err
			}
			r.Files = nil
			for i, file := range list {
				if file = path.Clean("/" + file); file == "/" {
					return fmt.Errorf("%s[%d]: names no file", at, i)
				}
				r.Files = append(r.Files, file)
			}
			return nil
		},
	})
}

func (s *Search) read(at string, n *yaml.Node) error {
	return keys(at, n, map[string]reader{
		"match_params": func(at string, n *yaml.Node) error {
			list, err := texts(at, n, maxExpressions)
			for i := 0; err == nil && i < len(list); i++ {
				if err = s.param(list[i]); err != nil {
					err = fmt.Errorf("%s[%d]: %w", at, i, err)
				}
			}
			return err
		},
		"regexp_match": func(at string, n *yaml.Node) error {
			list, err := texts(at, n, maxExpressions)
			if err != nil {
				return err
			}
			s.Expressions = nil
			for i, item := range list {
				e, err := expression(item)
				if err != nil {
					return fmt.Errorf("%s[%d]: %w", at, i, err)
				}
				s.Expressions = append(s.Expressions, e)
			}
			return nil
		},
	})
}

// param reads one of MAXFILESIZE=n and STOREONMATCH=y|n.
func (s *Search) param(item string) error {
	name, value, _ := strings.Cut(item, "=")
	switch name {
	case "MAXFILESIZE":
		n, err := strconv.ParseInt(value, 10, 64)
		if err != nil || n < 1 || n > maxFileSize {
			return fmt.Errorf("%q: want MAXFILESIZE from 1 to %d", item, maxFileSize)
		}
		s.MaxSize = n
	case "STOREONMATCH":
		if value != "y" && value != "n" {
			return fmt.Errorf("%q: want STOREONMATCH=y or =n", item)
		}
		s.Store = value == "y"
	default:
		return fmt.Errorf("%q: want MAXFILESIZE=BYTES or STOREONMATCH=y", item)
	}
	return nil
}

// readMalware reads the section of malware scanners, of which there is one.
func (s *Settings) readMalware(at string, n *yaml.Node) error {
	return keys(at, n, map[string]reader{"clamav": func(at string, n *yaml.Node) error {
		return keys(at, n, map[string]reader{
			"enabled":           truth(&s.Malware.Enabled),
			"db_update_enabled": truth(&s.Malware.Update),
		})
	}})
}

func truth(into *bool) reader {
	return func(at string, n *yaml.Node) error {
		if err := n.Decode(into); err != nil {
			return fmt.Errorf("%s: want true or false", at)
		}
		return nil
	}
}

// texts reads a list of texts.
func texts(at string, n *yaml.Node, most int) ([]string, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("%s: want a list", at)
	}
	if len(n.Content) > most {
		return nil, fmt.Errorf("%s: %d items: at most %d are taken", at, len(n.Content), most)
	}
	list := make([]string, len(n.Content))
	for i, item := range n.Content {
		if item = target(item); item.Kind != yaml.ScalarNode || isNull(item) {
			return nil, fmt.Errorf("%s[%d]: want a text", at, i)
		}
		list[i] = item.Value
	}
	return list, nil
}

func or(text, other string) string {
	if text == "" {
		return other
	}
	return text
}
