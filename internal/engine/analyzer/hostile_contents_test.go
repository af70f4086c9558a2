package analyzer_test

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/analyzer"
)

// zipOf packs files; a jar is a zip.
func zipOf(files ...item) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
	for _, f := range files {
		e, err := w.Create(f.Name)
		if err != nil {
			panic(err)
		}
		io.WriteString(e, f.body)
	}
	w.Close()
	return b.String()
}

// nested is a jar in a jar in a jar.
func nested(depth int) string {
	jar := zipOf(text("META-INF/MANIFEST.MF", "Implementation-Title: inner\nImplementation-Version: 1\n"))
	for n := range depth {
		jar = zipOf(text("META-INF/MANIFEST.MF", fmt.Sprintf("Implementation-Title: m%d\nImplementation-Version: 1\n", n)), text("lib/inner.jar", jar))
	}
	return jar
}

// multiplied is a jar of ten jars, each of ten jars, and so on.
func multiplied(depth int) string {
	jar := zipOf(text("META-INF/MANIFEST.MF", "Implementation-Title: inner\nImplementation-Version: 1\n"))
	for range depth {
		var files []item
		for n := range 10 {
			files = append(files, text(fmt.Sprint("lib/", n, ".jar"), jar))
		}
		jar = zipOf(files...)
	}
	return jar
}

// claims is a zip whose directory says what is not so.
func claims(entries uint16, offset uint32) string {
	b := []byte(zipOf(text("META-INF/MANIFEST.MF", "a: b\n")))
	at := bytes.LastIndex(b, []byte("PK\x05\x06"))
	binary.LittleEndian.PutUint16(b[at+8:], entries)
	binary.LittleEndian.PutUint16(b[at+10:], entries)
	binary.LittleEndian.PutUint32(b[at+16:], offset)
	return string(b)
}

const osRelease = "ID=debian\nVERSION_ID=\"12\"\n"

func dpkg(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "Package: p%d\nStatus: install ok installed\nVersion: 1\nArchitecture: amd64\nMaintainer: m\n\n", i)
	}
	return b.String()
}

