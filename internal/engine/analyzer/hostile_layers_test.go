package analyzer_test

import (
	"archive/tar"
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/analyzer"
)

// layered is an image of these layers.
func layered(layers ...blob) func() *image { return func() *image { return build(layers, nil) } }

// filed is an image of one layer of files.
func filed(files ...item) func() *image { return func() *image { return of(files...) } }

// empties is a layer of so many empty files, without the cost of a writer.
func empties(n int, prefix string) []byte {
	b := make([]byte, 0, n*512+1024)
	h := raw(prefix, '0', octal(0), "")
	at, base := len(prefix), sumOf(h)-sumOf([]byte("0000000"))
	copy(h[at:], "0000000")
	for i := range n {
		name := fmt.Sprintf("%07d", i)
		copy(h[at:], name)
		copy(h[148:], fmt.Sprintf("%06o\x00 ", base+sumOf([]byte("0000000"))+sumOf([]byte(name))))
		b = append(b, h...)
	}
	return append(b, end...)
}

// sumOf adds bytes up as the checksum of a header does.
func sumOf(b []byte) (n int) {
	if len(b) == 512 {
		b = append(append(bytes.Clone(b[:148]), "        "...), b[156:]...)
	}
	for _, c := range b {
		n += int(c)
	}
	return n
}

// sparse is a file of which the archive has next to nothing.
func sparse(size int64) []byte {
	table := padded("1\n0\n1\n")
	body := append(table, padded("x")...)
	records := record("GNU.sparse.major", "1") + record("GNU.sparse.minor", "0") + record("GNU.sparse.name", "hole") +
		record("GNU.sparse.realsize", fmt.Sprint(size))
	return pax(records, raw("GNUSparseFile.0/hole", '0', octal(len(table)+1), ""), body, end)
}

func paths(want ...string) func(*testing.T, engine.Image, *bench) {
	return func(t *testing.T, i engine.Image, b *bench) {
		t.Helper()
		files, err := b.store.Files(t.Context(), "admin", string(i.Digest))
		if err != nil {
			t.Fatal(err)
		}
		have := map[string]bool{}
		for _, f := range files {
			have[f.Path] = true
		}
		for _, p := range want {
			if !have[p] {
				t.Errorf("%s is not listed among %d files", p, len(files))
			}
		}
	}
}

