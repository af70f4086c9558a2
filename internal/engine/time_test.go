package engine_test

import (
	"errors"
	"testing"
	"time"

	"windlass/internal/engine"
)

func TestParseTime(t *testing.T) {
	day := time.Date(2020, 1, 2, 0, 0, 0, 0, time.UTC)
	at := day.Add(3*time.Hour + 4*time.Minute + 5*time.Second)
	for text, want := range map[string]time.Time{
		"2020-01-02":                      day,
		" 20200102 ":                      day,
		"2020-01-02T03:04:05Z":            at,
		"2020-01-02T03:04:05":             at,
		"2020-01-02 03:04:05":             at,
		"2020-01-02T03:04":                at.Truncate(time.Minute),
		"2020-01-02T03:04:05.123456Z":     at.Add(123456 * time.Microsecond),
		"2020-01-02T05:04:05+02:00":       at,
		"2020-01-02T05:04:05+0200":        at,
		"2020-01-02T05:04:05+02":          at,
		"2020-01-02T05:04:05 02:00":       at, // a plus that a query string turned into a space
		"2020-01-02 05:04:05+02":          at,
		"2020-01-02 03:04:05 UTC":         at,
		"2020-01-01T22:04:05.5-05:00":     at.Add(500 * time.Millisecond),
		"20200102T030405Z":                at,
		"Jan 2, 2020":                     day,
		"2 Jan 2020 03:04:05":             at,
		"Thu, 02 Jan 2020 03:04:05 GMT":   at,
		"Thu, 02 Jan 2020 05:04:05 +0200": at,
	} {
		got, err := engine.ParseTime(text)
		if err != nil || !got.Equal(want) {
			t.Errorf("ParseTime(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "yesterday", "2020-13-01", "2020-01-02T25:00:00Z", "0000-01-01", "1577934245"} {
		if got, err := engine.ParseTime(text); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("ParseTime(%q) = %v, %v; want ErrInvalid", text, got, err)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	f.Add("2020-01-02T03:04:05 02:00")
	f.Add("2020-01-02 05:04:05+02")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := engine.ParseTime(text); err == nil && (got.Year() < 0 || got.Year() > 10000) {
			t.Errorf("ParseTime(%q) = %v", text, got)
		}
	})
}
