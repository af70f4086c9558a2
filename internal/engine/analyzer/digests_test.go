package analyzer_test

import (
	"archive/tar"
	"crypto/md5"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/search"
)

// analyzed analyzes an image by settings; nil: what is usual.
func analyzed(t *testing.T, img v1.Image, settings *search.Settings) engine.Analysis {
	t.Helper()
	reg := enginetest.Registry(t)
	a, c := open(t)
	a.Search = settings
	got, err := a.Analyze(t.Context(), resolve(t, c, reg.Push(t, "content:1", img)), enginetest.Logger(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	return got.Analysis
}

func digestsOf(t *testing.T, a engine.Analysis) []string {
	t.Helper()
	var list []struct{ Path, Algorithm, Digest string }
	if err := json.Unmarshal(a.Documents[engine.DocDigests], &list); err != nil {
		t.Fatalf("%v in %s", err, a.Documents[engine.DocDigests])
	}
	out := []string{}
	for _, d := range list {
		out = append(out, d.Path+" "+d.Algorithm+" "+d.Digest)
	}
	return out
}

// What dpkg recorded by md5 is held against the files that a container would
// see, through links to folders and hard links; what is as recorded, gone or
// configuration is not told.
func TestDigestsOfDpkg(t *testing.T) {
	sum := func(s string) string { return fmt.Sprintf("%x", md5.Sum([]byte(s))) }
	img := enginetest.Append(t, empty.Image, tarOf(t,
		file("etc/os-release", "ID=debian\nVERSION_ID=12\n"),
		file("var/lib/dpkg/status", "Package: tool\nStatus: install ok installed\nVersion: 1.0\nArchitecture: all\nMaintainer: A\nConffiles:\n /etc/tool.conf "+sum("conf")+"\n\n"),
		file("var/lib/dpkg/info/tool.list", "/usr/bin/same\n/usr/bin/changed\n/bin/through\n/usr/bin/gone\n/usr/bin/hard\n/etc/tool.conf\n"),
		file("var/lib/dpkg/info/tool.md5sums", strings.Join([]string{
			sum("same") + "  usr/bin/same", sum("before") + "  usr/bin/changed", sum("before") + "  bin/through",
			sum("gone") + "  usr/bin/gone", sum("before") + "  usr/bin/hard", sum("before") + "  loop/a/b",
		}, "\n")+"\n"),
		file("usr/bin/same", "same"), file("usr/bin/changed", "before"), file("usr/bin/through", "after"), file("usr/bin/gone", "gone"),
		link(tar.TypeLink, "usr/bin/hard", "usr/bin/through"), link(tar.TypeSymlink, "bin", "usr/bin"), link(tar.TypeSymlink, "loop", "/loop/a"),
		file("etc/tool.conf", "edited"),
	))
	img = enginetest.Append(t, img, tarOf(t, file("usr/bin/changed", "after"), file("usr/bin/.wh.gone", "")))
	same(t, "digests", digestsOf(t, analyzed(t, img, nil)),
		"/bin/through md5 "+sum("after"), "/usr/bin/changed md5 "+sum("after"), "/usr/bin/hard md5 "+sum("after"))
}

func TestDigestsOfApk(t *testing.T) {
	q1 := func(s string) string {
		sum := sha1.Sum([]byte(s))
		return "Q1" + base64.StdEncoding.EncodeToString(sum[:])
	}
	img := enginetest.Image(t, enginetest.Files{
		"etc/os-release":       "ID=alpine\nVERSION_ID=3.20.0\n",
		"lib/apk/db/installed": "P:tool\nV:1.0-r0\nA:x86_64\nF:bin\nR:same\na:0:0:755\nZ:" + q1("same") + "\nR:changed\nZ:" + q1("before") + "\n\n",
		"bin/same":             "same", "bin/changed": "after",
	})
	same(t, "digests", digestsOf(t, analyzed(t, img, nil)), fmt.Sprintf("/bin/changed sha1 %x", sha1.Sum([]byte("after"))))
}

// Hints are read only when the operator allows it, and then stand among the
// packages and in the SBOM.
func TestHints(t *testing.T) {
	img := enginetest.Image(t, enginetest.Files{
		"etc/os-release":     "ID=debian\nVERSION_ID=12\n",
		"anchore_hints.json": `{"packages": [{"name": "zlib-own", "version": "1.3", "type": "binary"}, {"name": "nameless"}]}`,
	})
	on := search.Default()
	on.Hints = true
	for settings, want := range map[*search.Settings]bool{nil: false, search.Default(): false, on: true} {
		a := analyzed(t, img, settings)
		listed := len(a.Packages) == 1 && a.Packages[0].Name == "zlib-own" && a.Packages[0].Path == "/anchore_hints.json"
		if listed != want || strings.Contains(string(a.SBOM), `"zlib-own"`) != want {
			t.Errorf("listed %v, want %v: %+v", listed, want, a.Packages)
		}
	}
	for name, broken := range map[string]string{"not JSON": "{", "too large": strings.Repeat(" ", 5<<20)} {
		if a := analyzed(t, enginetest.Image(t, enginetest.Files{"anchore_hints.json": broken}), on); len(a.Packages) != 0 {
			t.Errorf("%s: %+v", name, a.Packages)
		}
	}
}
