package evaluation

import (
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// sources are the distributions whose records those of another are matched
// with, as the matcher does it.
var sources = map[string][]string{
	"centos": {"centos", "rhel"}, "redhat": {"rhel"}, "rhel": {"rhel"}, "rocky": {"rocky", "rhel"}, "almalinux": {"almalinux", "rhel"},
	"amazonlinux": {"amzn"}, "oraclelinux": {"ol"}, "opensuse-leap": {"opensuse-leap", "opensuse", "sles"},
	"raspbian": {"debian"}, "alpaquita": {"alpaquita", "alpine"},
}

// vulnData tells what data there is for a distribution: that of its release in
// the list of feeds, however the release is written there.
func vulnData(groups []engine.FeedGroup, distro, version string) policy.VulnData {
	distro = strings.ToLower(distro)
	names := sources[distro]
	if names == nil {
		names = []string{distro}
	}
	at := make(map[string]time.Time, len(groups))
	for _, g := range groups {
		at[g.Name] = g.LastSync
	}
	for _, name := range names {
		for _, release := range releases(version) {
			if synced, ok := at[name+":"+release]; ok {
				return policy.VulnData{Exists: !synced.IsZero(), Oldest: synced}
			}
		}
	}
	return policy.VulnData{}
}

// releases are the ways in which a feed may name the release of a version,
// the closest first: 3.19.1, 3.19, 3; rolling for those that have none.
func releases(version string) []string {
	version = strings.ToLower(version)
	list := []string{version}
	for {
		i := strings.LastIndexAny(version, "._-")
		if i < 0 {
			break
		}
		version = version[:i]
		list = append(list, version)
	}
	return append(list, "rolling")
}
