package cli

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write what the commands of testdata do into their transcripts")

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
		file := filepath.Join(dir, "cli-transcripts.md")
		if *update && dir == "testdata" {
			rewrite(t, srv, file)
		}
		for _, r := range transcripts(t, file) {
			t.Run(filepath.Base(dir)+"/"+strings.Join(strings.Fields(r.command), "_"), func(t *testing.T) { replay(t, srv, r) })
		}
	}
}

func replay(t *testing.T, srv *fixed, r record) {
	got := srv.ask(t.Context(), r.stdin, strings.Fields(r.command)[1:]...)
	if got.code != r.code {
		t.Errorf("exit %d, want %d", got.code, r.code)
	}
	if fence(got.stdout) != fence(r.stdout) {
		t.Errorf("stdout\n%s\nwant\n%s", got.stdout, r.stdout)
	}
	if got.asked != r.asked {
		t.Errorf("requests\n%swant\n%s", got.asked, r.asked)
	}
	if !r.hasStderr {
		return
	}
	want := strings.ReplaceAll(r.stderr, "python -m anchorecli", program)
	if got.stderr != want {
		t.Errorf("stderr\n%swant\n%s", got.stderr, want)
	}
}

// rewrite runs the commands of a file and writes what they do into it.
func rewrite(t *testing.T, srv *fixed, file string) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(string(text), "\n### `")
	var b strings.Builder
	b.WriteString(head)
	for _, r := range transcripts(t, file) {
		got := srv.ask(t.Context(), r.stdin, strings.Fields(r.command)[1:]...)
		fmt.Fprintf(&b, "\n### `%s`\n\nexit %d", r.command, got.code)
		if r.stdin != "" {
			b.WriteString(", standard input: " + strings.TrimSpace(r.stdin))
		}
		b.WriteString("\n\n" + fence(got.stdout))
		if got.stderr != "" {
			b.WriteString("stderr:\n" + fence(got.stderr))
		}
		b.WriteString("requests:\n" + fence(got.asked))
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func fence(s string) string {
	if s != "" && !strings.HasSuffix(s, "\n") {
		s += "\n"
	}
	return "```\n" + s + "```\n"
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
		if r.code, err = strconv.Atoi(code); err != nil {
			t.Fatal(err)
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
