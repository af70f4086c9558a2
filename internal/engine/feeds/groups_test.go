package feeds

import "testing"

func TestGroupOf(t *testing.T) {
	for name, tc := range map[string]struct{ namespace, id, feed, group string }{
		"debian release":        {"debian:distro:debian:12", "CVE-2023-1", "vulnerabilities", "debian:12"},
		"debian unstable":       {"debian:distro:debian:unstable", "CVE-2023-1", "vulnerabilities", "debian:unstable"},
		"red hat is rhel":       {"redhat:distro:redhat:7", "CVE-2023-1", "vulnerabilities", "rhel:7"},
		"an errata channel":     {"redhat:distro:redhat:9.4+eus", "CVE-2023-1", "vulnerabilities", "rhel:9.4+eus"},
		"amazon":                {"amazon:distro:amazonlinux:2", "ALAS-1", "vulnerabilities", "amzn:2"},
		"oracle":                {"oracle:distro:oraclelinux:7", "ELSA-1", "vulnerabilities", "ol:7"},
		"ubuntu":                {"ubuntu:distro:ubuntu:22.04", "CVE-2023-1", "vulnerabilities", "ubuntu:22.04"},
		"alpine":                {"alpine:distro:alpine:3.19", "CVE-2023-1", "vulnerabilities", "alpine:3.19"},
		"nvd by year":           {"nvd:cpe", "CVE-2019-14697", "nvd", "nvddb:2019"},
		"nvd, an odd id":        {"nvd:cpe", "TEMP-0000", "nvd", "nvddb:other"},
		"nvd for a language":    {"nvd:language:java", "CVE-2021-44228", "nvd", "nvddb:2021"},
		"github python":         {"github:language:python", "GHSA-1", "github", "github:python"},
		"github javascript":     {"github:language:javascript", "GHSA-1", "github", "github:npm"},
		"github ruby":           {"github:language:ruby", "GHSA-1", "github", "github:gem"},
		"github php":            {"github:language:php", "GHSA-1", "github", "github:composer"},
		"github dotnet":         {"github:language:dotnet", "GHSA-1", "github", "github:nuget"},
		"go vulnerability list": {"govulndb:language:go", "GO-2022-0001", "govulndb", "govulndb:go"},
		"one word":              {"bitnami", "BIT-1", "bitnami", "bitnami"},
		"nothing":               {"", "X", "unknown", "unknown"},
	} {
		t.Run(name, func(t *testing.T) {
			if feed, group := GroupOf(tc.namespace, tc.id); feed != tc.feed || group != tc.group {
				t.Errorf("GroupOf(%q, %q) = %s, %s, want %s, %s", tc.namespace, tc.id, feed, group, tc.feed, tc.group)
			}
		})
	}
}
