package support_test

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"net/url"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/support"
)

func TestRedactor(t *testing.T) {
	const pass = `p@ss "w/rd+7%`
	r := support.NewRedactor([]engine.Secret{pass, "secret-one", "secret-one-longer", "abc", "x"})
	basic := base64.StdEncoding.EncodeToString([]byte("user:whatever-it-is"))
	tests := map[string]struct{ in, gone, kept string }{
		"plain":             {"login with " + pass + " failed", pass, "login with [redacted] failed"},
		"in an address":     {"https://u:" + url.QueryEscape(pass) + "@host/path", url.QueryEscape(pass), "host/path"},
		"as JSON":           {`{"x":"p@ss \"w/rd+7%"}`, `w/rd`, `{"x":"[redacted]"}`},
		"in base 64":        {"x " + base64.StdEncoding.EncodeToString([]byte(pass)), base64.StdEncoding.EncodeToString([]byte(pass)), "x [redacted]"},
		"the longer":        {"a secret-one-longer b", "longer", "a [redacted] b"},
		"a short one":       {"password abc, alphabcd", " abc,", "alphabcd"},
		"no secret":         {"xylophone", "none", "xylophone"},
		"userinfo":          {"postgres://windlass:hunter2@db:5432/x", "hunter2", "@db:5432/x"},
		"user as token":     {"https://3f9c1a3f9c1a@git.example/x", "3f9c1a", "git.example/x"},
		"basic":             {"Authorization: Basic " + basic, basic, "Basic [redacted]"},
		"bearer":            {"authorization=Bearer abcdef.ghijkl-0123", "ghijkl", "[redacted]"},
		"jwt":               {"got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcDEF-_123", "abcDEF", "got [redacted]"},
		"API token":         {"used " + engine.TokenPrefix + "ABCDEFGHIJKLMNOPQRSTUVWXYZ here", "QRSTUV", "used [redacted] here"},
		"member":            {`{"registry_pass": "hunter2", "registry": "r.example"}`, "hunter2", `"registry": "r.example"`},
		"attribute":         {`line password=hunter2 user=ann`, "hunter2", "user=ann"},
		"quoted attribute":  {`line client_secret="hunter two" user=ann`, "hunter two", "user=ann"},
		"query":             {"GET /x?token=hunter2&page=2", "hunter2", "&page=2"},
		"cookie":            {"Set-Cookie: windlass=abcdef; Path=/", "abcdef", "Set-Cookie: [redacted]"},
		"private key":       {"-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nnext", "MIIE", "next"},
		"cloud key":         {"key AKIAIOSFODNN7EXAMPLE here", "IOSFODNN", "here"},
		"a digest stays":    {"sha256:" + strings.Repeat("ab", 32), "none", "sha256:abab"},
		"an image stays":    {"registry.example:5000/team/app:1@sha256:abcdef", "none", "team/app:1@sha256:abcdef"},
		"an address stays":  {"http://127.0.0.1:8228/v1/health?x=1", "none", "127.0.0.1:8228/v1/health?x=1"},
		"a sentence stays":  {"The token is missing; a password was not given.", "none", "The token is missing; a password was not given."},
		"two in one string": {"secret-one and secret-one", "secret-one", "[redacted] and [redacted]"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := r.Text(tc.in)
			if strings.Contains(got, tc.gone) || !strings.Contains(got, tc.kept) {
				t.Errorf("%q became %q", tc.in, got)
			}
		})
	}
}

func FuzzRedactor(f *testing.F) {
	f.Add("https://a:b@c ?token=x", "secret-one")
	f.Add("-----BEGIN PRIVATE KEY-----", "\x00\xff\"\\ x")
	f.Fuzz(func(t *testing.T, text, secret string) {
		r := support.NewRedactor([]engine.Secret{engine.Secret(secret)})
		got := r.Text(text + " " + secret)
		// The mark in the place of one may hold a secret made of its letters.
		if rest := strings.ReplaceAll(got, "[redacted]", ""); len(secret) >= 6 && strings.Contains(rest, secret) && !strings.Contains(text, "[redacted]") && !strings.Contains("[redacted]", secret) {
			t.Errorf("%q is in %q", secret, got)
		}
	})
}

func TestBundleIsBoundedAndWhole(t *testing.T) {
	big := strings.Repeat("a line of a log\n", 1<<19) // 8 MB
	many := []support.Part{
		{Name: "config.json", Says: "settings", Make: func() (any, error) { return map[string]string{"x": "secret-one"}, nil }},
		{Name: "gone.json", Says: "what is not there", Make: func() (any, error) { return nil, errors.New("no route to secret-one") }},
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		many = append(many, support.Part{Name: name + ".log", Make: func() (any, error) { return big + "the end\n", nil }})
	}
	var out bytes.Buffer
	if err := support.Write(&out, many, support.NewRedactor([]engine.Secret{"secret-one"}), time.Now()); err != nil {
		t.Fatal(err)
	}
	files := unpack(t, out.Bytes())
	total := 0
	for name, text := range files {
		total += len(text)
		if strings.Contains(text, "secret-one") {
			t.Errorf("%s holds the secret", name)
		}
	}
	if total > 17<<20 || len(files) != len(many)+1 {
		t.Errorf("%d files of %d bytes", len(files), total)
	}
	if got := files["gone.json.missing.txt"]; !strings.Contains(got, "no route to [redacted]") {
		t.Errorf("the reason is %q", got)
	}
	if got := files["a.log"]; !strings.HasPrefix(got, "[what came before") || !strings.HasSuffix(got, "the end\n") {
		t.Errorf("a.log begins %.60q", got)
	}
	if !strings.Contains(files["README.txt"], "config.json") {
		t.Error("no list of contents")
	}
}

func unpack(t *testing.T, raw []byte) map[string]string {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}
