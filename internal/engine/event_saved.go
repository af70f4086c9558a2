package engine

import (
	"strings"
	"time"
	"unicode/utf8"
)

// SavedFilter is a filter of the list of events that a user keeps under a name.
type SavedFilter struct {
	ID        int64
	Name      string
	Query     string // of the page's address, with the question mark
	CreatedAt time.Time
}

// Bounds of what a user may save.
const (
	MaxSavedFilters    = 50 // of one user in one account
	maxSavedFilterName = 60
)

// SavedFilterName checks a name and gives it as it is kept.
func SavedFilterName(name string) (string, error) {
	name = strings.Join(strings.Fields(name), " ")
	switch {
	case name == "":
		return "", Invalidf("A saved filter needs a name.")
	case utf8.RuneCountInString(name) > maxSavedFilterName:
		return "", Invalidf("The name of a filter has at most %d characters.", maxSavedFilterName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return "", Invalidf("The name of a filter is plain text.")
	}
	return name, nil
}
