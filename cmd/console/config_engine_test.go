package main

import (
	"io"
	"strings"
	"testing"
)

// What contradicts the address of another engine is told all at once, each
// under the name of its setting.
func TestSettingsOfAnotherEngine(t *testing.T) {
	tests := map[string]struct {
		args []string
		want []string // names of settings; none: it is taken
	}{
		"an address":       {[]string{"--engine-url=https://anchore.example:8228/v1"}, nil},
		"no address":       {[]string{"--engine-url=anchore:8228"}, []string{"CONSOLE_ENGINE_URL"}},
		"a password in it": {[]string{"--engine-url=http://admin:foobar@anchore:8228"}, []string{"CONSOLE_ENGINE_URL"}},
		"a query":          {[]string{"--engine-url=http://anchore/?a=b"}, []string{"CONSOLE_ENGINE_URL"}},
		"what it has no use for": {[]string{"--engine-url=http://anchore", "--web=off", "--services=analyzer", "--database-url=postgres://a/b"},
			[]string{"CONSOLE_WEB", "CONSOLE_SERVICES", "CONSOLE_DATABASE_URL"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			_, c, err := parse(append(tc.args, "--data-dir="+t.TempDir()), io.Discard)
			if err != nil {
				t.Fatal(err)
			}
			err = c.Serve.finish()
			if len(tc.want) == 0 && err != nil {
				t.Error(err)
			}
			for _, name := range tc.want {
				if err == nil || !strings.Contains(err.Error(), name) {
					t.Errorf("%v does not tell of %s", err, name)
				}
			}
			if err != nil && strings.Contains(err.Error(), "foobar") {
				t.Errorf("a password is told: %v", err)
			}
		})
	}
}
