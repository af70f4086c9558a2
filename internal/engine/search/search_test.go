package search

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

func settings(t testing.TB, text string) *Settings {
	t.Helper()
	s, err := Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// lines searches one file and says what matched on which lines.
func lines(t testing.TB, f *Finder, body string) map[string][]int {
	t.Helper()
	f.Search("/f", []byte(body))
	docs, err := f.Documents()
	if err != nil {
		t.Fatal(err)
	}
	var found []finding
	for _, name := range []string{engine.DocSecrets, engine.DocContentSearch} {
		var list []finding
		if err := json.Unmarshal(docs[name], &list); err != nil {
			t.Fatal(err)
		}
		found = append(found, list...)
	}
	out := map[string][]int{}
	for _, file := range found {
		for _, m := range file.Matches {
			out[m.Name] = m.Lines
		}
	}
	return out
}

const (
	access = "AKIAIOSFODNN7EXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
)

func TestDefaultSecrets(t *testing.T) {
	tests := map[string]struct {
		body string
		want map[string][]int
	}{
		"nothing":         {"hello\nworld\n", nil},
		"access key":      {"[default]\naws_access_key_id = " + access + "\n", map[string][]int{"AWS_ACCESS_KEY": {1}}},
		"in capitals":     {"export AWS_ACCESS_KEY_ID==" + access, map[string][]int{"AWS_ACCESS_KEY": {0}}},
		"key too long":    {"aws_access_key_id = X" + access + "\n", nil},
		"secret key":      {"aws_secret_access_key = " + secret + "\r\n\r\n", map[string][]int{"AWS_SECRET_KEY": {0}}},
		"private key":     {"\n\n-----BEGIN RSA PRIVATE KEY-----\nMII\n-----END RSA PRIVATE KEY-----\n-----begin private key-----", map[string][]int{"PRIV_KEY": {2, 5}}},
		"key within line": {"x -----BEGIN PRIVATE KEY-----\n", nil}, // matched at the start
		"docker":          {`{"auths": {"r": {` + "\n" + `  "auth": "dXNlcjpwYXNz"` + "\n}}}", map[string][]int{"DOCKER_AUTH": {1}}},
		"api key":         {"API-KEY = 0123456789ABCDEFGHIJ", map[string][]int{"API_KEY": {0}}},
		"binary":          {"\x00\xff\xfe\napi_key=\xff 0123456789ABCDEFGHIJ \xff\n\xc3", map[string][]int{"API_KEY": {1}}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := lines(t, Default().NewFinder(), tc.body)
			if fmt.Sprint(got) != fmt.Sprint(tc.want) {
				t.Errorf("found %v, want %v", got, tc.want)
			}
		})
	}
}

func TestSearchBounds(t *testing.T) {
	t.Run("size of a file", func(t *testing.T) {
		f := Default().NewFinder()
		if f.Searches(0) || !f.Searches(10_000) || f.Searches(10_001) || !f.Keeps(1000<<10) || f.Keeps(1000<<10+1) {
			t.Error("sizes are not held")
		}
	})
	t.Run("lines of a finding", func(t *testing.T) {
		f := settings(t, "content_search: {match_params: [MAXFILESIZE=1000000], regexp_match: ['A=a']}").NewFinder()
		if got := lines(t, f, strings.Repeat("a\n", 5000))["A"]; len(got) != maxNumber || got[maxNumber-1] != maxNumber-1 {
			t.Errorf("%d lines", len(got))
		}
	})
	t.Run("findings of an image", func(t *testing.T) {
		f := settings(t, "content_search: {regexp_match: ['A=a']}").NewFinder()
		name := "/" + strings.Repeat("x", 4000)
		for range 5000 {
			f.Search(name, []byte("a"))
		}
		if docs, err := f.Documents(); err != nil || len(docs[engine.DocContentSearch]) > maxFound || len(f.Notes()) != 1 {
			t.Errorf("%d bytes, %v, %v", len(docs[engine.DocContentSearch]), f.Notes(), err)
		}
	})
	t.Run("files kept", func(t *testing.T) {
		f := Default().NewFinder()
		for i := range 40 {
			f.Keep(fmt.Sprint("/", i), make([]byte, 1<<20))
		}
		if len(f.kept) >= 17 || len(f.Notes()) != 1 {
			t.Errorf("%d files, %v", len(f.kept), f.Notes())
		}
	})
	t.Run("one line without end", func(t *testing.T) {
		f := settings(t, "secret_search: {match_params: [MAXFILESIZE=10485760]}").NewFinder()
		began := time.Now()
		got := lines(t, f, "api_key=0123456789ABCDEFGHIJ "+strings.Repeat("x", 10<<20-100))
		if len(got) != 0 && len(got) != 1 || time.Since(began) > time.Minute {
			t.Errorf("%v in %v", got, time.Since(began))
		}
	})
	t.Run("expression that takes forever", func(t *testing.T) {
		f := settings(t, `content_search: {match_params: [MAXFILESIZE=100000], regexp_match: ['BAD=(?=x)(x+x+)+[yz]$', 'GOOD=x']}`).NewFinder()
		began := time.Now()
		got := lines(t, f, strings.Repeat(strings.Repeat("x", 60)+"w\n"+strings.Repeat("x", 60)+"\n", 100))
		if len(got["GOOD"]) != 200 {
			t.Errorf("the other expression found %v", got["GOOD"])
		}
		if took := time.Since(began); took > time.Minute || !slices.ContainsFunc(f.Notes(), func(s string) bool { return strings.Contains(s, "BAD") }) {
			t.Errorf("took %v, notes %v", took, f.Notes())
		}
	})
	t.Run("time of an image", func(t *testing.T) {
		f := Default().finder(-time.Second)
		if got := lines(t, f, "api_key=0123456789ABCDEFGHIJ"); len(got) != 0 || f.Searches(1) || len(f.Notes()) != 1 {
			t.Errorf("found %v, notes %v", got, f.Notes())
		}
	})
}

