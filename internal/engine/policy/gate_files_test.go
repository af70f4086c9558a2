package policy

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/pattern"
)

func exampleFiles() *Image {
	return &Image{
		Files: []engine.File{
			{Path: "/usr/bin/sudo", Mode: "04755", SHA256: "aa11", Type: "file"},
			{Path: "/etc/passwd", Mode: "00644", SHA256: "bb22", Type: "file"},
			{Path: "/etc/ssl/key.pem", Mode: "00600", SHA256: "cc33", Type: "file"},
			{Path: "/etc", Mode: "00755", Type: "dir"},
			{Path: "/usr/bin/wall", Mode: "02755", Type: "file"},
			{Path: "/tmp", Mode: "01777", Type: "dir"},
		},
		Content: []Finding{
			{Path: "/app/config", Name: "PW", Regex: ".*password.*"},
			{Path: "/app/other", Name: "KEY", Regex: "key=.*"},
		},
	}
}

func tryFilesContent(t *testing.T, run runner) {
	pw, key := "File /app/config contains a text that matches PW=.*password.*", "File /app/other contains a text that matches KEY=key=.*"
	run(t, "files", "content_regex_match", exampleFiles(), map[string]check{
		"any":           {want: []string{pw, key}},
		"by name":       {params: []string{"regex_name", "PW"}, want: []string{pw}},
		"by expression": {params: []string{"regex_name", "key=.*"}, want: []string{key}},
		"another":       {params: []string{"regex_name", "pw"}},
		"empty is any":  {params: []string{"regex_name", ""}, want: []string{pw, key}},
		"nothing found": {image: &Image{}},
	})
}

func tryFilesName(t *testing.T, run runner) {
	match := func(path, re string) string { return fmt.Sprintf("File %s has a name that matches %s", path, re) }
	run(t, "files", "name_match", exampleFiles(), map[string]check{
		"ending":            {params: []string{"regex", `.*\.pem$`}, want: []string{match("/etc/ssl/key.pem", `.*\.pem$`)}},
		"beginning":         {params: []string{"regex", `/etc/p`}, want: []string{match("/etc/passwd", `/etc/p`)}},
		"from the start":    {params: []string{"regex", `etc`}},
		"alternatives":      {params: []string{"regex", `/tmp|/etc/passwd`}, want: []string{match("/etc/passwd", `/tmp|/etc/passwd`), match("/tmp", `/tmp|/etc/passwd`)}},
		"what Go has not":   {params: []string{"regex", `/etc/(?!ssl).+`}, want: []string{match("/etc/passwd", `/etc/(?!ssl).+`)}},
		"in any case":       {params: []string{"regex", `(?i).*SUDO\Z`}, want: []string{match("/usr/bin/sudo", `(?i).*SUDO\Z`)}},
		"no files":          {params: []string{"regex", `.*`}, image: &Image{}},
		"not a newline set": {params: []string{"regex", "[^\n]*/key"}, want: []string{match("/etc/ssl/key.pem", "[^\n]*/key")}},
	})
}

func tryFilesAttribute(t *testing.T, run runner) {
	run(t, "files", "attribute_match", exampleFiles(), map[string]check{
		"checksum":                  {params: []string{"filename", "/etc/passwd", "checksum", "BB22", "checksum_algorithm", "sha256"}, want: []string{"File /etc/passwd: checksum sha256:bb22 equals BB22"}},
		"this checksum, wanted":     {params: []string{"filename", "/etc/passwd", "checksum", "bb22", "checksum_match", "equals"}, want: []string{"File /etc/passwd: checksum sha256:bb22 equals bb22"}},
		"another checksum":          {params: []string{"filename", "/etc/passwd", "checksum", "00"}},
		"another checksum, asked":   {params: []string{"filename", "/etc/passwd", "checksum", "00", "checksum_match", "not_equals"}, want: []string{"File /etc/passwd: checksum sha256:bb22 differs from 00"}},
		"this checksum, not wanted": {params: []string{"filename", "/etc/passwd", "checksum", "bb22", "checksum_match", "not_equals"}},
		"mode":                      {params: []string{"filename", "/etc/passwd", "mode", "0644"}, want: []string{"File /etc/passwd: mode 00644 equals 0644"}},
		"mode, by its permissions":  {params: []string{"filename", "/etc/passwd", "mode", "0100644"}, want: []string{"File /etc/passwd: mode 00644 equals 0100644"}},
		"another mode":              {params: []string{"filename", "/etc/passwd", "mode", "00755", "mode_op", "equals"}},
		"another mode, asked":       {params: []string{"filename", "/etc/passwd", "mode", "00755", "mode_op", "not_equals"}, want: []string{"File /etc/passwd: mode 00644 differs from 00755"}},
		"both":                      {params: []string{"filename", "/etc/passwd", "checksum", "bb22", "mode", "00644"}, want: []string{"File /etc/passwd: checksum sha256:bb22 equals bb22, mode 00644 equals 00644"}},
		"one of both":               {params: []string{"filename", "/etc/passwd", "checksum", "bb22", "mode", "00600"}},
		"no condition":              {params: []string{"filename", "/etc/passwd"}},
		"absent":                    {params: []string{"filename", "/etc/shadow", "mode", "00644"}},
		"absent, skipped":           {params: []string{"filename", "/etc/shadow", "mode", "00644", "skip_missing", "TRUE"}},
		"absent, not skipped":       {params: []string{"filename", "/etc/shadow", "mode", "00644", "skip_missing", "false"}, want: []string{"File /etc/shadow is absent"}},
		"exact path":                {params: []string{"filename", "/etc/pass", "mode", "00644"}},
	})
}

func tryFilesSetID(t *testing.T, run runner) {
	run(t, "files", "suid_or_guid_set", exampleFiles(), map[string]check{
		"by path": {want: []string{
			"File /usr/bin/sudo has its setuid or setgid bit set: mode 0o4755",
			"File /usr/bin/wall has its setuid or setgid bit set: mode 0o2755",
		}},
		"none": {image: &Image{Files: []engine.File{{Path: "/tmp", Mode: "01777"}, {Path: "/x", Mode: ""}}}},
	})
}

// The ways round trying every path must find what trying every path finds.
func TestFileViewFindsAll(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var files []engine.File
	for range 2000 {
		path := ""
		for range 1 + random.IntN(4) {
			path += "/" + string(rune('a'+random.IntN(3))) + []string{"", "x", ".pem", "\n"}[random.IntN(4)]
		}
		files = append(files, engine.File{Path: path})
	}
	exprs := []string{`/a`, `/a/b`, `.*\.pem`, `.*x/`, `.*a`, `/a.*\.pem/b`, `(/a|/b)x`, `.*`, `/c\.pem$`, `(?s).*\n`, `zzz`, `.*zzz`, `.*x/b\.pem/`, `.*/cx/bx/ax`, `.*\.pem/c\.pem$`, `.?/b`, `.*pem/a/`}
	var texts []string
	for _, expr := range exprs {
		texts = append(texts, textOfName(args{"regex": expr}))
	}
	v := viewFiles(files, texts)
	for _, expr := range exprs {
		re, err := pattern.Compile(expr)
		if err != nil {
			t.Fatal(err)
		}
		var got, want []string
		if err := v.matching(pattern.NewBudget(time.Minute), re, func(f *engine.File) { got = append(got, f.Path) }); err != nil {
			t.Fatal(err)
		}
		slow := regexp.MustCompile(`\A(?:` + expr + `)`)
		for _, f := range files {
			if slow.MatchString(f.Path) {
				want = append(want, f.Path)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d paths, want %d", expr, len(got), len(want))
		}
	}
}
