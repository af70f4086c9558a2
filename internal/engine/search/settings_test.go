package search

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// describe writes settings down in one line.
func describe(s *Settings) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v %d", s.Retrieve.Files, s.Retrieve.MaxSize)
	for _, x := range []Search{s.Secrets, s.Content} {
		fmt.Fprintf(&b, "; %d %v", x.MaxSize, x.Store)
		for _, e := range x.Expressions {
			fmt.Fprintf(&b, " %s=%s", e.Name, e.re)
		}
	}
	if m := s.Malware; m.Enabled || !m.Update {
		fmt.Fprintf(&b, "; malware %v %v", m.Enabled, m.Update)
	}
	return b.String()
}

func TestRead(t *testing.T) {
	usual := describe(Default())
	tests := map[string]struct{ text, want string }{
		"empty":       {"", usual},
		"null":        {"secret_search:\ncontent_search: ~\n", usual},
		"malware off": {"malware: {clamav: {enabled: false, db_update_enabled: true}}", usual},
		"malware on":  {"malware: {clamav: {enabled: true, db_update_enabled: no}}", usual + "; malware true false"},
		"all": {`
retrieve_files: {max_file_size_kb: 5, file_list: ['/etc/passwd', 'etc//shadow']}
secret_search: {match_params: [MAXFILESIZE=20, STOREONMATCH=y], regexp_match: ['A=b=c']}
content_search: {match_params: [STOREONMATCH=n], regexp_match: ["B=(?i)x"]}
`, "[/etc/passwd /etc/shadow] 5120; 20 true A=b=c; 10000 false B=(?i)x"},
		"nothing": {"retrieve_files: {file_list: []}\nsecret_search: {regexp_match: []}", "[] 1024000; 10000 false; 10000 false"},
		"alias":   {"secret_search: &s {regexp_match: ['A=a']}\ncontent_search: *s", "[/etc/passwd] 1024000; 10000 false A=a; 10000 false A=a"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := Read(strings.NewReader(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			if got := describe(s); got != tc.want {
				t.Errorf("got %s\nwant %s", got, tc.want)
			}
		})
	}
}

func TestReadNamesTheKey(t *testing.T) {
	for text, want := range map[string]string{
		"[a]":                       "file: want a mapping",
		"a: [":                      "not YAML",
		"secrets: {}":               "secrets: no such key",
		"secret_search: {regex: x}": "secret_search.regex: no such key",
		"secret_search: [x]":        "secret_search: want a mapping",
		"secret_search: {match_params: MAXFILESIZE=1}":        "secret_search.match_params: want a list",
		"secret_search: {match_params: [MAXFILESIZE=0]}":      "secret_search.match_params[0]:",
		"secret_search: {match_params: [MAXFILESIZE=1e3]}":    "secret_search.match_params[0]:",
		"secret_search: {match_params: [A=1]}":                "secret_search.match_params[0]:",
		"content_search: {match_params: [x, STOREONMATCH=1]}": "content_search.match_params[0]:",
		"content_search: {regexp_match: [abc]}":               "content_search.regexp_match[0]: \"abc\" is not of the form NAME=REGEX",
		"content_search: {regexp_match: ['A=a', 'B=(']}":      "content_search.regexp_match[1]: regular expression",
		"content_search: {regexp_match: [{a: b}]}":            "content_search.regexp_match[0]: want a text",
		"retrieve_files: {max_file_size_kb: -1}":              "retrieve_files.max_file_size_kb:",
		"retrieve_files: {max_file_size_kb: many}":            "retrieve_files.max_file_size_kb:",
		"retrieve_files: {file_list: ['..']}":                 "retrieve_files.file_list[0]:",
		"malware: {clamav: {db_update_enabled: 3}}":           "malware.clamav.db_update_enabled:",
		"malware: {clamav: {enabled: perhaps}}":               "malware.clamav.enabled:",
		"malware: {other: {}}":                                "malware.other: no such key",
		strings.Repeat("#", maxSettings+1):                    "larger than",
	} {
		if _, err := Read(strings.NewReader(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Read(%.60q) = %v, want %s", text, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("retrieve_files: {max_file_size_kb: 5, file_list: ['/etc/passwd']}\nsecret_search: {match_params: [MAXFILESIZE=20], regexp_match: ['A=(?i)b(?!c)']}"))
	f.Add([]byte("a: &a [*a]\nsecret_search: *a"))
	f.Add([]byte("secret_search: &s {regexp_match: *s}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := Read(bytes.NewReader(raw))
		if err != nil {
			return
		}
		f := s.NewFinder()
		f.Search("/f", []byte("a\nb"))
		if _, err := f.Documents(); err != nil {
			t.Error(err)
		}
	})
}
