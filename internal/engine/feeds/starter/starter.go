// Package starter is the small vulnerability database that a console can show
// something with on a machine without any network. It holds public facts of
// well-known vulnerabilities: their ids, what they affect and what fixes them.
// It is far from complete and labelled as what it is wherever its records show.
// The first real data that is synced takes its place.
//
// Made for these packages, in versions that the facts apply to:
//
//	Debian 12    glibc 2.36-9+deb12u1, openssl 3.0.9-1, curl 7.88.1-10, libwebp 1.2.4-0.2,
//	             nghttp2 1.52.0-1, openssh 1:9.2p1-2, expat 2.5.0-1, nginx 1.22.1-9, perl 5.36.0-7,
//	             tar 1.34+dfsg-1.2, zlib 1:1.2.13.dfsg-1
//	Alpine 3.19  openssl 3.1.4-r2, busybox 1.36.1-r15, curl 8.5.0-r0, expat 2.5.0-r2,
//	             musl 1.2.4_git20230717-r4
//	npm          lodash 4.17.15, minimist 1.2.5, express 4.17.1, axios 0.21.0, qs 6.7.0, ws 7.4.0, semver 7.3.5
//	PyPI         requests 2.19.1, urllib3 1.24.1, pyyaml 5.3, jinja2 2.10, django 3.2.4, certifi 2022.9.24
//	Maven        org.apache.logging.log4j:log4j-core 2.14.1
package starter

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/feeds"
	"windlass/internal/engine/feeds/build"
)

// Source is what the starter data calls its origin.
const Source = feeds.StarterSource

// built is when the facts were last looked over.
var built = time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)

type fact struct {
	id, alias, severity, cvss, ecosystem, pkg, affected, fixed, text string
}

// importer is what installs an archive.
type importer interface {
	ImportArchive(ctx context.Context, r io.Reader, trigger, source, want string, flush bool) (engine.FeedSync, error)
}

// Install makes the starter database and brings it into use through the same
// steps as any other. It is for a console without data: it takes the place of
// what is in use, so its caller asks first whether anything is.
func Install(ctx context.Context, to importer) error {
	dir, err := os.MkdirTemp("", "windlass-starter-")
	if err != nil {
		return fmt.Errorf("starter data: %w", err)
	}
	defer os.RemoveAll(dir)
	l, err := build.Archive(dir, Database())
	if err != nil {
		return fmt.Errorf("starter data: %w", err)
	}
	f, err := os.Open(filepath.Join(dir, l.Path))
	if err != nil {
		return fmt.Errorf("starter data: %w", err)
	}
	defer f.Close()
	if _, err := to.ImportArchive(ctx, f, feeds.Starter, Source, l.Checksum, false); err != nil {
		return fmt.Errorf("starter data: %w", err)
	}
	return nil
}

// Database is the starter data.
func Database() build.Database {
	d := build.Database{Built: built, Exploited: exploited}
	for _, f := range debian {
		d.Records = append(d.Records, f.distro("debian", "debian:12", "deb", "https://security-tracker.debian.org/tracker/"))
	}
	for _, f := range alpine {
		d.Records = append(d.Records, f.distro("alpine", "alpine:3.19", "apk", "https://security.alpinelinux.org/vuln/"))
	}
	for _, f := range languages {
		d.Records = append(d.Records, build.Record{
			Provider: "github", ID: f.id, Severity: f.severity, Description: f.text, Aliases: []string{f.alias},
			URL:     "https://github.com/advisories/" + f.id,
			Affects: []build.Affected{{Ecosystem: f.ecosystem, Package: f.pkg, Constraint: f.affected, Fixed: f.fixed}},
		})
	}
	for _, f := range debian { // whose scores are NVD's
		d.Records = append(d.Records, build.Record{
			Provider: "nvd", ID: f.id, CVSS: f.cvss, Description: f.text, URL: "https://nvd.nist.gov/vuln/detail/" + f.id,
		})
	}
	return d
}

func (f fact) distro(provider, release, ecosystem, tracker string) build.Record {
	return build.Record{
		Provider: provider, ID: f.id, Severity: f.severity, Description: f.text, URL: tracker + f.id,
		Affects: []build.Affected{{OS: release, Ecosystem: ecosystem, Package: f.pkg, Fixed: f.fixed}},
	}
}
