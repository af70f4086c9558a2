package listing

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"windlass/internal/engine"
)

// source reads a listing from memory.
func source(body []byte) Source {
	return func(_ context.Context, ranges []Range) ([][]byte, error) {
		var parts [][]byte
		for _, r := range ranges {
			if r.At < 0 || r.Len < 0 {
				return nil, errBroken
			}
			from, to := min(r.At, int64(len(body))), min(r.At+r.Len, int64(len(body)))
			parts = append(parts, body[from:to])
		}
		return parts, nil
	}
}

func some() engine.Analysis {
	file := func(path string, size int64) engine.File {
		return engine.File{Path: path, Type: "file", Size: size, Mode: "00644", UID: 1000, GID: -2, SHA256: fmt.Sprintf("%064x", size)}
	}
	dir := func(path string) engine.File { return engine.File{Path: path, Type: "dir", Mode: "00755"} }
	return engine.Analysis{
		Files: []engine.File{
			file("/usr/bin/Ls", 100), dir("/usr"), dir("/usr/bin"), file("/usr/bin/cat", 20), file("/usr-local", 1), file("/usr/share/doc/x", 7),
			{Path: "/bin", Type: "slink", Link: "usr/bin", Mode: "00777"}, dir("/"), file("/srv/app/package.json", 3), dir("/empty"),
		},
		Packages: []engine.Package{
			{Key: "n", Name: "left-pad", Version: "1", Path: "/srv/app/package.json"}, {Key: "o", Name: "coreutils", Path: "pkgdb"},
			{Key: "g1", Name: "a", Path: "/usr/bin/cat"}, {Key: "g2", Name: "b", Path: "/usr/bin/cat"},
		},
		SBOM: []byte(`{"schema":{},"artifacts":[{"id":"x","type":"npm","metadata":{"files":[{"path":"/usr/bin/cat"}]}},
			{"id":"o","name":"coreutils","version":"9","type":"deb","metadata":{"files":[{"path":"/bin/Ls"},{"path":"/not/there"}]}}],"rest":1}`),
	}
}

func open(t *testing.T, a engine.Analysis) *List {
	t.Helper()
	body, err := Of(a)
	if err != nil {
		t.Fatal(err)
	}
	l, err := Open(t.Context(), source(body))
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestPage(t *testing.T) {
	l := open(t, some())
	tests := map[string]struct {
		q     engine.FileQuery
		want  string
		total int
	}{
		"all":                    {engine.FileQuery{Limit: 3}, "/ /bin /empty", 10},
		"second page":            {engine.FileQuery{Offset: 3, Limit: 3}, "/srv/app/package.json /usr /usr-local", 10},
		"past the end":           {engine.FileQuery{Offset: 30}, "", 10},
		"text, whatever case":    {engine.FileQuery{Text: "BIN/ls"}, "/usr/bin/Ls", 1},
		"text within a folder":   {engine.FileQuery{Folder: "/usr", Text: "c"}, "/usr/bin/cat /usr/share/doc/x", 2},
		"text, second page":      {engine.FileQuery{Text: "usr", Offset: 2, Limit: 2}, "/usr/bin /usr/bin/Ls", 6},
		"content":                {engine.FileQuery{Text: fmt.Sprintf("%064X", 20)}, "/usr/bin/cat", 1},
		"no such content":        {engine.FileQuery{Text: fmt.Sprintf("%064x", 21)}, "", 0},
		"of a package":           {engine.FileQuery{Owner: "o"}, "/usr/bin/Ls", 1},
		"of an unknown package":  {engine.FileQuery{Owner: "z"}, "", 0},
		"root":                   {engine.FileQuery{Browse: true}, "/empty(0,0) /srv(1,3) /usr(3,127) /bin /usr-local", 5},
		"folder":                 {engine.FileQuery{Browse: true, Folder: "usr/"}, "/usr/bin(2,120) /usr/share(1,7)", 2},
		"folder without a name":  {engine.FileQuery{Browse: true, Folder: "/usr/share/"}, "/usr/share/doc(1,7)", 1},
		"folder, second page":    {engine.FileQuery{Browse: true, Offset: 3, Limit: 1}, "/bin", 5},
		"folder that is a file":  {engine.FileQuery{Browse: true, Folder: "/usr-local"}, "", 0},
		"folder that there isnt": {engine.FileQuery{Browse: true, Folder: "/zzz"}, "", 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			page, err := l.Page(t.Context(), tc.q)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range page.Entries {
				s := e.Path
				if e.Folder {
					s += fmt.Sprintf("(%d,%d)", e.Files, e.Bytes)
				}
				got = append(got, s)
			}
			if strings.Join(got, " ") != tc.want || page.Total != tc.total {
				t.Errorf("%d: %s\nwant %d: %s", page.Total, strings.Join(got, " "), tc.total, tc.want)
			}
		})
	}
}

