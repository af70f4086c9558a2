package templates

import (
	"slices"
	"strings"
	"testing"
)

func TestPieces(t *testing.T) {
	for name, want := range map[string][]string{
		"": nil,
		"registry.example.com:5000/platform/gateway:2026.11": {"registry.example.com:5000/", "platform/", "gateway:", "2026.11"},
		"https://hooks.example.com/windlass/<userId>":        {"https://hooks.example.com/", "windlass/", "<userId>"},
		"sha256:" + strings.Repeat("a", 40):                  {"sha256:", strings.Repeat("a", 32), strings.Repeat("a", 8)},
		"123456789012.dkr.ecr.eu-west-1.amazonaws.com":       {"123456789012.dkr.ecr.eu-west-1.", "amazonaws.com"},
		"docker.io/team/*":                                   {"docker.io/", "team/", "*"},
	} {
		if got := pieces(name); !slices.Equal(got, want) {
			t.Errorf("%q is broken into %q, want %q", name, got, want)
		}
	}
}
