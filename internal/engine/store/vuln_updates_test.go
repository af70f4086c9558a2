package store_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/store"
)

func found(vuln, pkg, severity string, fixes ...string) engine.Match {
	return engine.Match{
		PackageKey: "key-" + pkg, Package: pkg, Version: "1.0", PackageType: "dpkg", Vuln: vuln, Severity: severity, Fixes: fixes,
		URL: "http://v/" + vuln, Feed: "vulnerabilities", Group: "debian:12", Namespace: "debian:12",
	}
}

// vulnEvents are the diffs that were told of, newest first, by tag.
func vulnEvents(t *testing.T, s *store.Store) map[string]map[string]any {
	t.Helper()
	list, err := s.Events(t.Context(), "one", engine.EventFilter{Type: engine.EvVulnUpdate}, engine.EventPage{Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	told := map[string]map[string]any{}
	for _, e := range list.Events {
		if told[e.ResourceID] == nil {
			told[e.ResourceID] = e.Details
		}
	}
	exec(t, s, `DELETE FROM events`)
	return told
}

func TestVulnerabilityUpdates(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 1, 2)
	exec(t, s, `UPDATE images SET state = 'analyzed', annotations = '{"owner": "me"}'`)
	exec(t, s, `UPDATE image_tags SET repository = 'app', tag = '1' WHERE account = 'one'`) // the second image is the newest
	exec(t, s, `INSERT INTO image_tags (image, account, registry, repository, tag) SELECT pk, account, 'registry.test', 'app', 'other' FROM images`)
	save := func(image int, list ...engine.Match) {
		t.Helper()
		if err := s.SaveMatches(t.Context(), "one", string(digestOf(image)), "data", list, engine.Source{Service: engine.PolicyEngine}); err != nil {
			t.Fatal(err)
		}
	}
	subscribe := func(key string, value *string) {
		t.Helper()
		exec(t, s, `INSERT INTO subscriptions (account, key, type, id, active, value) VALUES ('one', $1, 'vuln_update', md5($1), true, $2)
			ON CONFLICT (account, key, type) DO UPDATE SET value = excluded.value`, key, value)
	}
	first := []engine.Match{found("CVE-1", "a", "Low"), found("CVE-2", "b", "High", "2.0"), found("CVE-3", "c", "Medium")}
	save(2, first...)
	save(2, found("CVE-9", "z", "Low"))
	if got := vulnEvents(t, s); len(got) != 0 {
		t.Fatalf("nobody has subscribed: %v", got)
	}
	exec(t, s, `UPDATE images SET matched_with = ''`)
	subscribe("registry.test/app:1", nil)
	save(2, first...)
	if got := vulnEvents(t, s); len(got) != 0 {
		t.Fatalf("the first match is news: %v", got)
	}
	save(2, first...)
	if got := vulnEvents(t, s); len(got) != 0 {
		t.Fatalf("the same is news: %v", got)
	}
	twice := found("CVE-4", "d", "Critical")
	twice.PackageKey, twice.Path = "elsewhere", "/opt"
	save(2, found("CVE-1", "a", "High"), found("CVE-2", "b", "High", "2.0"), found("CVE-4", "d", "Critical"), twice)
	got := vulnEvents(t, s)
	if len(got) != 1 {
		t.Fatalf("told of %v", got)
	}
	raw, err := json.Marshal(got["registry.test/app:1"])
	if err != nil {
		t.Fatal(err)
	}
	element := `{"CVE_ID":"%s","Feed":"vulnerabilities","Feed_Group":"debian:12","Fix_Available":"None","Package_Name":"%[2]s","Package_Type":"dpkg","Package_Version":"1.0","Severity":"%[3]s","URL":"http://v/%[1]s","Vulnerable_Package":"%[2]s-1.0"}`
	want := `{"annotations":{"owner":"me"},"diff_vulnerability_result":{"added":[` + fmt.Sprintf(element, "CVE-4", "d", "Critical") +
		`],"removed":[` + fmt.Sprintf(element, "CVE-3", "c", "Medium") + `],"updated":[` + fmt.Sprintf(element, "CVE-1", "a", "High") +
		`]},"imageDigest":"` + string(digestOf(2)) + `","subscription_type":"vuln_update"}`
	if string(raw) != want {
		t.Errorf("details\n%s\nwant\n%s", raw, want)
	}

	save(1, first...)
	save(1)
	if got := vulnEvents(t, s); len(got) != 0 {
		t.Errorf("an older image of the tag: %v", got)
	}
	listed := fmt.Sprintf(`{"digests": ["%s"]}`, digestOf(1))
	subscribe("registry.test/app:1", &listed)
	save(1, first...)
	if got := vulnEvents(t, s); len(got) != 1 {
		t.Errorf("an older image that is listed: %v", got)
	}
	many := make([]engine.Match, 700)
	for i := range many {
		many[i] = found(fmt.Sprintf("CVE-%04d", i), "p", "Low")
	}
	save(2, many...)
	d := vulnEvents(t, s)["registry.test/app:1"]
	diff, _ := d["diff_vulnerability_result"].(map[string]any)
	if added, _ := diff["added"].([]any); len(added) != 500 || fmt.Sprint(d["omitted"]) != "map[added:200]" {
		t.Errorf("%d told of, omitted %v", len(added), d["omitted"])
	}
}

// A switch of the data tells subscribers by the same way.
func TestRematchTellsOfVulnerabilities(t *testing.T) {
	s := enginetest.Store(t)
	insertImages(t, s, "one", 2, 1) // analyzed
	if err := s.SaveMatches(t.Context(), "one", string(digestOf(2)), "old", nil, engine.Source{}); err != nil {
		t.Fatal(err)
	}
	exec(t, s, `INSERT INTO subscriptions (account, key, type, id, active)
		SELECT account, registry || '/' || repository || ':' || tag, 'vuln_update', 'x', true FROM image_tags`)
	exec(t, s, `INSERT INTO jobs (queue, account, subject) VALUES ($1, 'one', $2)`, engine.QueueMatch, digestOf(2))
	j, ok, err := s.LeaseJob(t.Context(), engine.QueueMatch, "h", "h/1", 60e9)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if err := s.SaveRematch(t.Context(), j, "new", []engine.Match{found("CVE-1", "a", "Low")}); err != nil {
		t.Fatal(err)
	}
	if got := vulnEvents(t, s); len(got) != 1 {
		t.Errorf("told of %v", got)
	}
}
