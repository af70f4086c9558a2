package compare

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"windlass/internal/engine"
)

func pkg(name, version, path string) engine.Package {
	return engine.Package{Name: name, Version: version, Type: "npm", Path: path}
}

func TestPackages(t *testing.T) {
	for title, tc := range map[string]struct {
		before, after []engine.Package
		want          string
		count         engine.Differences
	}{
		"nothing":                 {nil, nil, "", engine.Differences{}},
		"added":                   {nil, []engine.Package{pkg("a", "1", "/x")}, "added a []->[1] [/x]", engine.Differences{Added: 1}},
		"removed":                 {[]engine.Package{pkg("a", "1", "/x")}, nil, "removed a [1]->[] [/x]", engine.Differences{Removed: 1}},
		"changed":                 {[]engine.Package{pkg("a", "1", "/x")}, []engine.Package{pkg("a", "2", "/x")}, "changed a [1]->[2] [/x]", engine.Differences{Changed: 1}},
		"same":                    {[]engine.Package{pkg("a", "1", "/x")}, []engine.Package{pkg("a", "1", "/y")}, "", engine.Differences{Same: 1}},
		"one of two versions":     {[]engine.Package{pkg("a", "1", "/x"), pkg("a", "2", "/y")}, []engine.Package{pkg("a", "1", "/x"), pkg("a", "3", "/y")}, "changed a [2]->[3] [/y]", engine.Differences{Changed: 1}},
		"a second version":        {[]engine.Package{pkg("a", "1", "/x")}, []engine.Package{pkg("a", "1", "/x"), pkg("a", "2", "/y")}, "added a []->[2] [/y]", engine.Differences{Added: 1}},
		"a second copy":           {[]engine.Package{pkg("a", "1", "/x")}, []engine.Package{pkg("a", "1", "/x"), pkg("a", "1", "/y")}, "added a []->[1] [/x /y]", engine.Differences{Added: 1}},
		"a copy less":             {[]engine.Package{pkg("a", "1", "/x"), pkg("a", "1", "/y")}, []engine.Package{pkg("a", "1", "/x")}, "removed a [1]->[] [/x /y]", engine.Differences{Removed: 1}},
		"no version":              {[]engine.Package{pkg("a", "", "")}, []engine.Package{pkg("a", "1", "")}, "changed a []->[1] []", engine.Differences{Changed: 1}},
		"another type is another": {[]engine.Package{{Name: "a", Version: "1", Type: "gem"}}, []engine.Package{pkg("a", "1", "")}, "removed a [1]->[] [] added a []->[1] []", engine.Differences{Added: 1, Removed: 1}},
	} {
		t.Run(title, func(t *testing.T) {
			list, n := packages(tc.before, tc.after)
			var got []string
			for _, c := range list {
				got = append(got, fmt.Sprint(string(c.Difference), " ", c.Name, " ", c.Before, "->", c.After, " ", c.Paths))
			}
			if text := strings.Join(got, " "); text != tc.want || n != tc.count {
				t.Errorf("%s %+v\nwant %s %+v", text, n, tc.want, tc.count)
			}
		})
	}
}

func hit(vuln, pkg, version, severity string) engine.Match {
	return engine.Match{Vuln: vuln, Package: pkg, PackageType: "npm", Version: version, Severity: severity}
}

func TestMatches(t *testing.T) {
	for title, tc := range map[string]struct {
		before, after Side
		want          string
	}{
		"still there after an upgrade": {
			Side{Packages: []engine.Package{pkg("a", "1", "")}, Matches: []engine.Match{hit("V", "a", "1", "High")}},
			Side{Packages: []engine.Package{pkg("a", "2", "")}, Matches: []engine.Match{hit("V", "a", "2", "High")}}, "same V a   "},
		"fixed by an upgrade": {
			Side{Packages: []engine.Package{pkg("a", "1", "")}, Matches: []engine.Match{hit("V", "a", "1", "High")}},
			Side{Packages: []engine.Package{pkg("a", "2", ""), pkg("a", "3", "")}}, "removed V a  version 2, 3"},
		"gone with its package": {
			Side{Packages: []engine.Package{pkg("a", "1", "")}, Matches: []engine.Match{hit("V", "a", "1", "High")}}, Side{}, "removed V a  package "},
		"came with its package": {
			Side{}, Side{Packages: []engine.Package{pkg("a", "1", "")}, Matches: []engine.Match{hit("V", "a", "1", "High")}}, "added V a  package "},
		"came with another version": {
			Side{Packages: []engine.Package{pkg("a", "0", "")}}, Side{Packages: []engine.Package{pkg("a", "1", "")}, Matches: []engine.Match{hit("V", "a", "1", "High")}}, "added V a  version 0"},
		"newly known": {
			Side{Packages: []engine.Package{pkg("a", "1", "")}}, Side{Packages: []engine.Package{pkg("a", "1", "")}, Matches: []engine.Match{hit("V", "a", "1", "High")}}, "added V a  data "},
		"judged anew": {
			Side{Matches: []engine.Match{hit("V", "a", "1", "Low")}}, Side{Matches: []engine.Match{hit("V", "a", "1", "Low"), hit("V", "a", "2", "critical")}}, "changed V a Low  "},
		"order": {
			Side{Matches: []engine.Match{hit("S", "a", "1", "Critical"), hit("R", "a", "1", "High")}},
			Side{Matches: []engine.Match{hit("S", "a", "1", "Critical"), hit("Low", "a", "1", "Low"), hit("Crit", "a", "1", "Critical"), hit("Odd", "a", "1", "what")}},
			"added Crit a  package ; added Low a  package ; added Odd a  package ; removed R a  package ; same S a   "},
	} {
		t.Run(title, func(t *testing.T) {
			list, n := matches(tc.before, tc.after)
			var got []string
			for _, c := range list {
				got = append(got, fmt.Sprint(string(c.Difference), " ", c.Vuln, " ", c.Package, " ", c.Was, " ", string(c.Reason), " ", c.Other))
			}
			if text := strings.Join(got, "; "); text != tc.want {
				t.Errorf("%q\nwant %q", text, tc.want)
			}
			if n.Added+n.Removed+n.Changed+n.Same != len(list) {
				t.Errorf("%+v of %d", n, len(list))
			}
		})
	}
}

