package enginetest

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// Files are the regular files of a layer: path -> text.
type Files map[string]string

// Image builds a linux/amd64 image with one layer per set of files.
func Image(t testing.TB, layers ...Files) v1.Image {
	t.Helper()
	img := empty.Image
	for _, files := range layers {
		img = Append(t, img, Tar(t, files))
	}
	cfg, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	cfg = cfg.DeepCopy()
	cfg.Architecture, cfg.OS = "amd64", "linux"
	if img, err = mutate.ConfigFile(img, cfg); err != nil {
		t.Fatal(err)
	}
	return img
}

// Append adds a layer of raw tar bytes to an image.
func Append(t testing.TB, img v1.Image, raw []byte) v1.Image {
	t.Helper()
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil })
	if err != nil {
		t.Fatal(err)
	}
	img, err = mutate.Append(img, mutate.Addendum{Layer: layer, History: v1.History{CreatedBy: "/bin/sh -c #(nop) COPY files /", Created: v1.Time{Time: time.Unix(1700000000, 0).UTC()}}})
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Tar packs files, in the order of their names.
func Tar(t testing.TB, files Files) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: path, Mode: 0o644, Size: int64(len(files[path])), Typeflag: tar.TypeReg, ModTime: time.Unix(1700000000, 0)}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, files[path]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// DebianLike has a dpkg database with the given packages, name -> version.
func DebianLike(t testing.TB, packages map[string]string) v1.Image {
	var status strings.Builder
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		fmt.Fprintf(&status, "Package: %s\nStatus: install ok installed\nPriority: optional\nSection: libs\nInstalled-Size: 42\n"+
			"Maintainer: Some One <one@example.org>\nArchitecture: amd64\nSource: %s-src\nVersion: %s\nDescription: made for a test\n\n", name, name, packages[name])
	}
	return Image(t, Files{
		"etc/os-release":      "PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nNAME=\"Debian GNU/Linux\"\nVERSION_ID=\"12\"\nID=debian\n",
		"var/lib/dpkg/status": status.String(),
	})
}

// AlpineLike has an apk database with the given packages.
func AlpineLike(t testing.TB, packages map[string]string) v1.Image {
	var db strings.Builder
	for _, name := range slices.Sorted(maps.Keys(packages)) {
		fmt.Fprintf(&db, "C:Q1p78yvTLG094tHE1+dToJGbmYzQE=\nP:%s\nV:%s\nA:x86_64\nS:1000\nI:4096\nT:made for a test\nU:https://example.org\nL:MIT\no:%s\nm:Some One <one@example.org>\n\n", name, packages[name], name)
	}
	return Image(t, Files{
		"etc/os-release":       "ID=alpine\nVERSION_ID=3.11.5\nNAME=\"Alpine Linux\"\n",
		"lib/apk/db/installed": db.String(),
	})
}

// NodePython has one npm and one Python package and no distribution.
func NodePython(t testing.TB) v1.Image {
	return Image(t, Files{
		"app/node_modules/lodash/package.json":                             `{"name":"lodash","version":"4.17.15","license":"MIT","author":"Some One"}`,
		"usr/lib/python3/dist-packages/requests-2.20.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: requests\nVersion: 2.20.0\nAuthor: Some One\nLicense: Apache 2.0\n",
		"usr/lib/python3/dist-packages/requests-2.20.0.dist-info/RECORD":   "requests/__init__.py,,\n",
	})
}
