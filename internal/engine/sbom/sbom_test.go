package sbom

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/anchore/syft/syft/format"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

var analyzedAt = time.Date(2026, 11, 22, 20, 46, 25, 0, time.UTC)

func sourceOf(doc []byte) Source {
	return Source{Size: int64(len(doc)), Name: "registry.example/app:1", At: analyzedAt, Read: func(context.Context) ([]byte, error) { return doc, nil }}
}

// convert gives a document in a form, unpacked.
func convert(t *testing.T, doc []byte, name string) []byte {
	t.Helper()
	body, size, err := New(t.TempDir()).Convert(t.Context(), sourceOf(doc), name)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	packed, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	if int64(len(packed)) != size {
		t.Errorf("%s: %d bytes, announced %d", name, len(packed), size)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func reference(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(enginetest.Shared(t, "data/reference"), name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// differ lists what one set has and the other has not.
func differ(t *testing.T, what string, got, want map[string]int) {
	t.Helper()
	for _, k := range slices.Sorted(maps.Keys(want)) {
		if got[k] != want[k] {
			t.Errorf("%s %s: %d times, want %d", what, k, got[k], want[k])
		}
	}
	for _, k := range slices.Sorted(maps.Keys(got)) {
		if want[k] == 0 {
			t.Errorf("%s %s is one too many", what, k)
		}
	}
}

func readCycloneDX(t *testing.T, doc []byte, f cyclonedx.BOMFileFormat) *cyclonedx.BOM {
	t.Helper()
	var bom cyclonedx.BOM
	if err := cyclonedx.NewBOMDecoder(bytes.NewReader(doc), f).Decode(&bom); err != nil {
		t.Fatal(err)
	}
	return &bom
}

func components(bom *cyclonedx.BOM) map[string]int {
	set := map[string]int{}
	for _, c := range *bom.Components {
		licenses := ""
		if c.Licenses != nil {
			for _, l := range *c.Licenses {
				licenses += " " + l.Expression
				if l.License != nil {
					licenses += l.License.ID + l.License.Name
				}
			}
		}
		set[strings.Join([]string{string(c.Type), c.Name, c.Version, c.PackageURL, c.CPE, licenses}, " ")]++
	}
	return set
}

func TestCycloneDXIsTheReference(t *testing.T) {
	doc := reference(t, "debian12-app.syft.json")
	want := readCycloneDX(t, reference(t, "debian12-app.cdx.json"), cyclonedx.BOMFileFormatJSON)
	for name, f := range map[string]cyclonedx.BOMFileFormat{engine.CycloneDXJSON: cyclonedx.BOMFileFormatJSON, engine.CycloneDXXML: cyclonedx.BOMFileFormatXML} {
		got := readCycloneDX(t, convert(t, doc, name), f)
		differ(t, name, components(got), components(want))
		if len(*got.Components) < 100 || len(*got.Dependencies) != len(*want.Dependencies) {
			t.Errorf("%s: %d components, %d dependencies, want %d", name, len(*got.Components), len(*got.Dependencies), len(*want.Dependencies))
		}
		if got.SpecVersion != want.SpecVersion || got.Metadata.Timestamp != "2026-11-22T20:46:25Z" || !strings.HasPrefix(got.SerialNumber, "urn:uuid:") {
			t.Errorf("%s: version %s, made %s, serial number %s", name, got.SpecVersion, got.Metadata.Timestamp, got.SerialNumber)
		}
	}
}

func packages(d *spdx.Document) map[string]int {
	set := map[string]int{}
	for _, p := range d.Packages {
		refs := ""
		for _, r := range p.PackageExternalReferences {
			refs += " " + r.Locator
		}
		set[strings.Join([]string{p.PackageName, p.PackageVersion, p.PackageLicenseDeclared, refs}, " ")]++
	}
	return set
}

func TestSPDXIsTheReference(t *testing.T) {
	want, err := spdxjson.Read(bytes.NewReader(reference(t, "debian12-app.spdx.json")))
	if err != nil {
		t.Fatal(err)
	}
	got, err := spdxjson.Read(bytes.NewReader(convert(t, reference(t, "debian12-app.syft.json"), engine.SPDXJSON)))
	if err != nil {
		t.Fatal(err)
	}
	differ(t, "package", packages(got), packages(want))
	if len(got.Files) != len(want.Files) || len(got.Relationships) != len(want.Relationships) {
		t.Errorf("%d files, %d relationships, want %d and %d", len(got.Files), len(got.Relationships), len(want.Files), len(want.Relationships))
	}
	if got.DocumentName != "registry.example/app:1" {
		t.Errorf("named %q", got.DocumentName)
	}
	if got.CreationInfo.Created != "2026-11-22T20:46:25Z" || len(got.DocumentNamespace) != len(want.DocumentNamespace) || got.DocumentNamespace == want.DocumentNamespace {
		t.Errorf("made %s as %s", got.CreationInfo.Created, got.DocumentNamespace)
	}
}

// Every form of every reference is the same bytes each time, and syft reads
// from it the packages that went in.
func TestEveryFormIsStableAndReadable(t *testing.T) {
	for _, image := range []string{"debian12-app", "debian12", "alpine-synthetic", "multiarch-arm64"} {
		doc := reference(t, image+".syft.json")
		want, err := decode(doc)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range engine.SBOMFormats {
			t.Run(image+"/"+f.Name, func(t *testing.T) {
				once := convert(t, doc, f.Name)
				if again := convert(t, doc, f.Name); !bytes.Equal(once, again) {
					t.Errorf("the second time it is another document: %d bytes and %d", len(once), len(again))
				}
				if f.Name == engine.SyftJSON && !bytes.Equal(once, doc) {
					t.Error("the stored document was altered")
				}
				got, id, _, err := format.Decode(bytes.NewReader(once))
				if err != nil {
					t.Fatal(err)
				}
				if n := want.Artifacts.Packages.PackageCount(); got.Artifacts.Packages.PackageCount() != n {
					t.Errorf("read as %s it has %d packages, want %d", id, got.Artifacts.Packages.PackageCount(), n)
				}
			})
		}
	}
}

func TestConvertRefuses(t *testing.T) {
	broken := errors.New("gone")
	for name, tc := range map[string]struct {
		src    Source
		format string
		want   error
	}{
		"an unknown form": {sourceOf([]byte(`{}`)), "yaml", engine.ErrInvalid},
		"what is too large": {Source{Size: maxDocument + 1, Read: func(context.Context) ([]byte, error) {
			t.Error("a document that is too large was read")
			return nil, nil
		}}, engine.SPDXJSON, engine.ErrInvalid},
		"what is not there": {Source{Read: func(context.Context) ([]byte, error) { return nil, broken }}, engine.SPDXJSON, broken},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := New(t.TempDir()).Convert(t.Context(), tc.src, tc.format); !errors.Is(err, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
	dir := t.TempDir()
	for _, doc := range []string{``, `{`, `[]`, `{"artifacts":7}`, `{"artifacts":[{"id":"x","type":{}}]}`} {
		if _, _, err := New(dir).Convert(t.Context(), sourceOf([]byte(doc)), engine.CycloneDXJSON); err == nil {
			t.Errorf("%s was converted", doc)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("files are left behind: %v %v", left, err)
	}
}

// A large document that is being converted holds up no small one, and a second
// large one gives up when nobody waits for it.
func TestLargeDocumentsHaveTheirOwnLane(t *testing.T) {
	doc := reference(t, "alpine-synthetic.syft.json")
	c := New(t.TempDir())
	reading, finish := make(chan bool), make(chan bool)
	large := Source{Size: smallDocument + 1, Read: func(context.Context) ([]byte, error) {
		close(reading)
		<-finish
		return doc, nil
	}}
	done := make(chan error, 1)
	go func() {
		body, _, err := c.Convert(context.Background(), large, engine.SPDXJSON)
		if err == nil {
			body.Close()
		}
		done <- err
	}()
	<-reading
	body, _, err := c.Convert(t.Context(), sourceOf(doc), engine.SPDXJSON)
	if err != nil {
		t.Fatal(err)
	}
	body.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.Convert(ctx, Source{Size: smallDocument + 1}, engine.SPDXJSON); !errors.Is(err, context.Canceled) {
		t.Errorf("the second large one: %v", err)
	}
	close(finish)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Whatever a document says, converting it ends.
func FuzzConvert(f *testing.F) {
	for _, seed := range []string{
		`{"artifacts":[],"source":{"type":"image","target":{}},"distro":{},"schema":{"version":"16.0.0","url":"https://raw.githubusercontent.com/anchore/syft/main/schema/json/schema-16.0.0.json"}}`,
		`{"artifacts":[{"id":"a","name":"x","version":"1","type":"npm","purl":"pkg:npm/x@1","licenses":["MIT"],"cpes":[],"locations":[]}],"artifactRelationships":[{"parent":"a","child":"a","type":"contains"}],"source":{"id":"s","type":"image","target":{"layers":[{"digest":"d"}]}},"distro":{"id":"debian"},"schema":{"version":"16.0.0","url":"https://raw.githubusercontent.com/anchore/syft/main/schema/json/schema-16.0.0.json"}}`,
	} {
		f.Add([]byte(seed))
	}
	c := New(f.TempDir())
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, format := range engine.SBOMFormats {
			body, _, err := c.Convert(t.Context(), sourceOf(doc), format.Name)
			if err == nil {
				body.Close()
			}
		}
	})
}
