// Package search looks into the files of an image for what the analyzer's
// settings ask for: files to keep whole, lines that look like secrets, lines
// that match the operator's own expressions. What it finds becomes three
// documents of the image, in the form in which the v1 API shows them and the
// rules of policies read them.
//
// Settings, names and contents of files are foreign, so everything is bounded:
// bytes of a file, of a line, lines of a finding, bytes of a document, time of
// one match and of all. When a bound is met, the search goes on or ends with
// what it has, and Notes says so: an image must not escape its analysis by
// being hard to search.
//
// Most files of most images hold nothing. A file is folded to small letters
// once, and an expression is only tried on lines that contain all the texts
// which it cannot match without.
package search

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/pattern"
)

const (
	maxFound  = 8 << 20  // bytes, about, of the findings of one search
	maxKept   = 16 << 20 // bytes of files kept because they were asked for, and the same of those that matched
	maxNumber = 1000     // lines named for one expression in one file
	maxLine   = 1 << 20  // bytes of a line that are looked at
	maxTime   = time.Minute

	// maxStrikes is how often an expression may run out of the time of one
	// match before it is left out for the rest of the image.
	maxStrikes = 4
)

// kept is an element of the document retrieved_files.
type kept struct {
	Path string `json:"path"`
	Body []byte `json:"b64_content"`
}

// finding is an element of the documents of both searches.
type finding struct {
	Path    string  `json:"path"`
	Matches []match `json:"matches"`
}

type match struct {
	Name  string `json:"name"`
	Regex string `json:"regex"`
	Lines []int  `json:"lines"` // counted from zero
}

// Finder gathers what is found in one image. It is for one goroutine.
type Finder struct {
	settings *Settings
	until    time.Time
	budget   *pattern.Budget
	searches [2]state // secrets, content
	kept     []kept
	asked    int // bytes kept of files that were asked for
	matched  int // and of those kept for what is in them
	fold     []byte
	line     []byte
	notes    []string
	over     bool // no time is left
}

// state is one search under way.
type state struct {
	name    string
	conf    *Search
	found   []finding
	size    int
	strikes []int // by expression
	full    bool
}

// NewFinder begins with an image. Its time runs from here.
func (s *Settings) NewFinder() *Finder { return s.finder(maxTime) }

func (s *Settings) finder(d time.Duration) *Finder {
	return &Finder{
		settings: s, until: time.Now().Add(d), budget: pattern.NewBudget(d),
		searches: [2]state{
			{name: engine.DocSecrets, conf: &s.Secrets, strikes: make([]int, len(s.Secrets.Expressions))},
			{name: engine.DocContentSearch, conf: &s.Content, strikes: make([]int, len(s.Content.Expressions))},
		},
	}
}

// Retrieves are the paths of files to keep whole.
func (f *Finder) Retrieves() []string { return f.settings.Retrieve.Files }

// Keeps reports whether a file that is to be kept whole is small enough.
func (f *Finder) Keeps(size int64) bool { return size <= f.settings.Retrieve.MaxSize }

// Searches reports whether a file of that size is to be searched.
func (f *Finder) Searches(size int64) bool {
	if f.over || size == 0 {
		return false
	}
	for i := range f.searches {
		if s := &f.searches[i]; len(s.conf.Expressions) > 0 && !s.full && size <= s.conf.MaxSize {
			return true
		}
	}
	return false
}

// Keep stores a file that was asked for.
func (f *Finder) Keep(path string, body []byte) { f.keep(path, body, &f.asked) }

func (f *Finder) keep(path string, body []byte, spent *int) {
	if *spent += len(body) + len(path); *spent > maxKept {
		f.note("files to keep are too large together: the rest is left out")
		return
	}
	f.kept = append(f.kept, kept{path, slices.Clone(body)})
}

