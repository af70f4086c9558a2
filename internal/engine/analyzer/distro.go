package analyzer

import (
	"bytes"
	"context"
	"io"
	"regexp"
	"strings"

	"github.com/anchore/syft/syft/linux"

	"windlass/internal/engine"
)

// What an image is called that does not tell, and its version.
const (
	unknownDistro  = "Unknown"
	unknownVersion = "0"
)

// identify names the distribution as v1 does, which goes by what the image
// writes about itself and not by what else is known of the release: syft calls
// a Debian of 12 by its point release.
func identify(ctx context.Context, fs *rootfs) (name, version string, err error) {
	text, err := fs.read(ctx, maxRelease, "etc/os-release", "usr/lib/os-release", "etc/system-release-cpe", "etc/redhat-release", "etc/debian_version")
	if err != nil {
		return "", "", err
	}
	for _, at := range []string{"etc/os-release", "usr/lib/os-release"} {
		if name, version = osRelease(text[at]); name != "" {
			if name == "debian" && version == "" {
				version = debianVersion(text["etc/debian_version"])
			}
			return name, or(version, unknownVersion), nil
		}
	}
	if name, version = systemRelease(text["etc/system-release-cpe"]); name != "" {
		return name, or(version, unknownVersion), nil
	}
	if name, version = redhatRelease(text["etc/redhat-release"]); name != "" {
		return name, or(version, unknownVersion), nil
	}
	if text, err = fs.read(ctx, maxBusybox, "bin/busybox"); err != nil {
		return "", "", err
	}
	if v := reBusybox.FindSubmatch(text["bin/busybox"]); v != nil {
		return "busybox", string(v[1]), nil
	}
	return unknownDistro, unknownVersion, nil
}

const (
	maxRelease = 64 << 10
	maxBusybox = 16 << 20
)

// osRelease reads ID and VERSION_ID of a file of assignments, as a shell does.
func osRelease(text []byte) (id, version string) {
	for line := range bytes.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), "=")
		value = strings.Trim(strings.TrimSpace(value), `"'`)
		switch strings.TrimSpace(key) {
		case "ID":
			id = strings.ToLower(value)
		case "VERSION_ID":
			version = value
		}
	}
	return shown(id), shown(version)
}

// debianVersion is the release of a Debian whose os-release tells none: the
// major number, or unstable for what is not released.
func debianVersion(text []byte) string {
	v := strings.TrimSpace(string(text))
	if strings.Contains(v, "sid") {
		return "unstable"
	}
	major, _, _ := strings.Cut(v, ".")
	if reNumber.MatchString(major) {
		return major
	}
	return ""
}

// systemRelease reads cpe:/o:centos:linux:6:GA.
func systemRelease(text []byte) (name, version string) {
	parts := strings.Split(strings.TrimSpace(string(text)), ":")
	if len(parts) < 5 || parts[0] != "cpe" {
		return "", ""
	}
	if name = strings.ToLower(parts[2]); name == "redhat" {
		name = "rhel"
	}
	return shown(name), shown(parts[4])
}

// redhatRelease reads CentOS release 6.10 (Final).
func redhatRelease(text []byte) (name, version string) {
	m := reRelease.FindStringSubmatch(strings.TrimSpace(string(text)))
	if m == nil {
		return "", ""
	}
	name = strings.ToLower(m[1])
	for prefix, id := range map[string]string{"red hat": "rhel", "oracle": "ol", "amazon": "amzn"} {
		if strings.HasPrefix(name, prefix) {
			return id, m[2]
		}
	}
	name, _, _ = strings.Cut(name, " ")
	return shown(name), m[2]
}

var (
	reBusybox = regexp.MustCompile(`BusyBox (v[0-9][0-9.]*[0-9])`)
	reNumber  = regexp.MustCompile(`^[0-9]{1,6}$`)
	reRelease = regexp.MustCompile(`(?i)^([a-z][a-z ]{0,60}?) release ([0-9][0-9.]{0,20})`)
)

// shown is a name that can be stored and shown; empty for what is none.
func shown(text string) string {
	if len(text) > 100 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return ""
	}
	return text
}

// read reads files by their paths, through links, those that are there and not
// too large.
func (fs *rootfs) read(ctx context.Context, most int64, paths ...string) (map[string][]byte, error) {
	named := map[*entry][]string{}
	for _, p := range paths {
		if e := fs.tree.behind(p); e != nil && e.size <= most {
			named[e] = append(named[e], p)
		}
	}
	found := map[string][]byte{}
	if len(named) == 0 {
		return found, nil
	}
	for _, l := range fs.layers {
		err := eachFile(ctx, l, func(e *entry) bool { return named[e] != nil }, func(r io.Reader, e *entry) error {
			body, err := io.ReadAll(io.LimitReader(r, most))
			for _, p := range named[e] {
				found[p] = body
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// distro names the distribution of an image that was analyzed elsewhere, of
// which there is no more than its SBOM.
func distro(r *linux.Release) (name, version string) {
	if r == nil {
		return unknownDistro, unknownVersion
	}
	name = engine.Text(or(r.ID, strings.ToLower(r.Name), unknownDistro), maxText)
	version = engine.Text(or(r.VersionID, r.Version), maxText)
	if version == "" && (r.VersionCodename == "sid" || strings.Contains(r.PrettyName, "/sid")) {
		version = "unstable"
	}
	return name, or(version, unknownVersion)
}
