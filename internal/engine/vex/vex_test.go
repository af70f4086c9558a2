package vex

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

var (
	digest = "sha256:" + strings.Repeat("a", 64)
	index  = "sha256:" + strings.Repeat("b", 64)
	config = "sha256:" + strings.Repeat("c", 64)
	other  = "sha256:" + strings.Repeat("d", 64)

	image = Image{
		Digests: []string{digest, index, config}, Arch: "amd64",
		Names: []Name{
			{Registry: "docker.io", Repository: "library/shop", Tag: "1.2", Newest: true},
			{Registry: "docker.io", Repository: "library/shop", Tag: "latest"},
			{Registry: "ghcr.io", Repository: "acme/web/shop", Tag: "1.2", Newest: true},
		},
	}
	day = time.Date(2023, 3, 1, 0, 0, 0, 0, time.UTC)
)

const openssl = "pkg:apk/alpine/openssl@3.0.8-r0?arch=x86_64&distro=alpine-3.17.2"

// marked is the mark of the match CVE-2023-1 in openssl by one statement.
func marked(s Statement) *engine.VEX {
	list := []engine.Match{{PackageKey: "k", Vuln: "CVE-2023-1"}}
	Mark(image, []Statement{s}, list, func(string) string { return openssl })
	return list[0].VEX
}

func product(parts []string, ids ...string) engine.VEXProduct {
	p := engine.VEXProduct{IDs: ids}
	for _, part := range parts {
		p.Parts = append(p.Parts, []string{part})
	}
	return p
}

func TestProducts(t *testing.T) {
	for name, tc := range map[string]struct {
		product engine.VEXProduct
		bound   bool
		want    bool
	}{
		"image by digest":                        {product: product(nil, "pkg:oci/shop@"+strings.Replace(digest, ":", "%3A", 1)), want: true},
		"image by digest under another name":     {product: product(nil, "pkg:oci/mirrored@"+digest+"?repository_url=quay.io/mirror"), want: true},
		"image by the digest of its index":       {product: product(nil, "pkg:oci/shop@"+index), want: true},
		"image by the digest of its config":      {product: product(nil, config), want: true},
		"image by a digest in capitals":          {product: product(nil, "sha256:"+strings.Repeat("A", 64)), want: true},
		"another digest":                         {product: product(nil, "pkg:oci/shop@"+other)},
		"digest of the architecture":             {product: product(nil, "pkg:oci/shop@"+index+"?arch=x86_64"), want: true},
		"digest of another architecture":         {product: product(nil, "pkg:oci/shop@"+index+"?arch=arm64")},
		"an unknown qualifier is not passed by":  {product: product(nil, "pkg:oci/shop@"+digest+"?edition=pro")},
		"name and tag":                           {product: product(nil, "pkg:oci/shop?tag=1.2"), want: true},
		"name and a tag a newer image has":       {product: product(nil, "pkg:oci/shop?tag=latest")},
		"name and another tag":                   {product: product(nil, "pkg:oci/shop?tag=1.3")},
		"name alone":                             {product: product(nil, "pkg:oci/shop"), want: true},
		"another name":                           {product: product(nil, "pkg:oci/bank")},
		"repository":                             {product: product(nil, "pkg:oci/shop?repository_url=ghcr.io/acme/web/shop"), want: true},
		"repository without its last part":       {product: product(nil, "pkg:oci/shop?repository_url=ghcr.io/acme/web"), want: true},
		"repository of the hub":                  {product: product(nil, "pkg:oci/shop?repository_url=index.docker.io/library/shop&tag=1.2"), want: true},
		"another repository":                     {product: product(nil, "pkg:oci/shop?repository_url=ghcr.io/other/shop")},
		"docker by tag":                          {product: product(nil, "pkg:docker/shop@1.2"), want: true},
		"docker by registry":                     {product: product(nil, "pkg:docker/acme/web/shop@1.2?repository_url=ghcr.io"), want: true},
		"docker elsewhere":                       {product: product(nil, "pkg:docker/acme/web/shop@1.2")},
		"docker by digest":                       {product: product(nil, "pkg:docker/shop@"+digest), want: true},
		"reference by tag":                       {product: product(nil, "shop:1.2"), want: true},
		"reference in full":                      {product: product(nil, "ghcr.io/acme/web/shop:1.2"), want: true},
		"reference by digest":                    {product: product(nil, "localhost:5000/x@"+digest), want: true},
		"another reference":                      {product: product(nil, "shop:1.3")},
		"image and its package":                  {product: product([]string{"pkg:apk/alpine/openssl"}, digest), want: true},
		"image and another package":              {product: product([]string{"pkg:apk/alpine/zlib", "opaque"}, digest)},
		"another image and the package":          {product: product([]string{"pkg:apk/alpine/openssl"}, other)},
		"package":                                {product: product(nil, "pkg:apk/alpine/openssl"), want: true},
		"package by version":                     {product: product(nil, "pkg:apk/alpine/openssl@3.0.8-r0"), want: true},
		"package by qualifier":                   {product: product(nil, "pkg:apk/alpine/openssl?arch=x86_64"), want: true},
		"package of another version":             {product: product(nil, "pkg:apk/alpine/openssl@3.0.9-r0")},
		"package of another qualifier":           {product: product(nil, "pkg:apk/alpine/openssl?arch=arm64")},
		"package of another namespace":           {product: product(nil, "pkg:apk/wolfi/openssl")},
		"package of another type":                {product: product(nil, "pkg:deb/alpine/openssl")},
		"package in capitals":                    {product: product(nil, "pkg:apk/Alpine/OpenSSL"), want: true},
		"package below":                          {product: product(nil, "pkg:apk/alpine/openssl#sub")},
		"part of another package":                {product: product([]string{"pkg:apk/alpine/openssl"}, "pkg:golang/acme/shop")},
		"package, said of its part":              {product: product([]string{"pkg:golang/acme/lib"}, "pkg:apk/alpine/openssl"), want: true},
		"one of two names":                       {product: product(nil, "https://acme.example/shop", "pkg:apk/alpine/openssl"), want: true},
		"a name that says nothing":               {product: product(nil, "https://acme.example/shop")},
		"no name":                                {product: product(nil)},
		"bound: a name that says nothing":        {product: product(nil, "https://acme.example/shop"), bound: true, want: true},
		"bound: part of what says nothing":       {product: product([]string{"pkg:apk/alpine/openssl"}, "https://acme.example/shop"), bound: true, want: true},
		"bound: other part of what says nothing": {product: product([]string{"pkg:apk/alpine/zlib"}, "https://acme.example/shop"), bound: true},
		"bound: part of another package":         {product: product([]string{"pkg:apk/alpine/openssl"}, "pkg:golang/acme/shop"), bound: true, want: true},
		"bound: another package":                 {product: product(nil, "pkg:apk/alpine/zlib"), bound: true},
		"bound: another image":                   {product: product(nil, other), bound: true},
		"bound: no name":                         {product: product(nil), bound: true},
		"bound: unresolved part":                 {product: engine.VEXProduct{IDs: []string{"shop"}, Parts: [][]string{nil}}, bound: true},
	} {
		t.Run(name, func(t *testing.T) {
			s := Statement{Bound: tc.bound, VEXStatement: engine.VEXStatement{
				Vulns: []string{"CVE-2023-1"}, Status: engine.VEXNotAffected, Products: []engine.VEXProduct{tc.product},
			}}
			if got := marked(s) != nil; got != tc.want {
				t.Errorf("marked = %v, want %v", got, tc.want)
			}
		})
	}
}

