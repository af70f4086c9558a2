package store_test

import (
	"slices"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

// What many images have is found once, and what only others have not at all.
func TestFindNames(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 1, 3)
	insertImages(t, s, "two", 11, 1)
	add := func(n int, names ...string) {
		for _, name := range names {
			exec(t, s, `INSERT INTO packages (image, key, name, version, type, class) SELECT pk, $2, $2, '1', 'dpkg', 'os' FROM images WHERE digest = $1`, digestOf(n), name)
			exec(t, s, `INSERT INTO matches (image, package_key, package, version, package_type, vuln, severity)
				SELECT pk, $2, $2, '1', 'dpkg', 'CVE-2026-' || length($2), 'High' FROM images WHERE digest = $1`, digestOf(n), name)
		}
	}
	add(1, "openssl", "openssh", "bash")
	add(2, "openssl", "open", "Open%")
	add(11, "openldap-hidden", "openssl")

	for prefix, want := range map[string][]string{
		"open": {"open", "openssh", "openssl"}, "openss": {"openssh", "openssl"}, "Open%": {"Open%"}, "o%": nil, "": nil, "z": nil, "a\x00": nil,
	} {
		got, err := s.FindPackages(t.Context(), "one", prefix, 5)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("FindPackages(%q) = %q, %v, want %q", prefix, got, err, want)
		}
	}
	if got, err := s.FindPackages(t.Context(), "one", "open", 2); err != nil || len(got) != 2 {
		t.Errorf("two of them: %q, %v", got, err)
	}
	got, err := s.FindVulns(t.Context(), "one", "CVE-2026-", 5)
	if err != nil || !slices.Equal(got, []string{"CVE-2026-4", "CVE-2026-5", "CVE-2026-7"}) {
		t.Errorf("FindVulns = %q, %v", got, err)
	}
}

func TestAccountsByText(t *testing.T) {
	s := enginetest.Store(t)
	for _, a := range []engine.Account{{Name: "payments", Email: "Rita@example.test"}, {Name: "search-team"}} {
		exec(t, s, `INSERT INTO accounts (name, email, type) VALUES ($1, NULLIF($2, ''), 'user')`, a.Name, a.Email)
	}
	for text, want := range map[string]string{"PAY": "payments", "rita@": "payments", "-team": "search-team", "%": ""} {
		list, _, err := s.Accounts(t.Context(), engine.AccountFilter{Text: text})
		got := ""
		for _, a := range list {
			got += a.Name
		}
		if err != nil || got != want {
			t.Errorf("%q finds %q, %v, want %q", text, got, err, want)
		}
	}
}
