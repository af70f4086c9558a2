package sample

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// built is the creation time of everything in the samples: the same program
// always builds the same digests.
var built = time.Date(2024, 1, 15, 9, 0, 0, 0, time.UTC)

// layer is one step of an image: what history says made it, and its files.
type layer struct {
	by    string
	files []file
}

type file struct {
	path string
	mode int64 // 0: 0644
	text string
}

// image is one sample image.
type image struct {
	repository, tag string
	entrypoint      []string
	env             []string
	labels          map[string]string
	layers          []layer
}

// build makes the image as a registry would hold it.
func (i image) build() (v1.Image, error) {
	img := empty.Image
	for _, l := range i.layers {
		raw, err := pack(l.files)
		if err != nil {
			return nil, err
		}
		tl, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw)), nil })
		if err != nil {
			return nil, err
		}
		img, err = mutate.Append(img, mutate.Addendum{Layer: tl, History: v1.History{CreatedBy: l.by, Created: v1.Time{Time: built}}})
		if err != nil {
			return nil, err
		}
	}
	cfg, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	cfg = cfg.DeepCopy()
	cfg.Architecture, cfg.OS, cfg.Created = "amd64", "linux", v1.Time{Time: built}
	cfg.Config.Entrypoint, cfg.Config.Env, cfg.Config.Labels = i.entrypoint, i.env, i.labels
	return mutate.ConfigFile(img, cfg)
}

func pack(files []file) ([]byte, error) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		mode := f.mode
		if mode == 0 {
			mode = 0o644
		}
		h := &tar.Header{Name: f.path, Mode: mode, Size: int64(len(f.text)), Typeflag: tar.TypeReg, ModTime: built, Format: tar.FormatPAX}
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
		if _, err := io.WriteString(w, f.text); err != nil {
			return nil, fmt.Errorf("%s: %w", f.path, err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// osPackage is an entry of a distribution's package database.
type osPackage struct{ name, source, version, about string }

// dpkg writes packages as /var/lib/dpkg/status does.
func dpkg(list []osPackage) string {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "Package: %s\nStatus: install ok installed\nPriority: optional\nSection: libs\nInstalled-Size: 512\n"+
			"Maintainer: Sample Maintainers <sample@windlass.example>\nArchitecture: amd64\n", p.name)
		if p.source != p.name {
			fmt.Fprintf(&b, "Source: %s\n", p.source)
		}
		fmt.Fprintf(&b, "Version: %s\nDescription: %s\n\n", p.version, p.about)
	}
	return b.String()
}

// apk writes packages as /lib/apk/db/installed does.
func apk(list []osPackage) string {
	var b strings.Builder
	for _, p := range list {
		fmt.Fprintf(&b, "C:Q1p78yvTLG094tHE1+dToJGbmYzQE=\nP:%s\nV:%s\nA:x86_64\nS:16384\nI:65536\nT:%s\nU:https://windlass.example\nL:MIT\no:%s\nm:Sample Maintainers <sample@windlass.example>\n\n",
			p.name, p.version, p.about, p.source)
	}
	return b.String()
}

// wheel is what pip leaves of an installed Python package.
func wheel(name, version, license string) []file {
	dir := fmt.Sprintf("usr/lib/python3/dist-packages/%s-%s.dist-info/", strings.ReplaceAll(name, "-", "_"), version)
	return []file{
		{path: dir + "METADATA", text: fmt.Sprintf("Metadata-Version: 2.1\nName: %s\nVersion: %s\nLicense: %s\n", name, version, license)},
		{path: dir + "RECORD", text: name + "/__init__.py,,\n"},
	}
}

// npm is what npm leaves of an installed package.
func npm(name, version, license string) file {
	return file{path: "srv/app/node_modules/" + name + "/package.json", text: fmt.Sprintf(`{"name":%q,"version":%q,"license":%q}`, name, version, license)}
}
