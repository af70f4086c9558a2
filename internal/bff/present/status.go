package present

import (
	"fmt"
	"slices"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// EngineStatus is the whole engine in one pill: ready when every service has
// an instance that is up, degraded with the reason, or down.
func EngineStatus(list []engine.Service, err error) view.Pill {
	if err != nil {
		return view.Pill{Tone: "bad", Text: "Down: the engine does not answer", Href: "/troubleshoot"}
	}
	up := map[string]int{}
	var silent []engine.Service
	for _, s := range list {
		if s.Up() {
			up[s.Name]++
		} else {
			silent = append(silent, s)
		}
	}
	var missing []string
	for _, name := range engine.ServiceNames {
		if up[name] == 0 {
			missing = append(missing, name)
		}
	}
	switch {
	case len(missing) == len(engine.ServiceNames):
		return view.Pill{Tone: "bad", Text: "Down: no service is up", Href: "/troubleshoot"}
	case len(missing) > 0:
		return view.Pill{Tone: "bad", Text: "Degraded: no " + strings.Join(missing, ", no "), Href: "/troubleshoot"}
	case len(silent) == 1:
		return view.Pill{Tone: "warn", Text: fmt.Sprintf("Degraded: %s on %s is %s", silent[0].Name, silent[0].Host, silent[0].State), Href: "/troubleshoot"}
	case len(silent) > 1:
		return view.Pill{Tone: "warn", Text: fmt.Sprintf("Degraded: %d services are not up", len(silent)), Href: "/troubleshoot"}
	}
	return view.Pill{Tone: "ok", Text: "Ready", Href: "/services"}
}

// StatusWithData is the pill of an engine whose services are all up: like
// `system wait`, it is not ready before a feed was synced.
func StatusWithData(ready view.Pill, feeds []engine.Feed) view.Pill {
	if slices.ContainsFunc(feeds, func(f engine.Feed) bool { return !f.LastSync.IsZero() }) {
		return ready
	}
	return view.Pill{Tone: "warn", Text: "Degraded: no vulnerability data", Href: "/feeds"}
}
