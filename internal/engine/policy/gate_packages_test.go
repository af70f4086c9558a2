package policy

import (
	"testing"

	"windlass/internal/engine"
)

func examplePackages() *Image {
	return &Image{
		Distro: "debian", DistroVersion: "12",
		Packages: []engine.Package{
			{Name: "openssl", Version: "3.0.11-1~deb12u2", Type: "dpkg", Class: "os", Path: "pkgdb", Licenses: []string{"Apache-2.0"}},
			{Name: "bash", Version: "5.2-15", Type: "dpkg", Class: "os", Path: "pkgdb", Licenses: []string{"GPL-3+ BSD"}},
			{Name: "rails", Version: "7.0.1", Type: "gem", Class: "gem", Path: "/gems/rails.gemspec", Licenses: []string{"MIT"}},
			{Name: "rails", Version: "6.1.0", Type: "gem", Class: "gem", Path: "/old/rails.gemspec"},
			{Name: "rake", Version: "13.0.6", Type: "gem", Class: "gem", Path: "/gems/rake.gemspec", Licenses: []string{"MIT"}},
			{Name: "left-pad", Version: "1.3.0", Type: "npm", Class: "npm", Path: "/app/node_modules/left-pad/package.json", Licenses: []string{"WTFPL"}},
		},
	}
}

func tryPackagesRequired(t *testing.T, run runner) {
	rpm := &Image{Distro: "rocky", Packages: []engine.Package{{Name: "bash", Version: "5.1.8-6.el9", Type: "rpm"}}}
	apk := &Image{Distro: "alpine", Packages: []engine.Package{{Name: "musl", Version: "1.2.4-r2", Type: "apkg"}}}
	odd := &Image{Distro: "alpine", Packages: []engine.Package{{Name: "musl", Version: "not a version", Type: "apkg"}}}
	minimum := func(name, version string) []string {
		return []string{"name", name, "version", version, "version_match_type", "minimum"}
	}
	run(t, "packages", "required_package", examplePackages(), map[string]check{
		"there":              {params: []string{"name", "bash"}},
		"absent":             {params: []string{"name", "zsh"}, want: []string{"Wanted package zsh is absent"}},
		"absent version":     {params: []string{"name", "zsh", "version", "1"}, want: []string{"Wanted package zsh (1) is absent"}},
		"exact":              {params: []string{"name", "bash", "version", "5.2-15", "version_match_type", "exact"}},
		"not exact":          {params: []string{"name", "bash", "version", "5.2"}, want: []string{"Wanted package bash (5.2) is installed in version 5.2-15"}},
		"first of that name": {params: []string{"name", "rails", "version", "6.1.0"}, want: []string{"Wanted package rails (6.1.0) is installed in version 7.0.1"}},
		"minimum":            {params: minimum("openssl", "3.0.11-1~deb12u1")},
		"tilde is lower":     {params: minimum("openssl", "3.0.11-1"), want: []string{"Wanted package openssl (3.0.11-1) is installed in the lower version 3.0.11-1~deb12u2"}},
		"epoch is higher":    {params: minimum("bash", "1:0.1"), want: []string{"Wanted package bash (1:0.1) is installed in the lower version 5.2-15"}},
		"minimum of a gem":   {params: minimum("rake", "13.0.10"), want: []string{"Wanted package rake (13.0.10) is installed in the lower version 13.0.6"}},
		"minimum, rpm":       {params: minimum("bash", "5.1.8-6.el9"), image: rpm},
		"lower, rpm":         {params: minimum("bash", "5.1.8-10.el9"), image: rpm, want: []string{"Wanted package bash (5.1.8-10.el9) is installed in the lower version 5.1.8-6.el9"}},
		"minimum, apk":       {params: minimum("musl", "1.2.4-r1"), image: apk},
		"lower, apk":         {params: minimum("musl", "1.2.4-r10"), image: apk, want: []string{"Wanted package musl (1.2.4-r10) is installed in the lower version 1.2.4-r2"}},
		"not comparable":     {params: minimum("musl", "1.2.4-r1"), image: odd, want: []string{"Wanted package musl (1.2.4-r1) is installed in the lower version not a version"}},
	})
}

func TestFlavour(t *testing.T) {
	tests := map[string]struct {
		packageType string
		image       Image
		want        string
	}{
		"its own":             {"rpm", Image{Distro: "debian"}, "rpm"},
		"of the distribution": {"gem", Image{Distro: "alpine"}, "apkg"},
		"of a like one":       {"gem", Image{Distro: "opensuse", Like: "suse, opensuse"}, "rpm"},
		"unknown":             {"gem", Image{}, "dpkg"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := flavour(tc.packageType, &tc.image); got != tc.want {
				t.Errorf("got %s, want %s", got, tc.want)
			}
		})
	}
}

