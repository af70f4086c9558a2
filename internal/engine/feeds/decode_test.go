package feeds

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

type noSteps struct{}

func (noSteps) StepFeedSync(context.Context, int64, engine.FeedStage, int64, int64) error { return nil }

// However an archive is made, unpacking it writes at most one file, of one
// name, in its folder.
func FuzzUnpack(f *testing.F) {
	f.Add([]byte("\x28\xb5\x2f\xfd"))
	f.Add([]byte("\x1f\x8b\x08\x00"))
	f.Add([]byte("hello"))
	f.Fuzz(func(t *testing.T, body []byte) {
		dir := t.TempDir()
		file := filepath.Join(dir, "archive")
		if err := os.WriteFile(file, body, 0o600); err != nil {
			t.Fatal(err)
		}
		into := filepath.Join(dir, "into")
		if err := os.Mkdir(into, 0o700); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		p := newProgress(ctx, noSteps{}, 1, cancel)
		defer p.stop()
		err := unpack(ctx, file, into, p)
		left, rerr := os.ReadDir(into)
		if rerr != nil {
			t.Fatal(rerr)
		}
		if len(left) > 1 || len(left) == 1 && left[0].Name() != "vulnerability.db" || err == nil && len(left) != 1 {
			t.Errorf("unpack = %v, left %v", err, left)
		}
	})
}

func FuzzParseListing(f *testing.F) {
	f.Add([]byte(`{"schemaVersion":"v6.1.10","built":"2026-11-20T06:00:00Z","path":"a.tar.zst","checksum":"sha256:613cfa99e657e4a8e596bfcd54aee09c3f673b4188c7e4553fb8d32574eefe80"}`))
	f.Add([]byte(`{"schemaVersion":"6","path":"../../x","checksum":"sha256:613CFA99e657e4a8e596bfcd54aee09c3f673b4188c7e4553fb8d32574eefe80"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, body []byte) {
		l, err := parseListing(body, "http://host.example/base/v6/latest.json")
		if err != nil {
			return
		}
		u, err := url.Parse(l.url)
		if err != nil || u.Host != "host.example" || u.Scheme != "http" || !strings.HasPrefix(u.Path, "/base/v6") {
			t.Errorf("the archive of %q lies at %q", body, l.url)
		}
		if id := l.id(); len(id) != 16 || strings.Trim(id, "0123456789abcdef") != "" {
			t.Errorf("id of %q is %q", l.Checksum, id)
		}
	})
}

func TestNetworkCauses(t *testing.T) {
	for name, tc := range map[string]struct {
		err   error
		cause string
	}{
		"proxy is down":   {&url.Error{Err: &net.OpError{Op: "proxyconnect", Err: errors.New("connection refused")}}, CauseProxy},
		"proxy's name":    {&net.OpError{Op: "proxyconnect", Err: &net.DNSError{Err: "no such host"}}, CauseProxy},
		"name":            {&net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host"}}, CauseDNS},
		"silence":         {os.ErrDeadlineExceeded, CauseConnection},
		"something other": {errors.New("reset"), CauseConnection},
	} {
		t.Run(name, func(t *testing.T) {
			if cause, message := causeOf(network(tc.err, "host")); cause != tc.cause || message == "" {
				t.Errorf("cause = %s (%s), want %s", cause, message, tc.cause)
			}
		})
	}
}

func TestBackoffGrowsToTheInterval(t *testing.T) {
	for n, want := range map[int]time.Duration{1: 30 * time.Second, 2: time.Minute, 3: 2 * time.Minute, 10: time.Hour, 99: time.Hour} {
		for range 20 {
			if d := backoff(n, time.Hour); d < want*8/10 || d > want*12/10 {
				t.Errorf("backoff(%d) = %v, want about %v", n, d, want)
			}
		}
	}
}

func TestStale(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]bool{".staging-0123456789abcdef": true, ".old-x": true, "0123456789abcdef": true, "notes": false, "0123456789abcdef.partial": false, ".upload-1": true} {
		if strings.HasSuffix(name, ".partial") || strings.HasPrefix(name, ".upload") {
			if err := os.WriteFile(filepath.Join(dir, name), bytes.Repeat([]byte("x"), 3), 0o600); err != nil {
				t.Fatal(err)
			}
		} else if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatal(err)
		}
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range list {
			if e.Name() == name && stale(e) != want {
				t.Errorf("stale(%s) = %v", name, !want)
			}
		}
	}
}
