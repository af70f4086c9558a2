package present

import "testing"

func TestMatch(t *testing.T) {
	tests := map[string]struct {
		query, title, words string
		better, none        bool // than by another word alone; does not fit at all
	}{
		"the title":              {"events", "Events", "", true, false},
		"how it begins":          {"eve", "Events", "", true, false},
		"a word of it":           {"checks", "Run all checks now", "", true, false},
		"words in any order":     {"feeds sync", "Sync feeds now", "", true, false},
		"other words":            {"tail", "Logs", "tail lines", false, false},
		"within the title":       {"ubleshoot", "Troubleshoot", "", false, false},
		"one word does not fit":  {"sync zebra", "Sync feeds now", "", false, true},
		"within another word":    {"ail", "Logs", "tail lines", false, true},
		"letters apart do not":   {"evs", "Events", "", false, true},
		"a mark is no letter":    {"add an image…", "Add an image…", "", true, false},
		"two letters fit not in": {"ro", "Errors of the last hour", "", false, true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := match(tc.query, tc.title, tc.words)
			if (got == 0) != tc.none || (got >= sureMatch) != tc.better {
				t.Errorf("match(%q, %q, %q) = %d", tc.query, tc.title, tc.words, got)
			}
		})
	}
}