func tryPackagesBlacklist(t *testing.T, run runner) {
	run(t, "packages", "blacklist", examplePackages(), map[string]check{
		"each of that name":       {params: []string{"name", "rails"}, want: []string{"Unwanted package rails is installed in version 7.0.1", "Unwanted package rails is installed in version 6.1.0"}},
		"version":                 {params: []string{"name", "rails", "version", "6.1.0"}, want: []string{"Unwanted package rails (6.1.0) is installed in version 6.1.0"}},
		"version without release": {params: []string{"name", "openssl", "version", "3.0.11"}, want: []string{"Unwanted package openssl (3.0.11) is installed in version 3.0.11-1~deb12u2"}},
		"version with release":    {params: []string{"name", "openssl", "version", "3.0.11-1~deb12u2"}},
		"another version":         {params: []string{"name", "rails", "version", "5"}},
		"absent":                  {params: []string{"name", "zsh"}},
	})
}

func tryPackagesVerify(t *testing.T, run runner) {
	img := &Image{
		Files: []engine.File{
			{Path: "/usr/bin/a", Mode: "00755", SHA256: "aa", Size: 10, Type: "file"},
			{Path: "/usr/bin/b", Mode: "00755", SHA256: "bb", Size: 10, Type: "file"},
			{Path: "/usr/bin/c", Mode: "00700", SHA256: "cc", Size: 10, Type: "file"},
			{Path: "/usr/bin/d", Mode: "00755", SHA256: "dd", Size: 11, Type: "file"},
			{Path: "/etc/conf", Mode: "00600", SHA256: "ee", Size: 1, Type: "file"},
			{Path: "/usr/lib/link", Mode: "00777", Type: "slink"},
			{Path: "/usr/lib/md5", Mode: "00644", SHA256: "ff", Size: 3, Type: "file"},
			{Path: "/usr/lib/other", Mode: "00644", SHA256: "ff", Size: 3, Type: "file"},
			{Path: "/bin", Mode: "00777", Link: "usr/bin", Type: "slink"},
			{Path: "/loop", Mode: "00777", Link: "/loop/x", Type: "slink"},
		},
		Records: []Record{
			{Package: "good", Path: "/usr/bin/a", Algorithm: "sha256", Digest: "AA", Mode: "0100755", Size: 10},
			{Package: "bad", Path: "/usr/bin/b", Algorithm: "sha256", Digest: "00", Size: -1},
			{Package: "bad", Path: "/usr/bin/c", Mode: "755", Size: -1},
			{Package: "bad", Path: "/usr/bin/d", Size: 10},
			{Package: "bad", Path: "/etc/conf", Digest: "00", Algorithm: "sha256", Size: 99, Config: true},
			{Package: "good", Path: "/usr/lib/link", Size: 5, Mode: "0777"},
			{Package: "good", Path: "/usr/lib/md5", Algorithm: "md5", Digest: "99", Size: 3},
			{Package: "bad", Path: "/usr/lib/other", Algorithm: "md5", Digest: "99", Found: "77", Size: 3},
			{Package: "good", Path: "/bin/a", Algorithm: "sha256", Digest: "aa", Size: 10},
			{Package: "good", Path: "/run/ghost", Size: 0, Ghost: true},
			{Package: "gone", Path: "/loop/x/y", Size: -1},
			{Package: "gone", Path: "/usr/lib/gone", Size: -1},
			{Package: "gone", Path: "/etc/gone.conf", Size: -1, Config: true},
		},
	}
	b, c, d := "Package bad: file /usr/bin/b is changed", "Package bad: file /usr/bin/c is changed", "Package bad: file /usr/bin/d is changed"
	other, loop := "Package bad: file /usr/lib/other is changed", "Package gone: file /loop/x/y is missing"
	gone, conf := "Package gone: file /usr/lib/gone is missing", "Package gone: file /etc/gone.conf is missing"
	run(t, "packages", "verify", img, map[string]check{
		"all":         {want: []string{b, c, d, other, loop, gone, conf}},
		"changed":     {params: []string{"check", "changed"}, want: []string{b, c, d, other}},
		"missing":     {params: []string{"check", "missing"}, want: []string{loop, gone, conf}},
		"packages":    {params: []string{"only_packages", "good, gone"}, want: []string{loop, gone, conf}},
		"directories": {params: []string{"only_directories", "/usr/lib/,/etc"}, want: []string{other, gone, conf}},
		"a prefix":    {params: []string{"only_directories", "/usr/li, /etc/gone"}, want: []string{other, gone, conf}},
		"no prefix":   {params: []string{"only_directories", "usr/lib,/lib"}},
		"none wrong":  {params: []string{"only_packages", "good"}},
	})
}

