package registry

import (
	"testing"
	"time"
)

var laterNow = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func TestReadLater(t *testing.T) {
	for header, want := range map[string]time.Duration{
		"":                                  0,
		"0":                                 0,
		"-5":                                0,
		"soon":                              0,
		"120":                               2 * time.Minute,
		" 7 ":                               7 * time.Second,
		"99999999":                          maxLater,
		"99999999999999999999999999":        0, // no number of any use
		"Wed, 04 Mar 2026 05:07:07 GMT":     time.Minute,
		"Wed, 04 Mar 2026 05:05:07 GMT":     0,
		"Fri, 04 Mar 2033 05:05:07 GMT":     maxLater,
		"Wednesday, 04-Mar-26 05:07:07 GMT": time.Minute,
	} {
		if got := readLater(header, laterNow); got != want {
			t.Errorf("readLater(%q) = %v, want %v", header, got, want)
		}
	}
}

func FuzzReadLater(f *testing.F) {
	for _, seed := range []string{"", "120", "-1", "Wed, 04 Mar 2026 05:07:07 GMT", "9223372036854775807"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if d := readLater(header, laterNow); d < 0 || d > maxLater {
			t.Errorf("readLater(%q) = %v", header, d)
		}
	})
}
