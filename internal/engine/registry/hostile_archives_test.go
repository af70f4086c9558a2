package registry_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/registry"
)

// docker packs an archive as docker save does, after bend has been at it.
func docker(t testing.TB, bend func(entry map[string]any, config map[string]any)) []byte {
	t.Helper()
	layer := enginetest.Tar(t, enginetest.Files{"a": "1"})
	config := map[string]any{"os": "linux", "architecture": "amd64", "rootfs": map[string]any{"type": "layers", "diff_ids": []string{sha(layer)}}}
	entry := map[string]any{"Config": "config.json", "RepoTags": []string{"a/b:1"}, "Layers": []string{"layer.tar"}}
	if bend != nil {
		bend(entry, config)
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, body := range map[string][]byte{"config.json": jsonOf(t, config), "layer.tar": layer, "manifest.json": jsonOf(t, []any{entry})} {
		writeEntry(t, w, tar.Header{Name: name, Typeflag: tar.TypeReg}, body)
	}
	w.Close()
	return b.Bytes()
}

func jsonOf(t testing.TB, v any) []byte {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// hole is an archive of a sparse file of which it has next to nothing.
func hole(size int64) []byte {
	header := func(name string, kind byte, size int) []byte {
		b := make([]byte, 512)
		copy(b, name)
		copy(b[100:], "0000644\x000000000\x000000000\x00")
		copy(b[124:], fmt.Sprintf("%011o\x00", size))
		copy(b[136:], "00000000000\x00        ")
		b[156] = kind
		copy(b[257:], "ustar\x0000")
		sum := 0
		for _, c := range b {
			sum += int(c)
		}
		copy(b[148:], fmt.Sprintf("%06o\x00 ", sum))
		return b
	}
	padded := func(s string) []byte { return append([]byte(s), make([]byte, (512-len(s)%512)%512)...) }
	record := func(k, v string) string {
		n := len(k) + len(v) + 3
		for size := n; ; size++ {
			if s := fmt.Sprintf("%d %s=%s\n", size, k, v); len(s) == size {
				return s
			}
		}
	}
	records := record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") + record("GNU.sparse.name", "index.json") + record("GNU.sparse.realsize", fmt.Sprint(size))
	table := padded("1\n0\n1\n")
	return bytes.Join([][]byte{header("x", 'x', len(records)), padded(records), header("index.json", '0', len(table)+1), table, padded("x"), make([]byte, 1024)}, nil)
}

// TestHostileArchives uploads what no builder made. Each is refused with a
// cause, or taken when nothing in it can do harm, and the folder is as it was.
func TestHostileArchives(t *testing.T) {
	file := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg} }
	many := make([]tar.Header, 5_100)
	for i := range many {
		many[i] = file(fmt.Sprint("f", i))
	}
	big := func(name string, n int) []byte {
		var b bytes.Buffer
		w := tar.NewWriter(&b)
		writeEntry(t, w, file(name), make([]byte, n))
		w.Close()
		return b.Bytes()
	}
	good := docker(t, nil)
	tests := []struct {
		name  string
		body  []byte
		cause string
		says  string
	}{
		{"bomb", zipped(big("zeros", 100<<20)), engine.CauseBomb, "times"},
		{"bomb after the end mark", zipped(append(bytes.Clone(good), make([]byte, 100<<20)...)), engine.CauseBomb, "times"},
		{"sparse file of a terabyte", hole(1 << 40), engine.CauseBomb, "times"},
		{"sparse file of a gigabyte", zipped(hole(1 << 30)), engine.CauseBomb, "times"},
		{"5,100 entries", zipped(entries(t, many...)), engine.CauseArchive, "entries"},
		{"name of 5,000 bytes", entries(t, file(strings.Repeat("n/", 2500)+"f")), engine.CauseArchive, "name"},
		{"fifo", entries(t, tar.Header{Name: "index.json", Typeflag: tar.TypeFifo}), engine.CauseArchive, "neither"},
		{"hard link", entries(t, tar.Header{Name: "index.json", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}), engine.CauseArchive, "neither"},
		{"links in a circle", entries(t, tar.Header{Name: "index.json", Typeflag: tar.TypeSymlink, Linkname: "manifest.json"}, tar.Header{Name: "manifest.json", Typeflag: tar.TypeSymlink, Linkname: "index.json"}), engine.CauseArchive, ""},
		{"index of 5 MB", big("index.json", 5<<20), engine.CauseArchive, "index.json"},
		{"manifest.json that is no list", docker(t, func(e, _ map[string]any) { e["Layers"] = "all" }), engine.CauseArchive, "manifest.json"},
		{"10,000 layers", docker(t, func(e, _ map[string]any) {
			e["Layers"] = strings.Split(strings.Repeat("layer.tar,", 9_999)+"layer.tar", ",")
		}), engine.CauseTooManyEntries, "layers"},
		{"layer that climbs", docker(t, func(e, _ map[string]any) { e["Layers"] = []string{"../../../etc/passwd"} }), engine.CauseArchive, "layer 1"},
		{"configuration that climbs", docker(t, func(e, _ map[string]any) { e["Config"] = "/etc/passwd" }), engine.CauseArchive, "configuration"},
		{"configuration of other layers", docker(t, func(_, c map[string]any) {
			c["rootfs"] = map[string]any{"type": "layers", "diff_ids": []string{sha(nil)}}
		}), engine.CauseArchive, "layer 1"},
		{"configuration of more layers", docker(t, func(_, c map[string]any) {
			c["rootfs"] = map[string]any{"type": "layers", "diff_ids": []string{sha(nil), sha(nil)}}
		}), engine.CauseConfigInvalid, "layers"},
		{"history of 100,000 steps", docker(t, func(_, c map[string]any) { c["history"] = make([]struct{}, 100_000) }), engine.CauseConfigInvalid, "steps"},
		{"gzip cut short", zipped(good)[:200], engine.CauseArchive, ""},
		{"gzip within gzip", zipped(zipped(good)), engine.CauseArchive, ""},
		{"zip file", append([]byte("PK\x03\x04"), make([]byte, 2000)...), engine.CauseArchive, ""},
		{"no image, twice compressed name", entries(t, file("\xff\xfe")), engine.CauseArchive, "neither"},
		{"whole", good, "", ""},
	}
	c := registry.New(registry.Options{})
	for _, tc := range tests {
		t.Run(tc.name, func(t *testing.T) {
			uploads := t.TempDir()
			_, err := c.OpenArchive(t.Context(), bytes.NewReader(tc.body), uploads, "")
			if tc.cause == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if cause, _ := engine.CauseOf(err); cause.Code != tc.cause || !errors.Is(err, engine.ErrInvalid) || !strings.Contains(engine.MessageOf(err, ""), tc.says) {
				t.Errorf("OpenArchive = %v (%s), want %s that names %q", err, cause.Code, tc.cause, tc.says)
			}
			if list, _ := os.ReadDir(uploads); len(list) != 0 {
				t.Errorf("uploads holds %v", list)
			}
		})
	}
}

func sha(b []byte) string {
	sum := sha256.Sum256(b)
	return "sha256:" + hex.EncodeToString(sum[:])
}