func TestNothingIsLost(t *testing.T) {
	a := some()
	l := open(t, a)
	page, err := l.Page(t.Context(), engine.FileQuery{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(a.Files, func(x, y engine.File) int { return strings.Compare(x.Path, y.Path) })
	owners := map[string]string{}
	for n, e := range page.Entries {
		if e.File != a.Files[n] {
			t.Errorf("%+v, want %+v", e.File, a.Files[n])
		}
		if e.Owner.Name != "" {
			owners[e.Path] = e.Owner.Name + e.Owner.Version
		}
	}
	// What stands in the file that several modules share is nobody's.
	if len(owners) != 2 || owners["/usr/bin/Ls"] != "coreutils9" || owners["/srv/app/package.json"] != "left-pad1" {
		t.Errorf("owners %v", owners)
	}
	if page, err := open(t, engine.Analysis{SBOM: []byte("[")}).Page(t.Context(), engine.FileQuery{Browse: true}); err != nil || page.Total != 0 {
		t.Errorf("an image without files: %+v, %v", page, err)
	}
}

// large is an image of many files, as large ones are.
func large(n int) engine.Analysis {
	var a engine.Analysis
	for i := range n {
		a.Files = append(a.Files, engine.File{
			Path: fmt.Sprintf("/usr/lib/python3/site-packages/package%d/module%d/file%d.py", i/500, i/50, i), Type: "file", Size: int64(i), Mode: "00644", SHA256: fmt.Sprintf("%064x", i*7919),
		})
	}
	return a
}

func TestManyBlocks(t *testing.T) {
	l := open(t, large(20_000))
	seen := map[string]bool{}
	for at := 0; ; {
		page, err := l.Page(t.Context(), engine.FileQuery{Offset: at, Limit: 777})
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Entries) == 0 {
			break
		}
		for _, e := range page.Entries {
			seen[e.Path+e.SHA256] = true
		}
		at += len(page.Entries)
	}
	if len(seen) != 20_000 {
		t.Errorf("%d files", len(seen))
	}
	page, err := l.Page(t.Context(), engine.FileQuery{Folder: "/usr/lib/python3/site-packages/package39/module399", Browse: true, Limit: 5})
	if err != nil || page.Total != 50 || len(page.Entries) != 5 {
		t.Errorf("a folder of the last block: %+v, %v", page, err)
	}
}

func BenchmarkPages(b *testing.B) {
	a := large(100_000)
	body, err := Of(a)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d bytes", len(body))
	for name, q := range map[string]engine.FileQuery{
		"number": {Offset: 50_000}, "search": {Text: "file9"}, "root": {Browse: true}, "content": {Text: fmt.Sprintf("%064x", 7919)},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				l, err := Open(b.Context(), source(body))
				if err != nil {
					b.Fatal(err)
				}
				if _, err := l.Page(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("build", func(b *testing.B) {
		for b.Loop() {
			if _, err := Of(a); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func FuzzPage(f *testing.F) {
	body, err := Of(some())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body, "ls", true)
	f.Add(body[:40], "", false)
	f.Fuzz(func(t *testing.T, body []byte, text string, browse bool) {
		l, err := Open(t.Context(), source(body))
		if err != nil {
			return
		}
		for _, q := range []engine.FileQuery{{Text: text, Browse: browse}, {Folder: text, Browse: browse}, {Owner: "o"}} {
			if page, err := l.Page(t.Context(), q); err == nil && len(page.Entries) > 100 {
				t.Errorf("%d entries on a page of 100", len(page.Entries))
			}
		}
	})
}