func elf(tail string) string {
	h := make([]byte, 64)
	copy(h, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(h[16:], 2)
	binary.LittleEndian.PutUint16(h[18:], 62)
	binary.LittleEndian.PutUint64(h[32:], 1<<62) // program headers
	binary.LittleEndian.PutUint64(h[40:], 1<<61) // section headers
	binary.LittleEndian.PutUint16(h[54:], 0xffff)
	binary.LittleEndian.PutUint16(h[56:], 0xffff)
	binary.LittleEndian.PutUint16(h[58:], 0xffff)
	binary.LittleEndian.PutUint16(h[60:], 0xffff)
	return string(h) + tail
}

func executable(name, body string) item {
	f := text(name, body)
	f.Mode = 0o755
	return f
}

func packages(at least) func(*testing.T, engine.Image, *bench) {
	return func(t *testing.T, i engine.Image, _ *bench) {
		t.Helper()
		if i.Packages < int(at) {
			t.Errorf("%d packages, want at least %d", i.Packages, at)
		}
	}
}

type least int

// hostileContents are images that are sound, of files that are not. What cannot
// be read is passed over: the rest of the image is told.
func hostileContents() []hostile {
	lodash := text("app/node_modules/lodash/package.json", `{"name":"lodash","version":"4.17.15"}`)
	laughs := `<?xml version="1.0"?><!DOCTYPE p [<!ENTITY a "ha">`
	for n := 'b'; n <= 'p'; n++ {
		laughs += fmt.Sprintf(`<!ENTITY %c "%s">`, n, strings.Repeat(fmt.Sprintf("&%c;", n-1), 10))
	}
	laughs += `]><project><groupId>&p;</groupId><artifactId>x</artifactId><version>1</version></project>`
	anchors := "lockfileVersion: 5.4\na: &a [x,x,x,x,x,x,x,x,x]\n"
	for n := 'b'; n <= 'j'; n++ {
		anchors += fmt.Sprintf("%c: &%c [%s]\n", n, n, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", n-1), 9), ","))
	}
	return []hostile{
		{name: "package.json of 32 MB", make: filed(lodash, text("big/package.json", `{"name":"`+strings.Repeat("x", 32<<20)+`","version":"1"}`))},
		{name: "package-lock.json nested without end", make: filed(lodash, text("a/package-lock.json", strings.Repeat(`{"dependencies":{"a":`, 50_000)+"1"+strings.Repeat("}}", 50_000))), check: packages(1)},
		{name: "package.json of the wrong shapes", make: filed(lodash, text("a/package.json", `{"name":["a"],"version":{},"license":[[[]]],"author":7,"dependencies":"all"}`), text("b/package.json", "[]"), text("c/package.json", "\x00\xff")), check: packages(1)},
		{name: "names that no database takes", make: filed(text("a/package.json", `{"name":"a\u0000b","version":"1\u0000","author":"\u0000","license":"\u0000","description":"\ud800"}`), text("etc/os-release", "ID=\"a\x00b\"\nVERSION_ID=\"\xff\"\n"), text("lib/apk/db/installed", "P:mu\x00sl\nV:1\xff\nA:x\nL:M\x00IT\no:\x00\nm:\xff\n\n"))},
		{name: "jars 40 deep", make: filed(lodash, text("deep.jar", nested(40))), check: packages(1)},
		{name: "jars that multiply", make: filed(lodash, text("many.jar", multiplied(6))), process: analyzer.ProcessLimits{Timeout: 15 * time.Second}, cause: engine.CauseTimeout, says: "15s"},
		{name: "bomb as a jar", make: filed(lodash, text("bomb.jar", zipOf(text("META-INF/MANIFEST.MF", strings.Repeat("\x00", 64<<20)), text("pom.xml", strings.Repeat("a", 32<<20))))), check: packages(1)},
		{name: "jar of 60,000 entries", make: func() *image {
			var files []item
			for n := range 60_000 {
				files = append(files, text(fmt.Sprint("e", n), ""))
			}
			return of(lodash, text("many.jar", zipOf(files...)))
		}, check: packages(1)},
		{name: "jar with ways out", make: filed(lodash, text("a.jar", zipOf(text("../../../../windlass-escape", "x"), text("/windlass-escape", "x"), text("..\\..\\windlass-escape", "x"), text("META-INF/MANIFEST.MF", "Implementation-Title: a\nImplementation-Version: 1\n"), text("../../../../windlass-escape.jar", zipOf(text("META-INF/MANIFEST.MF", "a: b")))))), check: packages(1)},
		{name: "jars that claim what is not so", make: filed(lodash, text("a.jar", claims(0xffff, 0)), text("b.jar", claims(1, 0xfffffff0)), text("c.war", "PK\x03\x04"), text("d.ear", strings.Repeat("PK\x05\x06", 5000))), check: packages(1)},
		{name: "entities that laugh in a pom.xml", make: filed(lodash, text("pom.xml", laughs), text("x.jar", zipOf(text("META-INF/maven/g/a/pom.xml", laughs), text("META-INF/maven/g/a/pom.properties", "version=1\ngroupId=g\nartifactId=a\n")))), check: packages(1)},
		{name: "anchors that multiply in a lock file", make: filed(lodash, text("pnpm-lock.yaml", anchors), text("pubspec.lock", anchors), text("conda-meta/x.json", "{"), text("Package.resolved", "{")), check: packages(1)},
		{name: "broken rpm databases", make: filed(lodash, text("var/lib/rpm/Packages", strings.Repeat("\x00\x06\x15\x61", 5000)), text("var/lib/rpm/rpmdb.sqlite", "SQLite format 3\x00"+strings.Repeat("\xff", 8192)), text("usr/lib/sysimage/rpm/Packages.db", "RpmP"+strings.Repeat("\xfe", 9000))), check: packages(1)},
		{name: "dpkg status of 20,000 packages", make: filed(text("etc/os-release", osRelease), text("var/lib/dpkg/status", dpkg(20_000))), check: packages(20_000)},
		{name: "dpkg status of one long line", make: filed(lodash, text("etc/os-release", osRelease), text("var/lib/dpkg/status", "Package: a\nVersion: 1\nStatus: install ok installed\nDescription: "+strings.Repeat("x", 32<<20)+"\n\n")), check: packages(1)},
		{name: "apk database of nonsense", make: filed(lodash, text("lib/apk/db/installed", "P:"+strings.Repeat("y", 8<<20)+"\nV:1\nI:99999999999999999999\nF:\nR:\nZ:Q1\nM:-1:-1:9\n\n:\n\n=====\n")), check: packages(1)},
		{name: "METADATA of 16 MB", make: filed(lodash, text("usr/lib/python3/site-packages/x-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: x\nVersion: 1\nLicense: "+strings.Repeat("l", 16<<20)+"\n"), text("usr/lib/python3/site-packages/x-1.dist-info/RECORD", strings.Repeat("a,sha256=b,1\n", 100_000))), check: packages(1)},
		{name: "forged Go binaries", make: filed(lodash, executable("bin/cut", elf("\xff Go buildinf:\x08\x02\x00\x00")), executable("bin/forged", elf(strings.Repeat("\x00", 16)+"\xff Go buildinf:\x08\x02"+strings.Repeat("\xff", 4096)))), check: packages(1)},
		{name: "broken executables", make: filed(lodash, executable("bin/elf", elf("")), executable("bin/pe", "MZ"+strings.Repeat("\xff", 4096)), executable("bin/macho", "\xcf\xfa\xed\xfe"+strings.Repeat("\xff", 4096)), executable("bin/fat", "\xca\xfe\xba\xbe\xff\xff\xff\xff"+strings.Repeat("\xff", 256)), text("a.dll", "MZ"+strings.Repeat("\x80", 5000))), check: packages(1)},
		{name: "os-release of 16 MB", make: filed(lodash, text("etc/os-release", "ID="+strings.Repeat("d", 16<<20))), check: packages(1)},
		{name: "os-release that is a folder", make: filed(lodash, text("etc/os-release/x", "y"), text("usr/lib/os-release/y", "z")), check: packages(1)},
		{name: "os-release that goes in circles", make: filed(lodash, symlink("etc/os-release", "../usr/lib/os-release"), symlink("usr/lib/os-release", "../../etc/os-release")), check: packages(1)},
		{name: "lines that expressions choke on", make: filed(lodash, text("app/secret.txt", "aws_secret_access_key = "+strings.Repeat("a", 900_000)+"\n"+strings.Repeat("BEGIN PRIVATE KEY ", 50_000)+"\n"+strings.Repeat("x-api-key=", 60_000))), check: packages(1)},
		{name: "passwd of 32 MB", make: filed(lodash, text("etc/passwd", strings.Repeat("u:x:1:1::/:/bin/sh\n", 1_700_000))), check: packages(1)},
		{name: "gemspec of nonsense", make: filed(lodash, text("usr/lib/ruby/gems/3/specifications/x-1.gemspec", "Gem::Specification.new do |s|\n  s.name = \"x\"\n  s.version = \"1\"\n  s.licenses = ["+strings.Repeat("\"a\",", 500_000)+"]\n  s.files = "+strings.Repeat("[", 100_000)+"\nend\n")), check: packages(1)},
		{name: "SBOM in the image that lies", make: filed(lodash, text("a.spdx.json", `{"spdxVersion":"SPDX-2.3","packages":[`+strings.TrimSuffix(strings.Repeat(`{"name":"x"},`, 20_000), ",")+`]}`), text("b.cdx.json", `{"bomFormat":"CycloneDX","specVersion":"1.5","components":`+strings.Repeat(`[{"components":`, 5000)), text("c.syft.json", `{"artifacts":[{}]}`)), check: packages(1)},
		{name: "a hundred lock files of nonsense", make: func() *image {
			files := []item{lodash}
			for _, name := range []string{"yarn.lock", "Gemfile.lock", "Cargo.lock", "composer.lock", "poetry.lock", "Pipfile.lock", "go.mod", "go.sum", "mix.lock", "rebar.lock", "Podfile.lock", "requirements.txt", "setup.py", "conan.lock", "gradle.lockfile", "packages.lock.json", "x.deps.json", "stack.yaml.lock", "cabal.project.freeze", "pubspec.lock", "flake.lock", "installed.json", "uv.lock", "pdm.lock", "bun.lock"} {
				for n, body := range []string{strings.Repeat("[", 60_000), strings.Repeat("\"a\": {", 30_000), "\xff\xfe\x00", strings.Repeat("- &a *a\n", 1000)} {
					files = append(files, text(fmt.Sprint(n, "/", name), body))
				}
			}
			return of(files...)
		}, check: packages(1)},
	}
}
