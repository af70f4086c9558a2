package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"windlass/internal/engine"
)

func TestRoom(t *testing.T) {
	if err := Room(t.TempDir(), 0); err != nil {
		t.Skipf("this disk is full: %v", err)
	}
	err := Room(t.TempDir(), 1<<60)
	if c, _ := engine.CauseOf(err); c.Code != engine.CauseDisk || !c.Temporary || !strings.Contains(engine.MessageOf(err, ""), "MB") {
		t.Errorf("Room for an exabyte = %v", err)
	}
}

func TestPullAsksForRoom(t *testing.T) {
	r := Resolved{Layers: []Layer{{Digest: "sha256:" + strings.Repeat("a", 64), Size: 1 << 60}}, Digest: engine.Digest("sha256:" + strings.Repeat("b", 64)), source: dirSource{}}
	err := New(Options{}).Pull(t.Context(), r, t.TempDir(), nil)
	if c, _ := engine.CauseOf(err); c.Code != engine.CauseDisk {
		t.Errorf("Pull of an exabyte = %v", err)
	}
}

func TestAFullDiskIsNotTheRegistrysFault(t *testing.T) {
	full := fmt.Errorf("copy: %w", &fs.PathError{Op: "write", Path: "/spool/x", Err: syscall.ENOSPC})
	if c, _ := engine.CauseOf(fault(full, "a/b:1")); c.Code != engine.CauseDisk {
		t.Errorf("cause %q", c.Code)
	}
	other := &fs.PathError{Op: "open", Path: "/spool/x", Err: syscall.EACCES}
	if c, ok := engine.CauseOf(fault(other, "a/b:1")); ok {
		t.Errorf("cause %q of an error of this machine", c.Code)
	}
}

func TestWhatIsPublic(t *testing.T) {
	for address, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true,
		"127.0.0.1": false, "::1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "fd00::1": false, "fe80::1": false, "0.0.0.0": false, "::ffff:10.0.0.1": false, "224.0.0.1": false,
	} {
		if got := isPublic(netip.MustParseAddr(address)); got != want {
			t.Errorf("isPublic(%s) = %v", address, got)
		}
	}
	if err := publicOnly("tcp", "169.254.169.254:80", nil); !errors.Is(err, errRedirect) {
		t.Errorf("the address of cloud settings: %v", err)
	}
}

// TestGuard holds what a registry may send on to.
func TestGuard(t *testing.T) {
	sent := func(times int, address string) *http.Request {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		r := (&http.Request{URL: u, Header: http.Header{}}).WithContext(t.Context())
		for range times {
			r.Response = &http.Response{Request: &http.Request{URL: u, Response: r.Response}}
		}
		return r
	}
	tests := map[string]struct {
		home string
		r    *http.Request
		want error
	}{
		"a file":                          {"8.8.8.8", sent(1, "file:///etc/passwd"), errRedirect},
		"too many":                        {"8.8.8.8", sent(6, "https://8.8.8.8/x"), errRedirect},
		"in the clear":                    {"8.8.8.8", sent(1, "http://8.8.4.4/x"), errRedirect},
		"in the clear, asked so":          {"8.8.8.8", sent(0, "http://8.8.8.8/v2/"), errPlainHTTP},
		"from the public net to this":     {"8.8.8.8", sent(1, "http://127.0.0.1:1/x"), errRedirect},
		"from the public net to a cloud":  {"8.8.8.8:5000", sent(1, "https://169.254.169.254/x"), errRedirect},
		"from this machine to this":       {"127.0.0.1:1", sent(1, "http://127.0.0.1:2/x"), syscall.ECONNREFUSED},
		"from a mirror of the operator's": {"8.8.8.8", sent(1, "http://127.0.0.1:2/x"), syscall.ECONNREFUSED},
	}
	for name, tc := range tests {
		g := &guard{bases: newBases(), home: tc.home, verify: true, trusted: strings.Contains(name, "mirror")}
		if _, err := g.RoundTrip(tc.r); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
}
