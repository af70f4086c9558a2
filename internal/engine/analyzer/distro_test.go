package analyzer

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// tree is a file system of one layer: files by path, and links as "-> target".
func tree(t *testing.T, files map[string]string) *rootfs {
	t.Helper()
	name := filepath.Join(t.TempDir(), "layer")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(f)
	for path, body := range files {
		h := &tar.Header{Name: path, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(body))}
		if to, ok := strings.CutPrefix(body, "-> "); ok {
			h.Typeflag, h.Linkname, h.Size, body = tar.TypeSymlink, to, 0, ""
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, body); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	if f, err = os.Open(name); err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var list []entry
	for r := tar.NewReader(f); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, entryOf(h))
	}
	layers := []unpacked{{file: name, entries: list}}
	root, ok := squash(layers, 1000)
	if !ok {
		t.Fatal("the layer is not laid down")
	}
	return &rootfs{tree: root, layers: layers}
}

func TestIdentify(t *testing.T) {
	const debian = "ID=debian\n"
	for name, tc := range map[string]struct {
		files map[string]string
		want  string
	}{
		"quotes":                     {map[string]string{"etc/os-release": "NAME=\"x\"\nID=\"rocky\"\nVERSION_ID='9.4'\nID_LIKE=\"rhel centos\"\n"}, "rocky 9.4"},
		"a release, not its point":   {map[string]string{"etc/os-release": debian + "VERSION_ID=\"12\"\n", "etc/debian_version": "12.15\n"}, "debian 12"},
		"through a link":             {map[string]string{"etc/os-release": "-> ../usr/lib/os-release", "usr/lib/os-release": "ID=ubuntu\nVERSION_ID=\"24.04\"\n"}, "ubuntu 24.04"},
		"only below usr":             {map[string]string{"usr/lib/os-release": "ID=alpine\nVERSION_ID=3.20.3\n"}, "alpine 3.20.3"},
		"folders are links":          {map[string]string{"etc": "-> /usr/etc", "usr/etc/os-release": "ID=wolfi\nVERSION_ID=20230201"}, "wolfi 20230201"},
		"debian without a version":   {map[string]string{"etc/os-release": debian, "etc/debian_version": "11.7\n"}, "debian 11"},
		"debian that is not out":     {map[string]string{"etc/os-release": debian, "etc/debian_version": "trixie/sid\n"}, "debian unstable"},
		"debian of a name":           {map[string]string{"etc/os-release": debian, "etc/debian_version": "kali-rolling\n"}, "debian 0"},
		"rolling":                    {map[string]string{"etc/os-release": "ID=arch\nBUILD_ID=rolling\n"}, "arch 0"},
		"no id goes on":              {map[string]string{"etc/os-release": "NAME=x\n", "etc/system-release-cpe": "cpe:/o:centos:linux:6:GA\n"}, "centos 6"},
		"cpe of red hat":             {map[string]string{"etc/system-release-cpe": "cpe:/o:redhat:enterprise_linux:7.9:GA:server\n"}, "rhel 7.9"},
		"not a cpe":                  {map[string]string{"etc/system-release-cpe": "x:y", "etc/redhat-release": "CentOS release 5.11 (Final)\n"}, "centos 5.11"},
		"red hat":                    {map[string]string{"etc/redhat-release": "Red Hat Enterprise Linux Server release 6.10 (Santiago)\n"}, "rhel 6.10"},
		"oracle":                     {map[string]string{"etc/redhat-release": "Oracle Linux Server release 7.9\n"}, "ol 7.9"},
		"fedora":                     {map[string]string{"etc/redhat-release": "Fedora release 40 (Forty)\n"}, "fedora 40"},
		"busybox":                    {map[string]string{"bin/busybox": "\x7fELF\x00BusyBox v1.31.1 (2020) multi-call\x00"}, "busybox v1.31.1"},
		"busybox is asked last":      {map[string]string{"bin/busybox": "BusyBox v1.31.1", "etc/os-release": "ID=alpine\nVERSION_ID=3.9\n"}, "alpine 3.9"},
		"a busybox of no version":    {map[string]string{"bin/busybox": "BusyBox"}, "Unknown 0"},
		"nothing":                    {map[string]string{"x": ""}, "Unknown 0"},
		"a link to itself":           {map[string]string{"etc/os-release": "-> os-release"}, "Unknown 0"},
		"links in a ring":            {map[string]string{"etc": "-> lib", "lib": "-> etc"}, "Unknown 0"},
		"a link out is a link in":    {map[string]string{"etc/os-release": "-> ../../../../opt/release", "opt/release": "ID=ol\nVERSION_ID=8"}, "ol 8"},
		"what cannot be shown":       {map[string]string{"etc/os-release": "ID=a\x07b\nVERSION_ID=1\n"}, "Unknown 0"},
		"a version without end":      {map[string]string{"etc/os-release": "ID=x\nVERSION_ID=" + strings.Repeat("1", 1000)}, "x 0"},
		"a file too large to read":   {map[string]string{"etc/os-release": "ID=x\n" + strings.Repeat("#", maxRelease)}, "Unknown 0"},
		"ids are in small letters":   {map[string]string{"etc/os-release": "ID=Debian\nVERSION_ID=12"}, "debian 12"},
		"comments and empty lines":   {map[string]string{"etc/os-release": "# x\n\nID=x\nnonsense\nVERSION_ID=2\n"}, "x 2"},
		"a hidden link to a release": {map[string]string{"etc/os-release": "-> /none"}, "Unknown 0"},
	} {
		t.Run(name, func(t *testing.T) {
			distro, version, err := identify(t.Context(), tree(t, tc.files))
			if got := distro + " " + version; err != nil || got != tc.want {
				t.Errorf("got %s, %v; want %s", got, err, tc.want)
			}
		})
	}
}

func FuzzRelease(f *testing.F) {
	f.Add([]byte("ID=\"debian\"\nVERSION_ID='12'\n"))
	f.Add([]byte("cpe:/o:redhat:enterprise_linux:7.9:GA:server"))
	f.Add([]byte("Red Hat Enterprise Linux Server release 6.10 (Santiago)"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		for _, read := range []func([]byte) (string, string){osRelease, systemRelease, redhatRelease} {
			name, version := read(raw)
			if len(name) > 100 || len(version) > 100 || strings.ContainsAny(name+version, " \n\x00") {
				t.Errorf("%q %q", name, version)
			}
		}
	})
}
