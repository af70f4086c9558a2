package engine

import (
	"regexp"
	"strings"
	"time"
)

// timeLayouts are the ways in which people and clients write a moment. One
// without a zone is UTC.
var timeLayouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999",
	"2006-01-02T15:04Z07:00",
	"2006-01-02T15:04",
	"2006-01-02T15",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999 Z07:00",
	"2006-01-02 15:04:05.999999999 MST",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02 15:04",
	"2006-01-02",
	"2006-01",
	"2006/01/02 15:04:05",
	"2006/01/02",
	"20060102T150405Z0700",
	"20060102T150405",
	"20060102",
	"2 Jan 2006 15:04:05",
	"2 Jan 2006",
	"Jan 2 2006 15:04:05",
	"Jan 2 2006",
	"Jan 2, 2006",
	time.RFC1123,
	time.RFC1123Z,
	time.ANSIC,
	time.UnixDate,
}

// lostPlus is a zone whose plus a query string has turned into a space.
var lostPlus = regexp.MustCompile(`(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?) (\d\d:?\d\d)$`)

// shortZone is an offset without minutes or without a colon.
var shortZone = regexp.MustCompile(`(:\d\d(?:\.\d+)?)([+-]\d\d):?(\d\d)?$`)

// ParseTime reads any usual date or date-time text, as UTC.
func ParseTime(text string) (time.Time, error) {
	s := strings.TrimSpace(text)
	if len(s) > 64 {
		s = ""
	}
	s = lostPlus.ReplaceAllString(s, "$1+$2")
	if m := shortZone.FindStringSubmatchIndex(s); m != nil && m[6] < 0 {
		s += ":00"
	} else if m != nil {
		s = s[:m[5]] + ":" + s[m[6]:]
	}
	for _, l := range timeLayouts {
		t, err := time.Parse(l, s)
		if err == nil && t.Year() > 0 {
			return t.UTC(), nil
		}
	}
	return time.Time{}, Invalidf("%.80q is not a date or time: write it like 2020-01-02 or 2020-01-02T03:04:05Z", text)
}
