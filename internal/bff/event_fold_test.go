package bff

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// The rows of all pages are the runs of the list, each event in one of them,
// whatever the sizes of pages cut through.
func TestFoldEvents(t *testing.T) {
	long := strings.Repeat("a", 2500)
	tests := map[string]struct {
		list string // one letter an event: the same letter, the same event
		size int
		want string // of each page
	}{
		"nothing":                  {"", 3, ""},
		"no repeats":               {"abc", 3, "a1 b1 c1"},
		"more than a page":         {"abcd", 3, "a1 b1 c1|d1"},
		"repeats":                  {"aabbbc", 3, "a2 b3 c1"},
		"apart is not a run":       {"aba", 3, "a1 b1 a1"},
		"a run beyond the page":    {"abccccccdef", 3, "a1 b1 c6|d1 e1 f1"},
		"the last run is cut not":  {"abcccc", 3, "a1 b1 c4"},
		"in large steps":           {"x" + long + "bcd", 4, "x1 a2500 b1 c1|d1"},
		"more than a page reads":   {strings.Repeat("a", foldMost+7) + "b", 3, "a10000+|a7 b1"},
		"ends with a page's reads": {strings.Repeat("a", foldMost), 3, "a10000"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			page := func(cursor string, limit int) (engine.EventList, error) {
				from, _ := strconv.Atoi(cursor)
				to := min(from+limit, len(tc.list))
				var l engine.EventList
				for i := from; i < to; i++ {
					l.Events = append(l.Events, engine.Event{ID: fmt.Sprint(i), Type: tc.list[i : i+1], At: time.Unix(int64(-i), 0)})
				}
				if to < len(tc.list) {
					l.Next = strconv.Itoa(to)
				}
				return l, nil
			}
			var pages []string
			for cursor, more := "", true; more; {
				rows, l, err := foldEvents(cursor, tc.size, page)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, r := range rows {
					got = append(got, fmt.Sprint(r.First.Type, r.Count, strings.Repeat("+", map[bool]int{true: 1}[r.More])))
					for i := range tc.list {
						e := engine.Event{ID: fmt.Sprint(i), Type: tc.list[i : i+1], At: time.Unix(int64(-i), 0)}
						first, _ := strconv.Atoi(r.First.ID)
						if in := i >= first && i < first+r.Count; in != r.Run().Holds(e) {
							t.Fatalf("event %d of the run that begins with %d: %v", i, first, !in)
						}
					}
				}
				pages = append(pages, strings.Join(got, " "))
				cursor, more = l.Next, l.Next != ""
			}
			if got := strings.Join(pages, "|"); got != tc.want {
				t.Errorf("pages %s, want %s", got, tc.want)
			}
		})
	}
}
