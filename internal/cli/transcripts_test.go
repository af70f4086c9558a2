package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// record is one command of a transcript.
type record struct {
	command, stdin string
	outcome
	hasStderr bool
}

// TestTranscripts replays what the original client was seen to do: output byte
// for byte, exit code, requests.
func TestTranscripts(t *testing.T) {
	for _, dir := range []string{"testdata", shared(t, "spec")} {
		if dir == "" {
			t.Log("no folder shared beside the project: only the project's own transcripts are replayed")
			continue
		}
		srv := serve(t, filepath.Join(dir, "cli-fixtures.json"))
		for _, r := range transcripts(t, filepath.Join(dir, "cli-transcripts.md")) {
			t.Run(filepath.Base(dir)+"/"+strings.Join(strings.Fields(r.command), "_"), func(t *testing.T) { replay(t, srv, r) })
		}
	}
}

func replay(t *testing.T, srv *fixed, r record) {
	got := srv.ask(t.Context(), r.stdin, strings.Fields(r.command)[1:]...)
	if got.code != r.code {
		t.Errorf("exit %d, want %d", got.code, r.code)
	}
	if got.stdout != r.stdout {
		t.Errorf("stdout\n%s\nwant\n%s", got.stdout, r.stdout)
	}
	if got.asked != r.asked {
		t.Errorf("requests\n%swant\n%s", got.asked, r.asked)
	}
	if !r.hasStderr {
		return
	}
	host := strings.TrimPrefix(srv.URL, "http://")
	want := strings.NewReplacer("127.0.0.1:18321", host, "python -m anchorecli", program).Replace(r.stderr)
	if got.stderr != want {
		t.Errorf("stderr\n%swant\n%s", got.stderr, want)
	}
}

// shared finds a folder of the files that may stand beside the project.
func shared(t *testing.T, name string) string {
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		found := filepath.Join(dir, "shared", name)
		if _, err := os.Stat(filepath.Join(found, "cli-transcripts.md")); err == nil {
			return found
		}
	}
	return ""
}

// transcripts reads a file of records: a heading with the command, a line with
// the exit code and perhaps what stood on the standard input, then output, and
// after their names what stderr and the server saw.
func transcripts(t *testing.T, file string) []record {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []record
	for _, part := range strings.Split(string(text), "\n### `")[1:] {
		command, rest, _ := strings.Cut(part, "`\n")
		r := record{command: command}
		head, rest, _ := strings.Cut(strings.TrimPrefix(rest, "\nexit "), "\n")
		code, input, given := strings.Cut(head, ", standard input: ")
		r.code = int(code[0] - '0')
		if len(code) == 3 {
			r.code = int(code[0]-'0')*100 + int(code[2]-'0')
		}
		if given {
			r.stdin = input + "\n"
		}
		r.stdout, rest = fenced(rest)
		for rest != "" {
			name, after, ok := strings.Cut(rest, ":\n")
			if !ok {
				break
			}
			var block string
			block, rest = fenced(after)
			switch strings.TrimSpace(name) {
			case "stderr":
				r.stderr, r.hasStderr = block, true
			case "requests":
				r.asked = block
			}
		}
		all = append(all, r)
	}
	return all
}

// fenced is the text of the first fence and what follows it.
func fenced(s string) (block, rest string) {
	_, s, ok := strings.Cut(s, "```\n")
	if !ok {
		return "", ""
	}
	if after, ok := strings.CutPrefix(s, "```\n"); ok {
		return "", after
	}
	block, rest, _ = strings.Cut(s, "\n```\n")
	return block + "\n", rest
}
