package bff

import (
	"net/url"
	"strings"
	"testing"
)

// Whatever a form or an address says, a redirect stays within the console.
func FuzzLocalPath(f *testing.F) {
	for _, s := range []string{"/events?level=error", "//evil.test", "https://evil.test/", `/\evil.test`, "/\r\nSet-Cookie: a=b", "", "/%2f/evil", "/\tx"} {
		f.Add(s)
	}
	base, _ := url.Parse("http://console.test/login")
	f.Fuzz(func(t *testing.T, s string) {
		got := localPath(s)
		if !strings.HasPrefix(got, "/") || strings.ContainsAny(got, "\r\n\t\\") {
			t.Fatalf("localPath(%q) = %q", s, got)
		}
		if u, err := base.Parse(got); err == nil && u.Host != "console.test" {
			t.Fatalf("localPath(%q) leads to %s", s, u.Host)
		}
	})
}