func TestDocuments(t *testing.T) {
	f := settings(t, `
secret_search: {match_params: [STOREONMATCH=y]}
content_search: {regexp_match: ['TODO=.*TODO', 'EQ=a=b']}
`).NewFinder()
	f.Keep("/etc/passwd", []byte("root:x:0:0::/root:/bin/sh\n"))
	f.Search("/z", []byte("nothing\nx TODO\n a TODO\na=b TODO"))
	f.Search("/a", []byte("-BEGIN <X> PRIVATE KEY-"))
	f.Search("/etc/passwd", []byte("-BEGIN PRIVATE KEY-"))
	docs, err := f.Documents()
	if err != nil {
		t.Fatal(err)
	}
	golden(t, docs)

	docs, err = Default().NewFinder().Documents()
	for name, doc := range docs {
		if string(doc) != "[]" || err != nil {
			t.Errorf("%s of nothing = %s, %v", name, doc, err)
		}
	}
}

func golden(t *testing.T, docs map[string][]byte) {
	t.Helper()
	for name, doc := range docs {
		var out bytes.Buffer
		if err := json.Indent(&out, doc, "", "  "); err != nil {
			t.Fatal(err)
		}
		out.WriteByte('\n')
		file := filepath.Join("testdata", name+".json")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(file, out.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil || !bytes.Equal(want, out.Bytes()) {
			t.Errorf("%s (%v):\n%s", name, err, out.Bytes())
		}
	}
}

// The short cut by needed texts must find what trying every line finds.
func FuzzSearch(f *testing.F) {
	f.Add([]byte("aws_access_key_id = AKIAIOSFODNN7EXAMPLE\n\xff\n-----BEGIN PRIVATE KEY-----"))
	f.Add([]byte("x\r\n\"auth\": \"a\"\nAPI-KEY=0123456789ABCDEFGHIJ"))
	f.Add([]byte("api_\u212aey=0123456789ABCDEFGHIJ"))
	fast, slow := Default(), Default()
	for i := range slow.Secrets.Expressions {
		slow.Secrets.Expressions[i].needs = nil
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if len(body) > 5000 {
			return
		}
		a, b := fast.NewFinder(), slow.NewFinder()
		a.Search("/f", body)
		b.Search("/f", body)
		if fmt.Sprint(a.searches[0].found) != fmt.Sprint(b.searches[0].found) {
			t.Errorf("%q: %v, in full %v", body, a.searches[0].found, b.searches[0].found)
		}
	})
}

// A file as images have them by the ten thousand.
func BenchmarkSearch(b *testing.B) {
	body := []byte(strings.Repeat("# The api of this key = value module is documented elsewhere.\nfunc main() { return 0 }\n", 100))
	f := Default().NewFinder()
	f.until = f.until.Add(time.Hour)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		f.Search("/f", body)
	}
}
