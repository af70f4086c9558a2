package registry_test

import (
	"errors"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

var (
	hex64  = strings.Repeat("ab", 32)
	digest = "sha256:" + hex64
)

func TestParseReference(t *testing.T) {
	type ref = registry.Reference
	tests := map[string]struct {
		in   string
		want ref
	}{
		"bare name":              {"alpine", ref{Registry: "docker.io", Repository: "alpine", Tag: "latest"}},
		"name and tag":           {" alpine:3.19 ", ref{Registry: "docker.io", Repository: "alpine", Tag: "3.19"}},
		"user repository":        {"library/alpine:3", ref{Registry: "docker.io", Repository: "library/alpine", Tag: "3"}},
		"hub by name":            {"docker.io/alpine", ref{Registry: "docker.io", Repository: "alpine", Tag: "latest"}},
		"host with port":         {"reg:5000/a/b:1", ref{Registry: "reg:5000", Repository: "a/b", Tag: "1"}},
		"host with port, no tag": {"127.0.0.1:5000/a", ref{Registry: "127.0.0.1:5000", Repository: "a", Tag: "latest"}},
		"host with dot":          {"quay.io/org/x", ref{Registry: "quay.io", Repository: "org/x", Tag: "latest"}},
		"localhost":              {"localhost/x:1", ref{Registry: "localhost", Repository: "x", Tag: "1"}},
		"local build":            {"localbuild/x", ref{Registry: "localbuild", Repository: "x", Tag: "latest"}},
		"by digest":              {"quay.io/x@" + digest, ref{Registry: "quay.io", Repository: "x", Digest: digest}},
		"tag and digest":         {"x:1@" + digest, ref{Registry: "docker.io", Repository: "x", Digest: digest}},
		"bare digest":            {digest, ref{Registry: "docker.io", Digest: digest}},
		"image id":               {hex64, ref{Registry: "docker.io", ImageID: hex64}},
		"id in capitals":         {strings.ToUpper(hex64), ref{Registry: "docker.io", ImageID: hex64}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := registry.ParseReference(tc.in)
			if err != nil || got != tc.want {
				t.Errorf("ParseReference(%q)\n got %+v, %v\nwant %+v", tc.in, got, err, tc.want)
			}
		})
	}
	for _, in := range []string{"", " ", "::", "a b", "a;b", "/x", "x/", "a//b", "a/../b", "x:", "x@sha256:12", "sha256:zz", "a:b:c", "-host.x/y", "x:.t", strings.Repeat("a", 600)} {
		if got, err := registry.ParseReference(in); !errors.Is(err, engine.ErrInvalid) {
			t.Errorf("ParseReference(%q) = %+v, %v, want ErrInvalid", in, got, err)
		}
	}
}

func FuzzParseReference(f *testing.F) {
	for _, s := range []string{"alpine", "reg:5000/a/b:1", "quay.io/x@" + digest, digest, hex64, "::", "a/../b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		ref, err := registry.ParseReference(in)
		if err != nil {
			return
		}
		// What was read can be read again and means the same.
		again, err := registry.ParseReference(ref.String())
		if err != nil || again != ref {
			t.Errorf("%q gave %+v, whose name %q gave %+v, %v", in, ref, ref.String(), again, err)
		}
	})
}

func TestChoose(t *testing.T) {
	var creds []engine.Registry
	for _, n := range []string{"docker.io", "docker.io/myrepo/*", "docker.io/myrepo/app", "quay.io*", "reg:5000"} {
		creds = append(creds, engine.Registry{Name: n})
	}
	tests := map[string]struct{ host, repo, want string }{
		"host":                         {"docker.io", "alpine", "docker.io"},
		"longest wins":                 {"docker.io", "myrepo/app", "docker.io/myrepo/app"},
		"prefix":                       {"docker.io", "myrepo/app/x", "docker.io/myrepo/*"},
		"prefix does not match parent": {"docker.io", "myrepo", "docker.io"},
		"prefix without slash":         {"quay.io", "x", "quay.io*"},
		"port":                         {"reg:5000", "x", "reg:5000"},
		"other port":                   {"reg:5001", "x", ""},
		"none":                         {"ghcr.io", "x", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got := registry.Choose(creds, tc.host, tc.repo)
			if got.Registry.Name != tc.want || got.Found != (tc.want != "") || got.Why == "" {
				t.Errorf("Choose(%s, %s) = %+v, want %q", tc.host, tc.repo, got, tc.want)
			}
		})
	}
}
