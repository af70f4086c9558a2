package analyzer_test

import (
	"archive/tar"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"

	"windlass/internal/engine"
	"windlass/internal/engine/analyzer"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/search"
)

const privateKey = "-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----\n"

// searched analyzes an image and says what its documents name.
func searched(t *testing.T, img v1.Image, settings string) (secrets, content, kept []string) {
	t.Helper()
	reg := enginetest.Registry(t)
	a, c := open(t)
	if settings != "" {
		var err error
		if a.Search, err = search.Read(strings.NewReader(settings)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := a.Analyze(t.Context(), resolve(t, c, reg.Push(t, "searched:1", img)), enginetest.Logger(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	return named(t, got, engine.DocSecrets), named(t, got, engine.DocContentSearch), named(t, got, engine.DocRetrieved)
}

// named writes a document down, a line for each of its facts.
func named(t *testing.T, r analyzer.Result, name string) (out []string) {
	t.Helper()
	var list []struct {
		Path    string  `json:"path"`
		Body    *string `json:"b64_content"`
		Matches []struct {
			Name  string
			Lines []int
		}
	}
	doc := r.Analysis.Documents[name]
	if err := json.Unmarshal(doc, &list); err != nil {
		t.Fatalf("%s: %v in %s", name, err, doc)
	}
	for _, f := range list {
		if f.Body != nil {
			body, err := base64.StdEncoding.DecodeString(*f.Body)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprintf("%s %.20q", f.Path, body))
		}
		for _, m := range f.Matches {
			out = append(out, fmt.Sprintf("%s %s %v", f.Path, m.Name, m.Lines))
		}
	}
	return out
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s:\n%s\nwant\n%s", what, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestSearchSeesWhatAContainerSees(t *testing.T) {
	img := enginetest.Image(t,
		enginetest.Files{
			"etc/passwd": "old:x:0:0::/:/bin/sh\n", "root/.aws/credentials": "[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY\n",
			"removed/key": privateKey, "hidden/key": privateKey, "replaced": privateKey, "big": privateKey + strings.Repeat("x", 10_000),
			"binary": "\x7fELF\x00\xff\xfe\n" + privateKey, "empty": "",
		},
		enginetest.Files{
			"removed/.wh.key": "", "hidden/.wh..wh..opq": "", "hidden/other": "api-key = 0123456789abcdefghij", "replaced": "nothing",
			"etc/passwd": "root:x:0:0::/:/bin/sh\n", "root/.docker/config.json": "{\"auths\":{\"r\":{\n\"auth\": \"dTpw\"}}}",
		},
	)
	secrets, content, kept := searched(t, img, "")
	same(t, "secrets", secrets,
		"/binary PRIV_KEY [1]", "/hidden/other API_KEY [0]",
		"/root/.aws/credentials AWS_ACCESS_KEY [1]", "/root/.aws/credentials AWS_SECRET_KEY [2]", "/root/.docker/config.json DOCKER_AUTH [1]")
	same(t, "content", content)
	same(t, "kept", kept, `/etc/passwd "root:x:0:0::/:/bin/s"`)
}

func TestSearchBySettings(t *testing.T) {
	img := enginetest.Image(t,
		enginetest.Files{"etc/app.conf": "a\npassword = 1\n", "etc/large": strings.Repeat("y", 2000), "etc/passwd": "root", "key": privateKey})
	secrets, content, kept := searched(t, img, `
retrieve_files: {max_file_size_kb: 1, file_list: [/etc/passwd, /etc/large, /etc, /none]}
secret_search: {regexp_match: []}
content_search: {match_params: [STOREONMATCH=y], regexp_match: ['PW=.*password', 'CRAZY=(?=a)(a+a+)+[yz]$']}
`)
	same(t, "secrets", secrets)
	same(t, "content", content, "/etc/app.conf PW [1]")
	same(t, "kept", kept, `/etc/app.conf "a\npassword = 1\n"`, `/etc/passwd "root"`)
}

// member is a file of a layer in the order of the archive.
type member struct {
	tar.Header
	body string
}

func tarOf(t *testing.T, list ...member) []byte {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, m := range list {
		m.Size, m.Mode = int64(len(m.body)), 0o644
		if err := w.WriteHeader(&m.Header); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, m.body); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func file(name, body string) member {
	return member{tar.Header{Name: name, Typeflag: tar.TypeReg}, body}
}

func link(kind byte, name, to string) member {
	return member{tar.Header{Name: name, Typeflag: kind, Linkname: to}, ""}
}

// A file has its bytes under every name of it, and keeps them when the first
// name is removed.
func TestSearchFollowsHardLinks(t *testing.T) {
	img := enginetest.Append(t, empty.Image, tarOf(t,
		file("twice", "old"), file("twice", privateKey), file("a", privateKey), link(tar.TypeLink, "b", "a"), link(tar.TypeLink, "c", "/b"),
		file("users", "root"), link(tar.TypeLink, "etc/passwd", "users"), link(tar.TypeSymlink, "s", "a"), link(tar.TypeLink, "dangling", "none"),
		file("d/only", privateKey), link(tar.TypeLink, "y", "d/only"), link(tar.TypeLink, "x", "d/only"),
	))
	img = enginetest.Append(t, img, tarOf(t, file("d/.wh.only", ""), link(tar.TypeLink, "late", "a")))
	secrets, _, kept := searched(t, img, "")
	same(t, "secrets", secrets, "/a PRIV_KEY [0]", "/twice PRIV_KEY [0]", "/x PRIV_KEY [0]")
	same(t, "kept", kept, `/etc/passwd "root"`)
}

// Large files between small ones are passed over, wherever the buffer ends.
func TestSearchPassesOver(t *testing.T) {
	var list []member
	var want []string
	for i := range 60 {
		name := fmt.Sprintf("k%02d", i)
		list = append(list, file("l"+name, strings.Repeat("x", 10_001+i*7001)), file(name, privateKey), file("e"+name, ""))
		want = append(want, "/"+name+" PRIV_KEY [0]")
	}
	secrets, _, _ := searched(t, enginetest.Append(t, empty.Image, tarOf(t, list...)), "")
	same(t, "secrets", secrets, want...)
}

func TestSearchOfVeryManyFiles(t *testing.T) {
	if testing.Short() {
		t.Skip("long")
	}
	list := make([]member, 20_000)
	for i := range list {
		list[i] = file(fmt.Sprintf("d%d/f%d", i/1000, i), "api = the value of a key\nexport KEY=value\n")
	}
	list[19_999].body = privateKey
	secrets, _, _ := searched(t, enginetest.Append(t, empty.Image, tarOf(t, list...)), "")
	same(t, "secrets", secrets, "/d19/f19999 PRIV_KEY [0]")
}