func tryFeedGates(t *testing.T, run runner) {
	img := examplePackages()
	img.Feeds = map[string]PackageFeed{"gem": {Synced: true, Packages: map[string]FeedPackage{
		"rails": {Latest: "7.0.1", Versions: []string{"7.0.1", "5.0.0"}},
	}}}
	unknown := examplePackages()
	unknown.Feeds = map[string]PackageFeed{"gem": {Synced: true, Packages: map[string]FeedPackage{"other": {Latest: "1"}}}}
	run(t, "ruby_gems", "newer_version_found_in_feed", img, map[string]check{
		"fires":   {want: []string{"Package (gem) rails is installed in version 6.1.0, the feed has 7.0.1"}},
		"no feed": {image: examplePackages()},
	})
	run(t, "ruby_gems", "not_found_in_feed", img, map[string]check{
		"fires":              {want: []string{"Package (gem) rake is not known to the feed"}},
		"none known at all":  {image: unknown},
		"no feed":            {image: examplePackages()},
		"no gems":            {image: &Image{Feeds: img.Feeds}},
		"all gems are known": {image: &Image{Feeds: img.Feeds, Packages: img.Packages[2:3]}},
	})
	run(t, "ruby_gems", "version_not_found_in_feed", img, map[string]check{
		"fires":   {want: []string{"Package (gem) rails is installed in version 6.1.0, which the feed does not know"}},
		"no feed": {image: examplePackages()},
	})
	run(t, "ruby_gems", "blacklist", img, map[string]check{
		"any version":     {params: []string{"name", "rake"}, want: []string{"Package (gem) rake is unwanted"}},
		"version":         {params: []string{"name", "rails", "version", "6.1.0"}, want: []string{"Package (gem) rails is unwanted in version 6.1.0"}},
		"another version": {params: []string{"name", "rails", "version", "1"}},
		"not a gem":       {params: []string{"name", "bash"}},
	})
	run(t, "ruby_gems", "feed_data_unavailable", img, map[string]check{
		"synced": {},
		"never":  {image: examplePackages(), want: []string{"The packages feed has no data for the group gem"}},
	})
	npm := examplePackages()
	npm.Feeds = map[string]PackageFeed{"npm": {Synced: true, Packages: map[string]FeedPackage{"left-pad": {Latest: "2.0.0", Versions: []string{"2.0.0"}}}}}
	npm.Packages = append(npm.Packages, engine.Package{Name: "mine", Version: "1", Type: "npm"})
	run(t, "npms", "newer_version_in_feed", npm, map[string]check{
		"fires": {want: []string{"Package (npm) left-pad is installed in version 1.3.0, the feed has 2.0.0"}},
		"none":  {image: img},
	})
	run(t, "npms", "unknown_in_feeds", npm, map[string]check{
		"fires": {want: []string{"Package (npm) mine is not known to the feed"}},
		"none":  {image: img},
	})
	run(t, "npms", "version_not_in_feeds", npm, map[string]check{
		"fires": {want: []string{"Package (npm) left-pad is installed in version 1.3.0, which the feed does not know"}},
		"none":  {image: img},
	})
	run(t, "npms", "blacklisted_name_version", npm, map[string]check{
		"any version":     {params: []string{"name", "left-pad"}, want: []string{"Package (npm) left-pad is unwanted"}},
		"version":         {params: []string{"name", "left-pad", "version", "1.3.0"}, want: []string{"Package (npm) left-pad is unwanted in version 1.3.0"}},
		"another version": {params: []string{"name", "left-pad", "version", "1.3"}},
		"another type":    {params: []string{"name", "rails"}},
	})
	run(t, "npms", "feed_data_unavailable", npm, map[string]check{
		"synced": {},
		"never":  {image: img, want: []string{"The packages feed has no data for the group npm"}},
	})
}

func tryLicenses(t *testing.T, run runner) {
	run(t, "licenses", "blacklist_exact_match", examplePackages(), map[string]check{
		"once for all":   {params: []string{"licenses", "MIT, BSD"}, want: []string{"Packages have unwanted licences: bash(BSD), rails(MIT), rake(MIT)"}},
		"a word of text": {params: []string{"licenses", "GPL-3+"}, want: []string{"Packages have unwanted licences: bash(GPL-3+)"}},
		"part of a word": {params: []string{"licenses", "GPL"}},
		"by case":        {params: []string{"licenses", "mit"}},
	})
	run(t, "licenses", "blacklist_partial_match", examplePackages(), map[string]check{
		"part of a word": {params: []string{"licenses", "GPL"}, want: []string{"Packages have unwanted licences: bash(GPL-3+)"}},
		"several":        {params: []string{"licenses", "PL, Apache"}, want: []string{"Packages have unwanted licences: bash(GPL-3+), left-pad(WTFPL), openssl(Apache-2.0)"}},
		"none":           {params: []string{"licenses", "AGPL"}},
		"blank items":    {params: []string{"licenses", "AGPL, , X"}},
	})
}
