package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

func vulnerabilitiesGate() *gate {
	return &gate{
		name:  "vulnerabilities",
		about: "Looks at the known vulnerabilities of the packages of the image, and at the data they are known from.",
		triggers: []*trigger{
			{
				name:    "package",
				about:   "Fires for each vulnerability of a package that satisfies all conditions given.",
				params:  vulnerabilityParams(),
				needs:   FactMatches,
				compile: compileVulnerability,
			},
			{
				name:  "stale_feed_data",
				about: "Fires when the vulnerability data for the distribution of the image are older than so many days.",
				params: []param{
					{name: "max_days_since_sync", about: "The days since the last sync that are still well.", example: "10", required: true, is: integer()},
				},
				needs:   FactVulnData,
				compile: fires(compileStale),
			},
			{
				name:  "vulnerability_data_unavailable",
				about: "Fires when there are no vulnerability data for the distribution of the image.",
				needs: FactVulnData,
				compile: plain(func(c *context, emit func(hit)) error {
					if !c.image.VulnData.Exists {
						emit(hit{
							message: fmt.Sprintf("There are no vulnerability data for the distribution of the image: %s", distribution(c.image)),
							why:     Why{Record: distribution(c.image)},
						})
					}
					return nil
				}),
			},
			{
				name:  "blacklist",
				about: "Fires once when the image has any of the vulnerabilities in the list.",
				params: []param{
					{name: "vulnerability_ids", about: "The ids of the unwanted vulnerabilities.", example: "CVE-2019-1234", required: true, is: commaList()},
					{name: "vendor_only", about: "Leave out what the vendor says it will not fix.", example: "true", is: boolean()},
				},
				needs:   FactMatches,
				compile: fires(compileUnwantedIDs),
			},
		},
	}
}

func distribution(img *Image) string {
	if img.DistroVersion == "" {
		return img.Distro
	}
	return img.Distro + ":" + img.DistroVersion
}

// comparisons are the operators of scores and severities.
var comparisons = []string{"=", "!=", "<", ">", "<=", ">="}

// vulnerabilityParams are v1's twenty in their order, then this engine's own:
// clients know parameters by their places too.
func vulnerabilityParams() []param {
	list := []param{
		{name: "package_type", about: "Which packages to look at: those of the distribution, the others, or all.", example: "all", required: true, is: enum("all", "os", "non-os")},
		{name: "severity_comparison", about: "How the severity is compared. By default it must be greater.", example: ">", is: enum(comparisons...)},
		{name: "severity", about: "The severity to compare with. By default unknown.", example: "high", is: enum(severities...)},
	}
	score := func(name, of string) {
		list = append(list,
			param{name: name + "_comparison", about: fmt.Sprintf("How the %s is compared. By default it must be greater or equal.", of), example: ">=", is: enum(comparisons...)},
			param{name: name, about: fmt.Sprintf("The %s to compare with.", of), is: float()})
	}
	score("cvss_v3_base_score", "CVSS v3 base score")
	score("cvss_v3_exploitability_score", "CVSS v3 exploitability score")
	score("cvss_v3_impact_score", "CVSS v3 impact score")
	list = append(list,
		param{name: "fix_available", about: "Whether there must be a version with a fix, or must not be.", example: "true", is: boolean()},
		param{name: "vendor_only", about: "Leave out what the vendor says it will not fix. By default true.", example: "true", is: boolean()},
		param{name: "max_days_since_creation", about: "Fire only when the vulnerability was found in the image at least so many days ago.", example: "7", is: integer()},
		param{name: "max_days_since_fix", about: "Fire only when a fix has been known for at least so many days. Has a meaning only when fix_available is true.", example: "30", is: integer()})
	score("vendor_cvss_v3_base_score", "vendor's CVSS v3 base score")
	score("vendor_cvss_v3_exploitability_score", "vendor's CVSS v3 exploitability score")
	score("vendor_cvss_v3_impact_score", "vendor's CVSS v3 impact score")
	list = append(list,
		param{name: "package_path_exclude", about: "Leave out packages, other than those of the distribution, whose path matches this regular expression from its start.", example: ".*/test/.*", is: anyText()},
		param{name: "known_exploited", about: "Whether the vulnerability must be known to be exploited, or must not be.", example: "true", is: boolean()})
	score("epss_score", "EPSS probability, from 0 to 1,")
	return list
}

func compileStale(a args) firing {
	days := number(a["max_days_since_sync"])
	return func(c *context, emit func(hit)) error {
		oldest := c.image.VulnData.Oldest
		switch {
		case oldest.IsZero():
			emit(hit{
				message: fmt.Sprintf("It is not known when the vulnerability data for the distribution of the image were fetched: %s", distribution(c.image)),
				why:     Why{Record: distribution(c.image)},
			})
		case daysBetween(oldest, c.now) > float64(days):
			emit(hit{
				message: fmt.Sprintf("The vulnerability data for the distribution of the image are older than %d days", days),
				why:     Why{Record: distribution(c.image), Version: oldest.UTC().Format(time.RFC3339), Against: fmt.Sprintf("%d days", days)},
			})
		}
		return nil
	}
}

// daysBetween counts in floating point, since a rule may allow more days than
// a duration can hold.
func daysBetween(from, to time.Time) float64 { return dayCount(from.Unix(), to.Unix()) }

func dayCount(from, to int64) float64 { return float64(to-from) / (24 * 60 * 60) }

func compileUnwantedIDs(a args) firing {
	ids, vendorOnly := items(a["vulnerability_ids"]), a["vendor_only"] == "" || truth(a["vendor_only"])
	return func(c *context, emit func(hit)) error {
		var found, packages []string
		for _, id := range ids {
			for _, m := range c.vulnerabilities().named(id) {
				if vendorOnly && m.WillNotFix || m.VEX.clears() {
					continue
				}
				if !slices.Contains(found, id) {
					found = append(found, id)
				}
				if name := m.Package + "-" + m.Version; !slices.Contains(packages, name) {
					packages = append(packages, name)
				}
			}
		}
		if len(found) > 0 {
			emit(hit{
				message: fmt.Sprintf("The image has unwanted vulnerabilities: %s", strings.Join(found, ", ")),
				why:     Why{Record: strings.Join(found, ", "), Package: strings.Join(packages, ", "), Against: a["vulnerability_ids"]},
			})
		}
		return nil
	}
}
