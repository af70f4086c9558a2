package remote

import (
	"encoding/json"
	"strconv"
	"time"

	"windlass/internal/engine"
)

// stamp is a time on the wire: text, in most places, seconds in some, null for
// never. What is no time is never, too: a list is of use without it.
type stamp struct{ time.Time }

// UnmarshalJSON reads any of the forms.
func (s *stamp) UnmarshalJSON(raw []byte) error {
	s.Time = time.Time{}
	if n, err := strconv.ParseFloat(string(raw), 64); err == nil {
		if n > 0 && n < 1e11 {
			s.Time = time.UnixMilli(int64(n * 1000)).UTC()
		}
		return nil
	}
	var text string
	if json.Unmarshal(raw, &text) == nil && text != "" {
		if t, err := engine.ParseTime(text); err == nil && t.Year() > 1 {
			s.Time = t
		}
	}
	return nil
}

// wireTime writes a moment as v1 takes it in queries.
func wireTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000000Z") }
