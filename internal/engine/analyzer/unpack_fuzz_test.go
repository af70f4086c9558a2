package analyzer

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzLayer holds a layer of any bytes to the limits, and the file list made
// of it to paths that stay inside.
func FuzzLayer(f *testing.F) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{
		{Name: "a/b", Typeflag: tar.TypeReg, Size: 3}, {Name: "../x", Typeflag: tar.TypeSymlink, Linkname: "/etc"},
		{Name: "a/.wh.b", Typeflag: tar.TypeReg}, {Name: "a/.wh..wh..opq", Typeflag: tar.TypeReg}, {Name: "d/", Typeflag: tar.TypeDir},
	} {
		if err := w.WriteHeader(&h); err != nil {
			f.Fatal(err)
		}
		w.Write(make([]byte, h.Size))
	}
	w.Close()
	var z bytes.Buffer
	gz := gzip.NewWriter(&z)
	gz.Write(b.Bytes())
	gz.Close()
	f.Add(b.Bytes())
	f.Add(z.Bytes())
	f.Add([]byte{0x28, 0xb5, 0x2f, 0xfd})
	f.Fuzz(func(t *testing.T, body []byte) {
		dir := t.TempDir()
		blob := filepath.Join(dir, "blob")
		if err := os.WriteFile(blob, body, 0o600); err != nil {
			t.Fatal(err)
		}
		const most = 8 << 20
		l := &layer{unpacker: &unpacker{limits: Limits{Bytes: most, Entries: 100}.orDefault(), dir: dir}, name: "layer 1", size: int64(max(len(body), 1))}
		list, err := l.unpack(context.Background(), blob, filepath.Join(dir, "out"))
		if info, serr := os.Stat(filepath.Join(dir, "out")); serr == nil && info.Size() > most {
			t.Errorf("%d bytes were written", info.Size())
		}
		if err != nil {
			return
		}
		tree, ok := squash([]unpacked{{entries: list}, {entries: list}}, 1000)
		if !ok {
			return
		}
		files, _ := tree.files()
		for _, e := range files {
			if !strings.HasPrefix(e.Path, "/") || strings.Contains(e.Path+"/", "/../") {
				t.Errorf("path %q", e.Path)
			}
		}
	})
}
