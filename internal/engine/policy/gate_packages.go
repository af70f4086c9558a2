package policy

import (
	"fmt"
	"strconv"
	"strings"

	"windlass/internal/engine"
)

func packagesGate() *gate {
	return &gate{
		name:  "packages",
		about: "Looks at the packages of the image, of whatever type.",
		triggers: []*trigger{
			{
				name:  "required_package",
				about: "Fires when a wanted package is absent or has the wrong version.",
				params: []param{
					{name: "name", about: "The name of the package.", example: "libssl", required: true, is: anyText()},
					{name: "version", about: "The wanted version.", example: "1.10.3rc3", is: anyText()},
					{name: "version_match_type", about: "Whether the version must be the wanted one or at least that, in the order of the distribution.", example: "exact", is: enum("exact", "minimum")},
				},
				needs:   FactPackages,
				compile: fires(compileRequired),
			},
			{
				name:  "verify",
				about: "Fires for each file that is not as the package database recorded it.",
				params: []param{
					{name: "only_packages", about: "Only the files of these packages.", example: "libssl,openssl", is: commaList()},
					{name: "only_directories", about: "Only files whose path begins with one of these.", example: "/usr,/var/lib", is: commaList()},
					{name: "check", about: "Only this kind of difference.", example: "changed", is: enum("changed", "missing")},
				},
				needs:   FactFiles | FactVerify,
				compile: fires(compileVerify),
			},
			{
				name:  "blacklist",
				about: "Fires for each installed package with an unwanted name.",
				params: []param{
					{name: "name", about: "The name of the package.", example: "openssh-server", required: true, is: anyText()},
					{name: "version", about: "Only this version, without its release.", example: "1.0.1", is: anyText()},
				},
				needs:   FactPackages,
				compile: fires(compileUnwanted),
			},
		},
	}
}

func compileRequired(a args) firing {
	name, version, least := a["name"], a["version"], a["version_match_type"] == "minimum"
	return func(c *context, emit func(hit)) error {
		list := c.packages().named(name)
		if len(list) == 0 {
			emit(hit{message: fmt.Sprintf("Wanted package %s is absent", named(name, version)), why: Why{Record: name, Package: name, Against: version}})
			return nil
		}
		p := list[0]
		switch {
		case version == "" || p.Version == version:
		case !least:
			emit(hit{message: fmt.Sprintf("Wanted package %s is installed in version %s", named(name, version), p.Version), why: packageWhy(p, version)})
		case c.older(p, version):
			emit(hit{message: fmt.Sprintf("Wanted package %s is installed in the lower version %s", named(name, version), p.Version), why: packageWhy(p, version)})
		}
		return nil
	}
}

func named(name, version string) string {
	if version == "" {
		return name
	}
	return name + " (" + version + ")"
}

func compileUnwanted(a args) firing {
	name, version := a["name"], a["version"]
	return func(c *context, emit func(hit)) error {
		for _, p := range c.packages().named(name) {
			if version == "" || version == withoutRelease(p) {
				emit(hit{message: fmt.Sprintf("Unwanted package %s is installed in version %s", named(name, version), p.Version), why: packageWhy(p, version)})
			}
		}
		return nil
	}
}

// withoutRelease is the version of a package without the part that its
// distribution adds.
func withoutRelease(p *engine.Package) string {
	if !engine.OSPackage(p.Type) {
		return p.Version
	}
	if i := strings.LastIndexByte(p.Version, '-'); i > 0 {
		return p.Version[:i]
	}
	return p.Version
}

func compileVerify(a args) firing {
	only, below, check := map[string]bool{}, items(a["only_directories"]), a["check"]
	for _, name := range items(a["only_packages"]) {
		only[name] = true
	}
	return func(c *context, emit func(hit)) error {
		for i := range c.image.Records {
			r := &c.image.Records[i]
			if len(only) > 0 && !only[r.Package] || len(below) > 0 && !within(r.Path, below) {
				continue
			}
			if r.Ghost {
				continue
			}
			status, found, wanted := "missing", "", ""
			if f := c.fileView().through(r.Path); f != nil {
				if status, found, wanted = changed(r, f); status == "" {
					continue
				}
			}
			if check != "" && check != status {
				continue
			}
			emit(hit{
				message: fmt.Sprintf("Package %s: file %s is %s", r.Package, r.Path, status),
				why:     Why{Record: r.Path, Package: r.Package, Path: r.Path, Version: found, Against: wanted},
			})
		}
		return nil
	}
}

// within reports whether a path begins with one of the texts: as in v1, that of
// a directory stands for those whose names begin with it too.
func within(path string, dirs []string) bool {
	for _, dir := range dirs {
		if strings.HasPrefix(path, dir) {
			return true
		}
	}
	return false
}

// changed compares a file with its record by what is known of both. A link has
// no content and no mode of its own.
func changed(r *Record, f *engine.File) (status, found, wanted string) {
	if r.Config || f.Type == "slink" {
		return "", "", ""
	}
	if r.Digest != "" && r.Algorithm == "sha256" && f.SHA256 != "" && !strings.EqualFold(r.Digest, f.SHA256) {
		return "changed", "sha256:" + f.SHA256, "sha256:" + r.Digest
	}
	if r.Found != "" {
		return "changed", r.Algorithm + ":" + r.Found, r.Algorithm + ":" + r.Digest
	}
	if r.Mode != "" && f.Mode != "" && !sameMode(r.Mode, f.Mode) {
		return "changed", "mode " + f.Mode, "mode " + r.Mode
	}
	if r.Size >= 0 && f.Type == "file" && r.Size != f.Size {
		return "changed", strconv.FormatInt(f.Size, 10) + " bytes", strconv.FormatInt(r.Size, 10) + " bytes"
	}
	return "", "", ""
}

// sameMode compares two modes on as many octal digits as the shorter has.
func sameMode(a, b string) bool {
	n := min(len(a), len(b))
	return a[len(a)-n:] == b[len(b)-n:]
}
