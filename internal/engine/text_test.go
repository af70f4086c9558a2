package engine

import "testing"

func TestText(t *testing.T) {
	for _, tc := range []struct {
		in   string
		most int
		want string
	}{
		{"plain", 10, "plain"},
		{"too long", 3, "too"},
		{"a\x00b\xffc", 10, "a\uFFFDb\uFFFDc"},
		{"aé", 2, "a"},
		{"日本", 4, "日"},
		{"日本", 6, "日本"},
		{"", 0, ""},
	} {
		if got := Text(tc.in, tc.most); got != tc.want {
			t.Errorf("Text(%q, %d) = %q, want %q", tc.in, tc.most, got, tc.want)
		}
	}
}
