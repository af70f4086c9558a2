package cli

import (
	"bytes"
	"strings"
	"testing"
)

// offline runs the program where no server is.
func offline(t *testing.T, args ...string) outcome {
	t.Helper()
	var out, errs bytes.Buffer
	code := Run(t.Context(), args, World{
		Env: lookup(nil), In: strings.NewReader(""), Out: &out, Err: &errs, Transport: script{},
	})
	return outcome{code: code, stdout: out.String(), stderr: errs.String()}
}

func TestHelp(t *testing.T) {
	tests := map[string]struct{ args, want string }{
		"alone":                        {"", "Available Commands:"},
		"-h":                           {"-h", "Available Commands:"},
		"help":                         {"help", "Available Commands:"},
		"--help before a group":        {"--help image", "analysis-archive"},
		"a group alone":                {"image", "metadata"},
		"help after a group":           {"system help", "errorcodes"},
		"help after a group within":    {"system feeds help", "config"},
		"-h after a command":           {"image add -h", "--noautosubscribe"},
		"a command needs no server":    {"image wait --help", "--interval"},
		"the version, before anything": {"--version image list", "anchore-cli, version " + level},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := offline(t, strings.Fields(tc.args)...)
			if got.code != exitOK || !strings.Contains(got.stdout, tc.want) || got.stderr != "" {
				t.Errorf("exit %d, stderr %q, want %q in\n%s", got.code, got.stderr, tc.want, got.stdout)
			}
		})
	}
}

func TestCompletion(t *testing.T) {
	for _, shell := range []string{"bash", "zsh", "fish"} {
		if got := offline(t, "completion", shell); got.code != exitOK || !strings.Contains(got.stdout, program) {
			t.Errorf("completion %s: exit %d, %d bytes", shell, got.code, len(got.stdout))
		}
	}
	tests := map[string]struct {
		args []string
		want string
	}{
		"groups":                      {[]string{"sys"}, "system"},
		"commands after options":      {[]string{"--url", "http://x", "system", "feeds", ""}, "sync"},
		"options of a command":        {[]string{"image", "vuln", "--v"}, "--vendor-only"},
		"values of a second argument": {[]string{"image", "content", "alpine", "n"}, "npm"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := offline(t, append([]string{"__complete"}, tc.args...)...); !strings.Contains(got.stdout, tc.want) {
				t.Errorf("completes to %q, want %q among it", got.stdout, tc.want)
			}
		})
	}
}

func TestNoAccess(t *testing.T) {
	const url = "Error: could not access anchore service (user=None url=http://localhost:8228/v1)"
	if got := offline(t, "image", "list"); got.code != exitFault || got.stdout != url+"\n\n" {
		t.Errorf("exit %d, %q", got.code, got.stdout)
	}
	if got := offline(t, "--debug", "image", "list"); got.code != exitFault || !strings.HasPrefix(got.stdout, url+": ") {
		t.Errorf("with --debug: exit %d, %q", got.code, got.stdout)
	}
}

func TestReferences(t *testing.T) {
	for in, want := range map[string]string{
		"busybox": "docker.io/busybox", "team/app": "docker.io/team/app", "docker.io/team/app:v1": "docker.io/team/app",
		"registry:5000/a/b/c": "registry:5000/a/b/c", "localhost/a": "localhost/a", "quay.io/a@sha256:ab": "quay.io/a", "busybox:1": "docker.io/busybox",
	} {
		if got := repository(in); got != want {
			t.Errorf("repository(%s) = %s, want %s", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"sha256:ab": "sha256:ab", "docker.io/a/b@sha256:AB09": "sha256:AB09", "sha256:": "", "sha256:xy": "", "a:sha256": "", "asha256:ab": "",
	} {
		got := ""
		if m := digestEnd.FindStringSubmatch(in); m != nil {
			got = m[1]
		}
		if got != want {
			t.Errorf("digest of %s is %q, want %q", in, got, want)
		}
	}
	const odd = "a/b:c d&e=é%#?+"
	for name, got := range map[string][2]string{
		"quote":    {quote(odd), "a%2Fb%3Ac%20d%26e%3D%C3%A9%25%23%3F%2B"},
		"segment":  {segment(odd), "a%2Fb:c d&e=é%25%23%3F+"},
		"requoted": {requoted(odd), "a/b:c%20d%26e=%C3%A9%25%23?%2B"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s is %s, want %s", name, got[0], got[1])
		}
	}
}
