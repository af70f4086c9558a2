package cli

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
)

// hostile answers everything with one text.
type hostile struct{ text string }

func (h hostile) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req,
		Header: http.Header{}, ContentLength: -1, Body: io.NopCloser(strings.NewReader(h.text))}, nil
}

// FuzzReplies: no command falls over a reply, whatever it is, on a terminal or
// off it.
func FuzzReplies(f *testing.F) {
	text, err := os.ReadFile("testdata/cli-transcripts.md")
	if err != nil {
		f.Fatal(err)
	}
	var commands []string
	for _, part := range strings.Split(string(text), "\n### `anchore-cli ")[1:] {
		command, _, _ := strings.Cut(part, "`")
		if !strings.Contains(command, "policy add") && !strings.Contains(command, "--infile") {
			commands = append(commands, command)
		}
	}
	for _, seed := range []string{
		"", "null", "[]", "{}", `""`, "[[]]", "[{}]", "[null]", `{"images":[{"image":null}]}`, `{"content":{"a":1}}`, `{"content":[{"package":1,"version":[],"location":{}}]}`,
		`{"info":{"version":"1"},"vulnerabilities":[{}]}`, `{"results":[{"event":{"a":"b"}}],"page":1,"next_page":true}`, `{"event":{"x":["\u2028 x"]}}`,
		`[{"imageDigest":"a","image_detail":[{"created_at":"2020-01-01"}],"analysis_status":null,"image_type":[]}]`, `{"service_states":[{"service_detail":[]}]}`,
		`[{"name":"files","description":1,"triggers":[{"name":"name_match","parameters":[{}]}]}]`, `{"metadata":"????","content":"????"}`,
		`{"content":[{"type":"bundle","name":"alpha","location":"x"}],"name":{},"mappings":[{}]}`, `{"message":[],"httpcode":{},"detail":{"a":"' is a required property"}}`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for i, command := range commands {
			got := play(t.Context(), hostile{text}, i%2 == 0, command)
			switch got.code {
			case exitOK, exitRefused, exitFault, exitAnalyzing, exitNotAnalyzed:
			default:
				t.Errorf("%s: exit %d on %q", command, got.code, text)
			}
		}
	})
}
