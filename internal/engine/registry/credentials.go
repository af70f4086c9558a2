package registry

import (
	"slices"
	"strings"

	"windlass/internal/engine"
)

// Choose picks the credential for registry/repository: of all that match, the
// one with the longest name. Records that tie keep the order they came in. The
// answer says why, for the page that is asked about a name.
func Choose(creds []engine.Registry, host, repository string) engine.RegistryChoice {
	return choose(inOrder(creds), host, repository)
}

// inOrder is the order in which records are tried: the longest name first.
func inOrder(creds []engine.Registry) []engine.Registry {
	sorted := slices.Clone(creds)
	slices.SortStableFunc(sorted, func(a, b engine.Registry) int { return len(b.Name) - len(a.Name) })
	return sorted
}

func choose(sorted []engine.Registry, host, repository string) engine.RegistryChoice {
	full := host + "/" + repository
	choice := engine.RegistryChoice{Image: full, Why: "no stored registry matches: the image is asked for anonymously"}
	for _, c := range sorted {
		why, ok := matches(c.Name, host, full)
		switch {
		case !ok:
		case choice.Found:
			choice.Others = append(choice.Others, c.Name)
		default:
			choice.Registry, choice.Found, choice.Why = c, true, why
		}
	}
	return choice
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

// rule is how the name of a record is compared, in words.
func rule(name string) string {
	switch prefix, wild := strings.CutSuffix(name, "*"); {
	case wild:
		return "the name in full begins with " + prefix
	case strings.Contains(name, "/"):
		return "the repository is " + name
	default:
		return "the registry is " + name
	}
}

// CheckName refuses what cannot be the name of a stored registry: a host, a
// host and repository, or a prefix of such that ends in *.
func CheckName(name string) error {
	plain := strings.TrimSuffix(name, "*")
	host, path, _ := strings.Cut(plain, "/")
	if !reHost.MatchString(strings.TrimSuffix(host, ".")) || strings.ContainsAny(path, "*@ ") || reOdd.MatchString(plain) || len(name) > maxReference {
		return engine.Invalidf("%q is not a registry: give a host, a host and repository, or a beginning of such followed by *", clip(name))
	}
	return nil
}
