package bundles_test

import (
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/bundles"
	"windlass/internal/engine/policy"
)

func TestRead(t *testing.T) {
	const rest = `"version":"1_0","policies":[],"mappings":[]`
	sum := md5.Sum([]byte("acme:mine"))
	made := hex.EncodeToString(sum[:])
	tests := map[string]struct{ in, id, doc string }{
		"as written": {
			`{ "id" : "a", "zz": [1.0, 1e3, "\u00e9<&>"],` + "\n" + rest + `, "name": "mine"}`, "a",
			`{"id":"a","zz":[1.0,1e3,"\u00e9<&>"],` + rest + `,"name":"mine"}`,
		},
		"an empty id":       {`{"name":"mine","id":"",` + rest + `}`, made, `{"name":"mine","id":"` + made + `",` + rest + `}`},
		"an empty id first": {`{"id":"", "name":"mine",` + rest + `}`, made, `{"id":"` + made + `","name":"mine",` + rest + `}`},
		"id null":           {`{"name":"mine",` + rest + `,"id":null}`, made, `{"name":"mine",` + rest + `,"id":"` + made + `"}`},
		"no id":             {`{"name":"mine",` + rest + `}`, made, `{"id":"` + made + `","name":"mine",` + rest + `}`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b, err := bundles.Read("acme", []byte(tc.in))
			if err != nil {
				t.Fatal(err)
			}
			if b.ID != tc.id || string(b.Document) != tc.doc || b.Account != "acme" || b.Name != "mine" || len(b.Digest) != 64 {
				t.Errorf("%+v\n%s\nwant %s", b, b.Document, tc.doc)
			}
		})
	}
}

func TestReadTellsAllThatIsWrong(t *testing.T) {
	doc := strings.ReplaceAll(string(policy.Default()), `"dockerfile"`, `"doctorfile"`)
	doc = strings.ReplaceAll(doc, `"medium"`, `"mild"`)
	_, err := bundles.Read("acme", []byte(doc))
	var f *engine.Fault
	if !errors.As(err, &f) || f.Message != "Bundle failed validation" {
		t.Fatal(err)
	}
	problems, _ := f.Detail["validation_details"].([]policy.Problem)
	kinds := map[string]int{}
	for _, p := range problems {
		kinds[p.Type]++
	}
	if kinds[policy.ProblemGate] < 1 || kinds[policy.ProblemValue] < 2 {
		t.Errorf("problems %+v", problems)
	}
	for _, doc := range []string{``, `null`, `[]`, `{`, "{\"id\":\"\xff\"}", `{"id":7,"version":"1_0"}`, strings.Repeat(`[`, 5000) + strings.Repeat(`]`, 5000)} {
		if _, err := bundles.Read("acme", []byte(doc)); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("%.20q: %v", doc, err)
		}
	}
}

func TestFirst(t *testing.T) {
	set, err := bundles.First("")
	if err != nil || len(set.Bundles) != 1 || set.Active != "2c53a13c-1765-11e8-82ef-23527761d060" {
		t.Fatalf("%+v, %v", set, err)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.json", `{"id":"a","version":"1_0","policies":[],"mappings":[]}`)
	write("std.json", `{"id":"`+set.Active+`","name":"ours","version":"1_0","policies":[],"mappings":[]}`)
	write("notes.txt", `no bundle`)
	if set, err = bundles.First(dir); err != nil || len(set.Bundles) != 2 || set.Bundles[0].Name != "ours" || set.Bundles[1].ID != "a" {
		t.Errorf("%+v, %v", set, err)
	}
	write("b.json", `{"id":"a","version":"1_0","policies":[],"mappings":[]}`)
	write("c.json", `{"id":"c","version":"2","policies":[],"mappings":[]}`)
	_, err = bundles.First(dir)
	if err == nil || !strings.Contains(err.Error(), "b.json: has the id of a.json") || !strings.Contains(err.Error(), "c.json: ") ||
		!strings.Contains(err.Error(), policy.ProblemVersion) {
		t.Errorf("faults of a folder: %v", err)
	}
	for _, bad := range []string{filepath.Join(dir, "none"), filepath.Join(dir, "a.json")} {
		if _, err := bundles.First(bad); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}

// FuzzRead: whatever comes, it is refused as invalid or kept as it is written.
func FuzzRead(f *testing.F) {
	f.Add(string(policy.Default()))
	f.Add(`{"id":"","name":"x","version":"1_0","policies":[],"mappings":[]}`)
	f.Add(`{"a":{"id":1},"version":"1_0","policies":[],"mappings":[],"id":null}`)
	f.Fuzz(func(t *testing.T, doc string) {
		b, err := bundles.Read("acme", []byte(doc))
		if err != nil {
			if !errors.Is(err, engine.ErrInvalid) {
				t.Fatalf("not a fault: %v", err)
			}
			return
		}
		var keys map[string]json.RawMessage
		if err := json.Unmarshal(b.Document, &keys); err != nil || b.ID == "" {
			t.Fatalf("kept %q as %q: %v", doc, b.Document, err)
		}
		again, err := bundles.Read("acme", b.Document)
		if err != nil || again.ID != b.ID || again.Digest != b.Digest {
			t.Fatalf("kept %q, read again %+v, %v", b.Document, again, err)
		}
	})
}