// Search looks through the lines of one file.
func (f *Finder) Search(path string, body []byte) {
	if time.Now().After(f.until) {
		f.stop()
	}
	f.fold = pattern.Fold(f.fold[:0], body)
	for i := range f.searches {
		s := &f.searches[i]
		if f.over || s.full || int64(len(body)) > s.conf.MaxSize {
			continue
		}
		if list := f.matches(s, body); len(list) > 0 {
			f.add(s, finding{path, list})
			if s.conf.Store {
				f.keep(path, body, &f.matched)
			}
		}
	}
}

// candidate is an expression that may match in a file.
type candidate struct {
	Expression
	at    int // among the search's
	lines []int
}

// matches tries those expressions on a file that may match at all.
func (f *Finder) matches(s *state, body []byte) []match {
	var tries []candidate
	for i, e := range s.conf.Expressions {
		if s.strikes[i] < maxStrikes && e.may(f.fold) {
			tries = append(tries, candidate{Expression: e, at: i})
		}
	}
	if len(tries) == 0 {
		return nil
	}
	n := 0
	for text := range strings.Lines(string(body)) {
		text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
		text = text[:min(len(text), maxLine)]
		f.line = pattern.Fold(f.line[:0], []byte(text))
		for i := range tries {
			c := &tries[i]
			if len(c.lines) < maxNumber && s.strikes[c.at] < maxStrikes && c.may(f.line) && f.try(s, c, text) {
				c.lines = append(c.lines, n)
			}
		}
		if f.over {
			break
		}
		n++
	}
	var list []match
	for _, c := range tries {
		if len(c.lines) > 0 {
			list = append(list, match{c.Name, c.re.String(), c.lines})
		}
	}
	return list
}

// try matches one line. An expression that takes too long for it gets a strike.
func (f *Finder) try(s *state, c *candidate, text string) bool {
	ok, err := c.re.MatchStart(f.budget, text)
	switch {
	case err == nil:
		return ok
	case errors.Is(err, pattern.ErrBudget) && time.Now().After(f.until):
		f.stop()
	default:
		if s.strikes[c.at]++; s.strikes[c.at] == maxStrikes {
			f.note(fmt.Sprintf("%s: expression %s takes too long and is left out", s.name, c.Name))
		}
	}
	return false
}

// stop ends the search for want of time.
func (f *Finder) stop() {
	if !f.over {
		f.over = true
		f.note("the time for searching is over: the rest of the files is left out")
	}
}

func (f *Finder) add(s *state, found finding) {
	size := len(found.Path) + 64
	for _, m := range found.Matches {
		size += len(m.Name) + len(m.Regex) + 8*len(m.Lines) + 32
	}
	if s.size+size > maxFound {
		s.full = true
		f.note(s.name + ": too much is found: the rest is left out")
		return
	}
	s.size += size
	s.found = append(s.found, found)
}

func (f *Finder) note(text string) {
	if !slices.Contains(f.notes, text) {
		f.notes = append(f.notes, text)
	}
}

// Notes says which bounds were met.
func (f *Finder) Notes() []string { return f.notes }

// Documents are what was found, by the names under which images keep it; empty
// lists where there is nothing, so that a search that found nothing can be told
// from one that was not made.
func (f *Finder) Documents() (map[string][]byte, error) {
	slices.SortFunc(f.kept, func(a, b kept) int { return strings.Compare(a.Path, b.Path) })
	// A file that was asked for may also have been kept for what is in it.
	f.kept = slices.CompactFunc(f.kept, func(a, b kept) bool { return a.Path == b.Path })
	lists := map[string]any{engine.DocRetrieved: orEmpty(f.kept)}
	for _, s := range f.searches {
		slices.SortFunc(s.found, func(a, b finding) int { return cmp.Compare(a.Path, b.Path) })
		lists[s.name] = orEmpty(s.found)
	}
	docs := make(map[string][]byte, len(lists))
	for name, list := range lists {
		doc, err := json.Marshal(list)
		if err != nil {
			return nil, fmt.Errorf("document %s: %w", name, err)
		}
		docs[name] = doc
	}
	return docs, nil
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