func hostileLayers() []hostile {
	good := packed(text("a", strings.Repeat("text", 1000)), text("b", "b"))
	cut := func(b []byte) []byte { return b[:len(b)*2/3] }
	bomb := zerosOf(80 << 20)
	zipped := gz(packed(item{tar.Header{Name: "zeros", Typeflag: tar.TypeReg, Mode: 0o644}, string(bomb)}))
	deep := strings.Repeat("d/", 2000)
	return []hostile{
		{name: "gzip bomb", make: layered(zipped), cause: engine.CauseBomb, says: "layer 1"},
		{name: "zstd bomb", make: layered(zst(zipped.plain)), cause: engine.CauseBomb, says: "layer 1"},
		{name: "bomb of many members", make: func() *image {
			member := gz(zerosOf(4 << 20)).body
			return build([]blob{{bytes.Repeat(member, 30), good}}, nil)
		}, cause: engine.CauseBomb, says: "layer 1"},
		{name: "bomb after the end mark", make: layered(gz(append(packed(text("a", "a")), bomb...))), cause: engine.CauseBomb},
		{name: "bomb behind a good layer", make: layered(gz(good), zipped), cause: engine.CauseBomb, says: "layer 2"},
		{name: "gzip within gzip", make: layered(blob{gz(gz(good).body).body, good}), cause: engine.CauseLayerInvalid},
		{name: "one large file", make: layered(gz(packed(text("large", strings.Repeat("0123456789", 200_000))))), limits: analyzer.Limits{Bytes: 1 << 20}, cause: engine.CauseTooLarge, says: "1048576"},
		{name: "large together", make: layered(gz(packed(text("a", strings.Repeat("a", 600_000)))), gz(packed(text("b", strings.Repeat("b", 600_000))))), limits: analyzer.Limits{Bytes: 1 << 20}, cause: engine.CauseTooLarge, says: "layers"},
		{name: "many small files", make: layered(gz(empties(5000, "f"))), limits: analyzer.Limits{Entries: 4000}, cause: engine.CauseTooManyEntries, says: "4000"},
		{name: "many small files together", make: layered(gz(empties(3000, "f")), gz(empties(3000, "g"))), limits: analyzer.Limits{Entries: 4000}, cause: engine.CauseTooManyEntries},
		{name: "a million empty files", make: layered(gz(empties(1_000_000, "f"))), cause: engine.CauseTooManyEntries, says: "800000"},
		{name: "names that fill the memory", make: func() *image {
			var files []item
			for n := range 300 {
				files = append(files, text(strings.Repeat(fmt.Sprint(n, "/"), 900)+"f", ""))
			}
			return of(files...)
		}, limits: analyzer.Limits{Names: 256 << 10}, cause: engine.CauseTooManyEntries, says: "names"},
		{name: "folders that nobody described", make: func() *image {
			var files []item
			for n := range 60 {
				files = append(files, text(fmt.Sprint(n, "/", deep, "f"), ""))
			}
			return of(files...)
		}, limits: analyzer.Limits{Entries: 100_000}, cause: engine.CauseTooManyEntries, says: "folders"},
		{name: "folders 10,000 deep", make: filed(text(strings.Repeat("d/", 10_000)+"f", "")), cause: engine.CauseLayerInvalid, says: "path"},
		{name: "folders 2,000 deep", make: filed(text(deep+"f", "deep")), check: paths("/" + deep + "f")},
		{name: "sparse file of a terabyte", make: layered(gz(sparse(1 << 40))), cause: engine.CauseBomb, says: "layer 1"},
		{name: "sparse file of a gigabyte", make: layered(gz(sparse(1 << 30))), cause: engine.CauseBomb, says: "layer 1"},
		{name: "sparse file of a megabyte", make: layered(gz(sparse(1 << 20))), check: paths("/hole")},
		{name: "negative size of a file", make: layered(gz(append(raw("a", '0', "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00", ""), end...))), cause: engine.CauseLayerInvalid},
		{name: "file of an exabyte", make: layered(gz(append(raw("a", '0', "\x80\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00", ""), end...))), cause: engine.CauseLayerTruncated, says: "layer 1"},
		{name: "record of two megabytes", make: layered(gz(pax(record("comment", strings.Repeat("x", 2<<20)), raw("a", '0', octal(0), ""), end))), cause: engine.CauseLayerInvalid},
		{name: "thousands of records", make: func() *image {
			var b strings.Builder
			for n := range 30_000 {
				b.WriteString(record(fmt.Sprint("vendor.", n), "v"))
			}
			return build([]blob{gz(pax(b.String(), raw("a", '0', octal(0), ""), end))}, nil)
		}, check: paths("/a")},
		{name: "records that make no sense", make: layered(gz(pax("99999999999 path=x\n", raw("a", '0', octal(0), ""), end))), cause: engine.CauseLayerInvalid},
		{name: "record of a path with a zero byte", make: layered(gz(pax(record("path", "a\x00b"), raw("a", '0', octal(0), ""), end))), cause: engine.CauseLayerInvalid},
		{name: "long name of GNU, very long", make: layered(gz(bytes.Join([][]byte{raw("././@LongLink", 'L', octal(6000), ""), padded(strings.Repeat("n", 6000)), raw("a", '0', octal(0), ""), end}, nil))), cause: engine.CauseLayerInvalid, says: "path"},
		{name: "long names without end", make: layered(gz(bytes.Repeat(bytes.Join([][]byte{raw("././@LongLink", 'L', octal(512), ""), padded(strings.Repeat("n", 512))}, nil), 20_000)))},
		{name: "header of the whole archive", make: layered(gz(bytes.Join([][]byte{raw("pax_global_header", 'g', octal(len(record("comment", "c"))), ""), padded(record("comment", "c")), raw("a", '0', octal(0), ""), end}, nil))), check: paths("/a")},
		{name: "ways out", make: filed(text("../../../../windlass-escape", "x"), text("/windlass-escape", "x"), text("a/../../windlass-escape2", "x"), text("./.././../etc/cron.d/x", "x"),
			symlink("out", "/windlass-escape"), text("out/through", "x"), symlink("../escape", "/etc/passwd")), check: paths("/windlass-escape", "/etc/cron.d/x")},
		{name: "symbolic links in a circle", make: filed(symlink("a", "b"), symlink("b", "a"), symlink("self", "self"), symlink("d", "d/e"), symlink("etc", "/etc"), symlink("usr/lib/os-release", "../../usr/lib/os-release"))},
		{name: "symbolic links to this machine", make: filed(symlink("proc", "/proc"), symlink("etc/os-release", "/proc/self/environ"), symlink("var/lib/dpkg/status", "/etc/passwd"), symlink("lib/apk/db/installed", "/dev/zero"), symlink("etc/passwd", "/etc/shadow"))},
		{name: "a thousand links one after another", make: func() *image {
			var files []item
			for n := range 1000 {
				files = append(files, symlink(fmt.Sprint("l", n), fmt.Sprint("l", n+1)))
			}
			return of(append(files, symlink("etc/os-release", "/l0"))...)
		}},
		{name: "hard links out and ahead", make: filed(hard("out", "../../../../etc/passwd"), hard("abs", "/etc/shadow"), hard("ahead", "later"), text("later", "x"), hard("self", "self"), hard("a", "b"), hard("b", "a"), hard("etc/os-release", "/etc/os-release")), check: paths("/later", "/ahead")},
		{name: "devices and pipes", make: filed(special("dev/sda", tar.TypeBlock), special("dev/mem", tar.TypeChar), special("etc/os-release", tar.TypeFifo), special("var/lib/dpkg/status", tar.TypeChar), special("etc/passwd", tar.TypeFifo), special("package.json", tar.TypeFifo)), check: paths("/dev/mem")},
		{name: "kinds that nobody knows", make: layered(gz(append(append(raw("v", 'Z', octal(0), ""), raw("w", '7', octal(0), "")...), end...)))},
		{name: "whiteouts in odd places", make: layered(gz(packed(text("a/b/c", "1"), text("keep", "1"))),
			gz(packed(text(".wh.", ""), text(".wh.a/x", "y"), text("a/.wh..wh..opq", ""), text("a/b/.wh.c", ""), text(".wh..wh.x", ""), text("a/.wh..", ""), text("../.wh.keep2", ""), text(".wh.keep/.wh.z", ""))))},
		{name: "whiteouts of everything", make: layered(gz(packed(text("etc/os-release", "ID=x"), text("a", "1"))), gz(packed(text(".wh..wh..opq", ""), text(".wh.etc", ""))))},
		{name: "whiteout of what is above", make: layered(gz(packed(text("a", "1"))), gz(packed(text(".wh...", "")))), cause: engine.CauseLayerInvalid},
		{name: "one name as everything", cause: engine.CauseLayerInvalid, says: "/n", make: filed(text("n", "1"), item{tar.Header{Name: "n/", Typeflag: tar.TypeDir, Mode: 0o755}, ""}, text("n/m", "2"), symlink("n", "m"), text("n/m/o", "3"), text("n", "4"), text("n", "5"))},
		{name: "names of odd bytes", make: filed(text("new\nline", "1"), text("bell\a\x1b[31m", "2"), text("\xff\xfe\x80bad", "3"), text("\u202egpj.exe", "4"), text(" ", "5"), text("'; DROP TABLE images; --", "6"), text("<script>", "7"), symlink("l\xff", "\xfe\xff"), text("\xff/package.json", `{"name":"x","version":"1"}`))},
		{name: "modes and owners beyond reason", make: filed(
			item{tar.Header{Name: "su", Typeflag: tar.TypeReg, Mode: 0o7777777, Uid: 1 << 40, Gid: 1 << 40, Format: tar.FormatGNU}, "x"},
			item{tar.Header{Name: "minus", Typeflag: tar.TypeReg, Mode: 0o4755, Uid: -5, Gid: -5, Format: tar.FormatGNU}, "x"},
			item{tar.Header{Name: "when", Typeflag: tar.TypeReg, ModTime: time.Unix(1<<40, 0), Format: tar.FormatPAX}, "x"})},
		{name: "no tar", make: layered(gz(bytes.Repeat([]byte("no tar "), 500))), cause: engine.CauseLayerInvalid, says: "layer 1"},
		{name: "layer of no bytes", make: layered(plainly(nil))},
		{name: "gzip cut short", make: layered(blob{cut(gz(good).body), good}), cause: engine.CauseLayerTruncated, says: "layer 1"},
		{name: "zstd cut short", make: layered(blob{cut(zst(good).body), good}), cause: engine.CauseLayerTruncated, says: "layer 1"},
		{name: "tar cut short", make: layered(gz(cut(good[:4096]))), cause: engine.CauseLayerTruncated, says: "layer 1"},
		{name: "gzip with a wrong checksum", make: func() *image {
			b := bytes.Clone(gz(good).body)
			b[len(b)-6] ^= 1
			return build([]blob{{b, good}}, nil)
		}, cause: engine.CauseLayerInvalid, says: "layer 1"},
		{name: "gzip of nothing but a header", make: layered(blob{[]byte{0x1f, 0x8b}, nil}), cause: engine.CauseLayerTruncated},
		{name: "zstd with a window of terabytes", make: layered(blob{[]byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 0x01, 0x00, 0x00}, nil}), cause: engine.CauseLayerInvalid, says: "layer 1"},
		{name: "bytes after the end", make: layered(gz(append(bytes.Clone(good), bytes.Repeat([]byte("garbage "), 100_000)...))), check: paths("/a", "/b")},
		{name: "compressed otherwise", make: layered(blob{[]byte("BZh91AY&SY" + strings.Repeat("\x00", 500)), good}), cause: engine.CauseLayerInvalid},
		{name: "not compressed, and said to be", make: layered(plainly(good)), check: paths("/a")},
	}
}