func TestConfigs(t *testing.T) {
	before := `{"os":"linux","architecture":"amd64","author":"x","config":{"Env":["PATH=/bin","GONE=1","SAME=1","EMPTY="],"Entrypoint":["/bin/sh","-c","a b"],"Labels":{"l":"1"},"ExposedPorts":{"80/tcp":{}}},"rootfs":{"diff_ids":["1","2","3"]}}`
	after := `{"os":"linux","architecture":"arm64","author":"x","config":{"Env":["PATH=/usr/bin","SAME=1","EMPTY=","NEW="],"Entrypoint":["/bin/sh","-c","a","b"],"Labels":{"l":"1"},"ExposedPorts":{"443/tcp":{}},"Healthcheck":{"Test":["CMD","x"]}},"rootfs":{"diff_ids":["1","2","4","5"]}}`
	c := Images(Side{Config: []byte(before)}, Side{Config: []byte(after)}, false)
	var got []string
	for _, s := range c.Config {
		got = append(got, fmt.Sprintf("%s %s %s: %s > %s", s.Difference, s.Field, s.Key, s.Before, s.After))
	}
	want := []string{
		`changed entrypoint : /bin/sh -c "a b" > /bin/sh -c a b`, "removed environment GONE: 1 > ", "added environment NEW:  > ", "changed environment PATH: /bin > /usr/bin",
		"added port 443/tcp:  > ", "removed port 80/tcp:  > ", "added health check :  > CMD x", "changed platform : linux/amd64 > linux/arm64",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q\nwant %q", got, want)
	}
	if c.SharedLayers != 2 || c.Before.Layers != 3 || c.After.Layers != 4 || c.ConfigCount.Same != 4 {
		t.Errorf("%d layers shared of %d and %d, %+v", c.SharedLayers, c.Before.Layers, c.After.Layers, c.ConfigCount)
	}
	for _, odd := range []string{"", "{", "7", `{"config":{"Env":7,"User":"u"}}`, `{"config":null}`} {
		Images(Side{Config: []byte(odd)}, Side{Config: []byte(before)}, false) // does not fall over it
	}
}

func TestFiles(t *testing.T) {
	f := func(path, sum, mode string) engine.File {
		return engine.File{Path: path, SHA256: sum, Mode: mode, Type: "file"}
	}
	link := engine.File{Path: "/l", Type: "slink", Link: "a"}
	moved := link
	moved.Link = "b"
	owned := f("/o", "1", "00644")
	owned.UID = 7
	large, larger := engine.File{Path: "/big", Type: "file", Size: 1}, engine.File{Path: "/big", Type: "file", Size: 2}
	dir, grown := engine.File{Path: "/d", Type: "dir", Size: 1}, engine.File{Path: "/d", Type: "dir", Size: 2}
	list, n := files(
		[]engine.File{f("/z", "1", "00644"), f("/gone", "1", "00644"), f("/same", "1", "00644"), link, f("/o", "1", "00644"), large, dir, {Path: "/t", Type: "dir"}},
		[]engine.File{f("/new", "1", "00644"), f("/z", "2", "00755"), f("/same", "1", "00644"), moved, owned, larger, grown, f("/t", "1", "00644")},
	)
	var got []string
	for _, c := range list {
		got = append(got, fmt.Sprint(string(c.Difference), " ", c.Path, " ", c.What))
	}
	want := []string{
		"changed /big [content]", "removed /gone []", "changed /l [link]", "added /new []", "changed /o [owner]", "changed /t [type]", "changed /z [content mode]",
	}
	if !slices.Equal(got, want) || n != (engine.Differences{Added: 1, Removed: 1, Changed: 5, Same: 2}) {
		t.Errorf("%q %+v\nwant %q", got, n, want)
	}
}

// Whatever a configuration says, it differs from itself in nothing.
func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"os":"linux","config":{"Env":["A=1","A=2","B"],"Labels":{"l":"1"},"Healthcheck":null},"rootfs":{"diff_ids":["1"]}}`))
	f.Add([]byte(`{"config":7}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		c := Images(Side{Config: raw}, Side{Config: raw}, false)
		if c.ConfigCount.Any() || c.SharedLayers != c.After.Layers {
			t.Errorf("%+v", c)
		}
	})
}