// said is a statement of the image as a whole.
func said(status engine.VEXStatus, at int, ids ...string) Statement {
	return Statement{Document: "d", VEXStatement: engine.VEXStatement{
		Vulns: ids, Status: status, At: day.AddDate(0, 0, at), Products: []engine.VEXProduct{product(nil, digest)},
	}}
}

func TestWhichCounts(t *testing.T) {
	const yes, no, fixed, open = engine.VEXAffected, engine.VEXNotAffected, engine.VEXFixed, engine.VEXInvestigating
	for name, tc := range map[string]struct {
		vuln string
		cves []string
		list []Statement
		want engine.VEXStatus
	}{
		"none":                                   {vuln: "CVE-1", list: []Statement{said(no, 1, "CVE-2")}},
		"the id":                                 {vuln: "CVE-1", list: []Statement{said(no, 1, "CVE-1")}, want: no},
		"the id in other letters":                {vuln: "GHSA-abcd-1234-wxyz", list: []Statement{said(no, 1, "ghsa-ABCD-1234-wxyz")}, want: no},
		"an alias":                               {vuln: "CVE-1", list: []Statement{said(no, 1, "GHSA-1", "CVE-1")}, want: no},
		"the CVE of an advisory":                 {vuln: "GHSA-1", cves: []string{"CVE-1"}, list: []Statement{said(no, 1, "CVE-1")}, want: no},
		"one CVE of an erratum of two":           {vuln: "ELSA-1", cves: []string{"CVE-1", "CVE-2"}, list: []Statement{said(no, 1, "CVE-1")}},
		"both CVEs of an erratum":                {vuln: "ELSA-1", cves: []string{"CVE-1", "CVE-2"}, list: []Statement{said(no, 1, "CVE-1"), said(fixed, 2, "CVE-2")}, want: fixed},
		"one CVE of two is affected":             {vuln: "ELSA-1", cves: []string{"CVE-1", "CVE-2"}, list: []Statement{said(yes, 1, "CVE-1"), said(no, 2, "CVE-2")}, want: yes},
		"the erratum itself":                     {vuln: "ELSA-1", cves: []string{"CVE-1", "CVE-2"}, list: []Statement{said(no, 1, "ELSA-1")}, want: no},
		"the erratum, and later one of its CVEs": {vuln: "ELSA-1", cves: []string{"CVE-1", "CVE-2"}, list: []Statement{said(no, 1, "ELSA-1"), said(yes, 2, "CVE-2")}, want: yes},
		"the later":                              {vuln: "CVE-1", list: []Statement{said(no, 2, "CVE-1"), said(yes, 1, "CVE-1")}, want: no},
		"the later, the other way":               {vuln: "CVE-1", list: []Statement{said(no, 1, "CVE-1"), said(open, 2, "CVE-1")}, want: open},
		"the later by alias":                     {vuln: "GHSA-1", cves: []string{"CVE-1"}, list: []Statement{said(no, 1, "GHSA-1"), said(yes, 2, "CVE-1")}, want: yes},
		"a later one on something else": {vuln: "CVE-1", list: []Statement{said(no, 1, "CVE-1"), {VEXStatement: engine.VEXStatement{
			Vulns: []string{"CVE-1"}, Status: yes, At: day.AddDate(1, 0, 0), Products: []engine.VEXProduct{product(nil, other)},
		}}}, want: no},
		"of one time, the later document": {vuln: "CVE-1", list: []Statement{
			uploaded(said(no, 1, "CVE-1"), 2, 1), uploaded(said(yes, 1, "CVE-1"), 1, 2),
		}, want: no},
		"of one document, the later statement": {vuln: "CVE-1", list: []Statement{
			uploaded(said(no, 1, "CVE-1"), 1, 2), uploaded(said(yes, 1, "CVE-1"), 1, 1),
		}, want: no},
	} {
		t.Run(name, func(t *testing.T) {
			list := []engine.Match{{PackageKey: "k", Vuln: tc.vuln, CVEs: tc.cves}}
			Mark(image, tc.list, list, func(string) string { return openssl })
			var got engine.VEXStatus
			if list[0].VEX != nil {
				got = list[0].VEX.Status
			}
			if got != tc.want {
				t.Errorf("status = %q, want %q", got, tc.want)
			}
		})
	}
}

