package registry

import (
	"slices"
	"strings"

	"windlass/internal/engine"
)

// Choice is the credential that is used for an image, and why: what the
// registries page answers when it is asked about a name.
type Choice struct {
	Registry engine.Registry // zero when Found is false: anonymous
	Found    bool
	Why      string
}

// Choose picks the credential for registry/repository: of all that match, the
// one with the longest name. Records that tie keep the order they came in.
func Choose(creds []engine.Registry, host, repository string) Choice {
	sorted := slices.Clone(creds)
	slices.SortStableFunc(sorted, func(a, b engine.Registry) int { return len(b.Name) - len(a.Name) })
	full := host + "/" + repository
	for _, c := range sorted {
		if why, ok := matches(c.Name, host, full); ok {
			return Choice{Registry: c, Found: true, Why: why}
		}
	}
	return Choice{Why: "no stored registry matches: the image is asked for anonymously"}
}

func matches(name, host, full string) (why string, ok bool) {
	switch prefix, wild := strings.CutSuffix(name, "*"); {
	case wild:
		return "the image's name begins with " + prefix, strings.HasPrefix(full, prefix)
	case strings.Contains(name, "/"):
		return "it names this repository", name == full
	default:
		return "it names this registry", name == host
	}
}
