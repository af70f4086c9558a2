package logs

import (
	"errors"
	"slices"
	"testing"
	"time"

	"windlass/internal/engine"
)

// TestSurroundings gives the lines beside a match, of the same log and in
// either direction of reading, each once.
func TestSurroundings(t *testing.T) {
	s := open(t, Options{})
	write(t, s.dir, engine.Catalog, 100, 40, time.Second, func(i int) string {
		if i == 20 || i == 22 || i == 60 {
			return "ERROR"
		}
		return "INFO"
	})
	write(t, s.dir, engine.Analyzer, 200, 500, 500*time.Millisecond, info) // written between
	around := []int{18, 19, 20, 21, 22, 23, 24, 58, 59, 60, 61, 62}
	tests := map[string]struct {
		q    engine.LogQuery
		want []int
	}{
		"backward":          {engine.LogQuery{}, around},
		"forward":           {engine.LogQuery{Oldest: true}, around},
		"with a limit":      {engine.LogQuery{Limit: 1}, []int{58, 59, 60, 61, 62}},
		"within bounds":     {engine.LogQuery{Since: began.Add(19 * time.Second), Before: began.Add(24 * time.Second)}, []int{19, 20, 21, 22, 23}},
		"of nothing at all": {engine.LogQuery{Text: "nothing"}, nil},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			tc.q.Level, tc.q.Context = "error", 2
			p := tailOf(t, s, tc.q)
			if got := numbers(p.Lines); !slices.Equal(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
			for _, l := range p.Lines {
				if l.Service != engine.Catalog || l.Context == (l.Level == "error") {
					t.Errorf("line %+v", l)
				}
			}
		})
	}
	var got []int
	err := s.Follow(t.Context(), engine.LogQuery{Level: "error", Context: 2, Services: []string{engine.Catalog}}, engine.LogCursor{catalog: {}}, func(f engine.LogFrame) error {
		if got = append(got, numbers(f.Lines)...); len(got) >= len(around) {
			return errEnough
		}
		return nil
	})
	if !errors.Is(err, errEnough) || !slices.Equal(got, around) {
		t.Errorf("followed: %v, %v, want %v", err, got, around)
	}
}