func uploaded(s Statement, day, place int) Statement {
	s.UploadedAt, s.Place = time.Date(2024, 1, day, 0, 0, 0, 0, time.UTC), place
	return s
}

func TestPlaced(t *testing.T) {
	for name, tc := range map[string]struct {
		product        engine.VEXProduct
		unbound, bound bool
	}{
		"image":                {product(nil, digest), true, true},
		"package":              {product(nil, openssl), true, true},
		"opaque":               {product(nil, "https://acme.example/shop"), false, true},
		"image, opaque part":   {product([]string{"lib"}, digest), false, false},
		"opaque, package part": {product([]string{openssl}, "shop"), false, true},
		"nothing":              {product(nil), false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if Placed(tc.product, false) != tc.unbound || Placed(tc.product, true) != tc.bound {
				t.Errorf("placed = %v, bound %v; want %v, %v", Placed(tc.product, false), Placed(tc.product, true), tc.unbound, tc.bound)
			}
		})
	}
}

// BenchmarkMark marks 5,000 matches by 10,000 statements, each of ten packages
// of which one may be the match's.
func BenchmarkMark(b *testing.B) {
	var list []Statement
	for i := range 10_000 {
		s := Statement{Document: "d", VEXStatement: engine.VEXStatement{Place: i + 1, Status: engine.VEXNotAffected, At: day, Vulns: []string{fmt.Sprintf("CVE-2023-%d", i/2)}}}
		for j := range 10 {
			s.Products = append(s.Products, product(nil, fmt.Sprintf("pkg:deb/debian/package-%d?distro=debian-12", i+j)))
		}
		list = append(list, s)
	}
	var matches []engine.Match
	for i := range 5_000 {
		matches = append(matches, engine.Match{PackageKey: fmt.Sprint(i), Vuln: fmt.Sprintf("CVE-2023-%d", i)})
	}
	for b.Loop() {
		Mark(image, list, matches, func(key string) string {
			return "pkg:deb/debian/package-" + key + "@1.0-1?arch=amd64&distro=debian-12"
		})
	}
}
