package feeds

import "strings"

// Names of the feeds that the contract knows; a further provider of the data is
// a feed of its own name.
const (
	FeedVulnerabilities = "vulnerabilities"
	FeedNVD             = "nvd"
	FeedGitHub          = "github"
)

// GroupOf says in which feed and group a record is listed, from the namespace
// the matcher gives it and the record's id. Counting and matching both ask it,
// so a match always names a group that the list of feeds has.
//
//	debian:distro:debian:12   vulnerabilities  debian:12
//	redhat:distro:redhat:8    vulnerabilities  rhel:8
//	nvd:cpe                   nvd              nvddb:2019 (year of the id)
//	github:language:python    github           github:python
//	govulndb:language:go      govulndb         govulndb:go
func GroupOf(namespace, id string) (feed, group string) {
	parts := strings.SplitN(strings.ToLower(namespace), ":", 4)
	provider := parts[0]
	if provider == "" {
		provider = "unknown"
	}
	switch {
	case len(parts) == 4 && parts[1] == "distro":
		return FeedVulnerabilities, distro(parts[2]) + ":" + parts[3]
	case provider == FeedNVD:
		return FeedNVD, "nvddb:" + year(id)
	case len(parts) >= 3 && parts[1] == "language":
		return provider, provider + ":" + ecosystem(strings.Join(parts[2:], ":"))
	case len(parts) >= 2:
		return provider, provider + ":" + strings.Join(parts[1:], ":")
	}
	return provider, provider
}

// distro is the name v1 gives a distribution the matcher calls otherwise.
func distro(name string) string {
	switch name {
	case "redhat":
		return "rhel"
	case "amazonlinux", "amazon":
		return "amzn"
	case "oraclelinux", "oracle":
		return "ol"
	case "rockylinux":
		return "rocky"
	}
	return name
}

// ecosystem is the name v1 gives a language whose packages have a registry.
func ecosystem(language string) string {
	switch language {
	case "javascript":
		return "npm"
	case "ruby":
		return "gem"
	case "php":
		return "composer"
	case "dotnet":
		return "nuget"
	}
	return language
}

// year of a CVE id; "other" for an id that carries none.
func year(id string) string {
	f := strings.SplitN(id, "-", 3)
	if len(f) < 3 || !strings.EqualFold(f[0], "CVE") || len(f[1]) != 4 || strings.Trim(f[1], "0123456789") != "" {
		return "other"
	}
	return f[1]
}
