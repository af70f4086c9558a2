package bff

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

// maxAround bounds the lines that are shown on each side of a hit.
const maxAround = 50

// logForm reads the viewer's address.
func logForm(c *fiber.Ctx, clock present.Clock) (present.LogForm, error) {
	v, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return present.LogForm{}, engine.Invalidf("The address has a query that cannot be read.")
	}
	return parseLogForm(v, clock)
}

// parseLogForm reads the filters and the place. A moment without a zone is in
// that of the browser.
func parseLogForm(v url.Values, clock present.Clock) (f present.LogForm, err error) {
	f.OneLine = v.Get("oneline") != ""
	f.Query = engine.LogQuery{
		Level: v.Get("level"), Text: v.Get("text"), Regex: v.Get("regex") != "", Invert: v.Get("invert") != "",
	}
	if n := v.Get("context"); n != "" {
		if f.Query.Context, err = strconv.Atoi(n); err != nil || f.Query.Context < 0 || f.Query.Context > maxAround {
			return f, engine.Invalidf("context: expected a number of lines up to %d.", maxAround)
		}
	}
	for _, name := range engine.ServiceNames {
		if slices.Contains(v["service"], name) {
			f.Query.Services = append(f.Query.Services, name)
		}
	}
	for _, host := range v["host"] {
		if host != "" && len(host) < 256 && len(f.Query.Hosts) < engine.MaxLogHosts && !slices.Contains(f.Query.Hosts, host) {
			f.Query.Hosts = append(f.Query.Hosts, host)
		}
	}
	for field, at := range map[string]*time.Time{"at": &f.At, "since": &f.Query.Since, "before": &f.Query.Before} {
		text := v.Get(field)
		if field == "at" && text == "start" {
			f.Query.Oldest = true // from the first line there is
			continue
		}
		if ago, ok := parseAgo(text); ok {
			*at = clock.Now.Add(-ago).Truncate(time.Millisecond)
			if field != "at" {
				if f.Ago == nil {
					f.Ago = map[string]string{}
				}
				f.Ago[field] = text
			}
			continue
		}
		if *at, err = parseMoment(field, text, clock.Zone); err != nil {
			return f, err
		}
	}
	if f.Line, err = engine.ParseLogCursor(v.Get("line")); err != nil {
		return f, err
	}
	if len(f.Line) > 1 {
		return f, engine.Invalidf("line: expected the position of one line.")
	}
	if f.Query.From, err = engine.ParseLogCursor(v.Get("from")); err != nil {
		return f, err
	}
	if f.Query.Until, err = engine.ParseLogCursor(v.Get("until")); err != nil {
		return f, err
	}
	f.Query.Oldest = f.Query.Oldest || f.Query.From != nil
	return f, nil
}

// parseAgo reads a distance from now: 15m, 2h, 7d.
func parseAgo(s string) (time.Duration, bool) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}
	if len(s) < 2 || len(s) > 6 {
		return 0, false
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 32)
	unit := units[s[len(s)-1]]
	return time.Duration(n) * unit, err == nil && unit > 0
}

func parseMoment(field, s string, zone *time.Location) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{"2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, nil
		}
	}
	return time.Time{}, engine.Invalidf("%s: %q is no date and time such as 2026-11-22T21:45:00.", field, s)
}
