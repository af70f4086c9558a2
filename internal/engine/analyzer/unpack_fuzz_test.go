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
		u := &unpacker{limits: Limits{Bytes: most, Entries: 100}.orDefault()}
		list, err := u.layer(context.Background(), blob, filepath.Join(dir, "out"), int64(len(body)))
		if info, serr := os.Stat(filepath.Join(dir, "out")); serr == nil && info.Size() > most {
			t.Errorf("%d bytes were written", info.Size())
		}
		if err != nil {
			return
		}
		files, _ := squash([]unpacked{{entries: list}, {entries: list}}).files()
		for _, e := range files {
			if !strings.HasPrefix(e.Path, "/") || strings.Contains(e.Path+"/", "/../") {
				t.Errorf("path %q", e.Path)
			}
		}
	})
}
