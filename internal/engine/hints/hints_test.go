package hints

import (
	"bytes"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

func TestRead(t *testing.T) {
	tests := map[string]struct {
		doc   string
		want  []Package
		notes []string // what each begins with
		err   string
	}{
		"all of it": {
			doc: `{"packages": [{"name": "musl", "version": "1.1.20", "release": "r8", "type": "APKG", "license": "MIT", "licenses": [],
				"origin": "Someone <a@b>", "source": "musl-src", "arch": "x86_64", "size": "592", "location": "lib//ld.so", "cpes": ["cpe:2.3:a:x"]}]}`,
			want: []Package{{Type: "apkg", Name: "musl", Version: "1.1.20-r8", Location: "/lib/ld.so", Licenses: []string{"MIT"},
				Origin: "Someone <a@b>", Source: "musl-src", Arch: "x86_64", CPEs: []string{"cpe:2.3:a:x"}, Size: 592}},
		},
		"lists": {
			doc:  `{"packages": [{"name": "x", "versions": ["2.0", "1.0"], "type": "gem", "licenses": ["MIT", "GPL"], "origins": ["a", "b"], "sourcepkg": "s", "size": 3}]}`,
			want: []Package{{Type: "gem", Name: "x", Version: "2.0", Licenses: []string{"MIT", "GPL"}, Origin: "a,b", Source: "s", Size: 3}},
		},
		"one in place of a list": {
			doc:  `{"packages": [{"name": "x", "versions": "2.0", "type": "npm", "licenses": "MIT", "origins": "a", "release": "ignored"}]}`,
			want: []Package{{Type: "npm", Name: "x", Version: "2.0", Licenses: []string{"MIT"}, Origin: "a"}},
		},
		"numbers and nulls": {
			doc:  `{"packages": [{"name": "x", "version": 2, "type": "go", "size": null, "license": null, "licenses": null, "size": "N/A"}]}`,
			want: []Package{{Type: "go", Name: "x", Version: "2"}},
		},
		"some are wrong": {
			doc: `{"packages": [7, {"version": "1", "type": "go"}, {"name": "x", "type": "go"}, {"name": "x", "version": "1", "type": "deb"},
				{"name": {}, "version": "1", "type": "go"}, {"name": "a\u0007", "version": "1", "type": "go"}, {"name": "x", "version": "1", "type": "go", "size": -1},
				{"name": "right", "version": "1", "type": "go"}]}`,
			want: []Package{{Type: "go", Name: "right", Version: "1"}},
			notes: []string{"package 1: json", "package 2: it has no name", "package 3: x has no version", `package 4: x: its type "deb" is none`,
				"package 5: {} is no text", "package 6: \"a\\a\" has control", `package 7: "-1" is no size`},
		},
		"too long":    {doc: `{"packages": [{"name": "` + strings.Repeat("x", maxText+1) + `", "version": "1", "type": "go"}]}`, notes: []string{"package 1: a text of 1001 bytes"}},
		"no packages": {doc: `{}`},
		"null":        {doc: `null`},
		"not JSON":    {doc: `{"packages": [`, err: "not a document of hints"},
		"not a list":  {doc: `{"packages": {"a": 1}}`, err: "not a document of hints"},
		"empty":       {doc: ``, err: "not a document of hints"},
		"too large":   {doc: strings.Repeat(" ", MaxSize+1), err: "larger than"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, notes, err := Read(strings.NewReader(tc.doc))
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("error %v, want %s", err, tc.err)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, tc.want)
			}
			if len(notes) != len(tc.notes) {
				t.Fatalf("notes %q", notes)
			}
			for i, want := range tc.notes {
				if !strings.HasPrefix(notes[i], want) {
					t.Errorf("note %q, want %q", notes[i], want)
				}
			}
		})
	}
}

func TestBounds(t *testing.T) {
	many := func(n int, item string) string {
		return `{"packages": [` + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + `]}`
	}
	list, notes, err := Read(strings.NewReader(many(maxPackages+5, `{"name":"x","version":"1","type":"go"}`)))
	if err != nil || len(list) != maxPackages || len(notes) != 1 {
		t.Errorf("%d packages, notes %q, %v", len(list), notes, err)
	}
	list, notes, err = Read(strings.NewReader(many(maxNotes+5, `{}`)))
	if err != nil || len(list) != 0 || len(notes) != maxNotes+1 || notes[maxNotes] != fmt.Sprintf("%d packages are left out in all", maxNotes+5) {
		t.Errorf("%d packages, notes %q, %v", len(list), notes, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"packages": [{"name": "musl", "version": "1.1.20", "release": "r8", "type": "apkg", "licenses": ["MIT"], "size": "5", "location": "../x"}]}`))
	f.Add([]byte(`{"packages": [{"name": 1e5, "versions": "x", "type": "GO", "licenses": [null]}, null, []]}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		list, notes, err := Read(bytes.NewReader(raw))
		if err != nil {
			return
		}
		if len(list) > maxPackages || len(notes) > maxNotes+2 {
			t.Errorf("%d packages, %d notes", len(list), len(notes))
		}
		for _, p := range list {
			if p.Name == "" || p.Version == "" || p.Size < 0 || p.Location != "" && p.Location[0] != '/' {
				t.Errorf("%+v", p)
			}
		}
	})
}
