package policy

import (
	"strings"

	apk "github.com/knqyf263/go-apk-version"
	deb "github.com/knqyf263/go-deb-version"
	rpm "github.com/knqyf263/go-rpm-version"

	"windlass/internal/engine"
)

// older reports whether a package is of a lower version than wanted, in the
// order of its kind. Versions that the kind does not know are not compared:
// then the package is not the wanted one, which is the careful answer.
func (c *context) older(p *engine.Package, wanted string) bool {
	switch flavour(p.Type, c.image) {
	case "rpm":
		return rpm.NewVersion(p.Version).LessThan(rpm.NewVersion(wanted))
	case "apkg":
		have, err1 := apk.NewVersion(p.Version)
		want, err2 := apk.NewVersion(wanted)
		return err1 != nil || err2 != nil || have.LessThan(want)
	}
	have, err1 := deb.NewVersion(p.Version)
	want, err2 := deb.NewVersion(wanted)
	return err1 != nil || err2 != nil || have.LessThan(want)
}

// flavour is the kind of version a package has: its own if it is the
// distribution's, else that of the distribution, as v1 compares them.
func flavour(packageType string, img *Image) string {
	switch packageType {
	case "rpm", "apkg", "dpkg":
		return packageType
	}
	for _, name := range append([]string{img.Distro}, strings.Split(img.Like, ",")...) {
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "centos", "rhel", "redhat", "fedora", "rocky", "almalinux", "ol", "amzn", "sles", "suse":
			return "rpm"
		case "alpine":
			return "apkg"
		case "debian", "ubuntu":
			return "dpkg"
		}
	}
	return "dpkg"
}
