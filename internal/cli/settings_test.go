package cli

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"testing"
)

func TestSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "credentials.yaml")
	const content = "default:\n  ANCHORE_CLI_USER: fileuser\n  ANCHORE_CLI_PASS: 012345\n  ANCHORE_CLI_URL: http://file:1/v1/\n  ANCHORE_CLI_SSL_VERIFY: N\n  ANCHORE_CLI_JSON: y\n  ANCHORE_CLI_HUB_URL:\nother:\n  x: 1\n"
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	base := settings{url: defaultURL, hubURL: defaultHub, verify: true}
	with := func(change func(*settings)) settings { s := base; change(&s); return s }
	tests := map[string]struct {
		options options
		env     map[string]string
		want    settings
	}{
		"defaults": {want: base},
		"environment": {
			env: map[string]string{"ANCHORE_CLI_USER": "u", "ANCHORE_CLI_PASS": "p", "ANCHORE_CLI_URL": "http://e/v1/", "ANCHORE_CLI_DEBUG": "Y", "ANCHORE_CLI_JSON": "y", "ANCHORE_CLI_SSL_VERIFY": "n", "ANCHORE_CLI_ACCOUNT": "acct"},
			want: settings{user: "u", pass: "p", url: "http://e/v1", hubURL: defaultHub, account: "acct",
				hasUser: true, debug: true, json: true},
		},
		"y is not yes": {env: map[string]string{"ANCHORE_CLI_DEBUG": "yes", "ANCHORE_CLI_JSON": "1", "ANCHORE_CLI_SSL_VERIFY": "no"}, want: base},
		"the file beats the environment, for its own keys": {
			env: map[string]string{"ANCHORE_CLI_CONFIG": file, "ANCHORE_CLI_USER": "u", "ANCHORE_CLI_URL": "http://e/v1", "ANCHORE_CLI_HUB_URL": "http://hub/"},
			want: with(func(s *settings) {
				s.user, s.pass, s.url, s.hubURL, s.hasUser, s.verify = "fileuser", "012345", "http://file:1/v1", "http://hub/", true, false
			}),
		},
		"an option beats the file": {
			options: options{user: "o", url: "http://o"}, env: map[string]string{"ANCHORE_CLI_CONFIG": file},
			want: with(func(s *settings) { s.user, s.pass, s.url, s.hasUser, s.verify = "o", "012345", "http://o", true, false }),
		},
		"the option for the file comes too late": {options: options{config: file}, want: base},
		"no file":                                {env: map[string]string{"ANCHORE_CLI_CONFIG": file + ".gone"}, want: base},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := tc.options.resolve(lookup(tc.env))
			if err != nil {
				t.Fatal(err)
			}
			if got != tc.want {
				t.Errorf("got  %+v\nwant %+v", got, tc.want)
			}
		})
	}
}

func TestSettingsHome(t *testing.T) {
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, ".anchore"), 0o700); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(home, ".anchore", "credentials.yaml")
	if err := os.WriteFile(name, []byte("default: {ANCHORE_CLI_USER: ann}"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := lookup(map[string]string{"HOME": home})
	if got, err := (&options{}).resolve(env); err != nil || got.user != "ann" {
		t.Errorf("user %q, %v, want ann", got.user, err)
	}
	if err := os.WriteFile(name, []byte("default: ["), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := (&options{}).resolve(env); err == nil {
		t.Error("a file that is no YAML is no fault")
	}
}

// A password may look like an option, and like the name of a group.
func TestOddPasswords(t *testing.T) {
	for _, password := range []string{"--x", "-p", "--json", "image", "", "a=b", "--"} {
		t.Run(password, func(t *testing.T) {
			var got string
			ask := transport(func(req *http.Request) {
				_, got, _ = req.BasicAuth()
			})
			Run(t.Context(), []string{"--u", "ann", "--p", password, "system", "status"},
				World{Env: lookup(nil), Out: io.Discard, Err: io.Discard, Transport: ask})
			if got != password {
				t.Errorf("the server is told %q", got)
			}
		})
	}
}

type transport func(*http.Request)

func (f transport) RoundTrip(req *http.Request) (*http.Response, error) {
	f(req)
	return nil, errors.New("connection refused")
}
