package evaluation

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const tag = "docker.io/library/app:v1"

func digestOf(n int) engine.Digest { return engine.Digest(fmt.Sprintf("sha256:%064x", n)) }

// meter remembers what the cache said.
type meter struct{ outcomes []string }

func (m *meter) Evaluation(time.Duration, bool) {}
func (m *meter) EvaluationCache(outcome string, _ time.Duration) {
	m.outcomes = append(m.outcomes, outcome)
}

func TestCheckByTheDefaultBundle(t *testing.T) {
	w := newWorld(t)
	img := w.analyzed("one", 1, critical())
	e := w.check(Request{Image: img})
	if e.Action != engine.ActionStop || !e.Active || e.ID != evalID(e) {
		t.Errorf("%+v", e)
	}
	e.At = w.now // the database's clock stamps what is stored
	raw, err := json.MarshalIndent(DocumentOf(e), "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "default", append(raw, '\n'))
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".json")
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, got, 0o644)); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s:\n got %s\nwant %s", path, got, want)
	}
}

func TestHistoryListsChanges(t *testing.T) {
	w := newWorld(t)
	img := w.analyzed("one", 1)
	w.add("one", "mine", ruleCritical, true)
	rematch := func(list ...engine.Match) {
		t.Helper()
		if err := w.s.SaveMatches(t.Context(), "one", string(img.Digest), "data2", list, engine.Source{}); err != nil {
			t.Fatal(err)
		}
	}
	first := w.check(Request{Image: img})
	again := w.check(Request{Image: img})
	if got := w.history("one", "mine", 1); got != "go" || !again.At.After(first.At) {
		t.Errorf("history %q, renewed from %v to %v", got, first.At, again.At)
	}
	if got := len(w.events("one")); got != 0 {
		t.Errorf("%d events before anything changed", got)
	}
	rematch(critical())
	w.check(Request{Image: img, Interactive: true})
	if got := w.history("one", "mine", 1); got != "go" {
		t.Errorf("an interactive check left %q", got)
	}
	w.check(Request{Image: img})
	rematch()
	w.check(Request{Image: img})
	if got := w.history("one", "mine", 1); got != "go stop go" {
		t.Errorf("history %q", got)
	}
	events := w.events("one")
	if len(events) != 2 {
		t.Fatalf("%d events, want 2", len(events))
	}
	e := events[0]
	last, _ := e.Details["last_eval"].(map[string]any)
	curr, _ := e.Details["curr_eval"].(map[string]any)
	if e.ResourceID != tag || e.ResourceType != "image_tag" || e.Details["subscription_type"] != "policy_eval" ||
		last["status"] != "pass" || curr["status"] != "fail" || curr["image_digest"] != string(img.Digest) || curr["final_action"] != "stop" {
		t.Errorf("event %+v", e)
	}
	// A bundle that is not active may say what it will: nobody is told.
	w.add("one", "strict", ruleAlwaysStop, false)
	w.check(Request{Image: img, Policy: "strict"})
	if got := w.history("one", "", 1); got != "stop go stop go" || len(w.events("one")) != 2 {
		t.Errorf("history of all %q, %d events", got, len(w.events("one")))
	}
	// Made active, it says something else than the one before.
	w.add("one", "strict", ruleAlwaysStop, true)
	w.check(Request{Image: img})
	if got := len(w.events("one")); got != 3 {
		t.Errorf("%d events after another bundle was activated, want 3", got)
	}
	if err := w.s.DeletePolicy(t.Context(), "one", "mine"); err != nil {
		t.Fatal(err)
	}
	if got := w.history("one", "", 1); got != "stop" {
		t.Errorf("after the bundle was deleted: %q", got)
	}
}

func TestCache(t *testing.T) {
	w := newWorld(t)
	img := w.analyzed("one", 1)
	w.add("one", "mine", ruleAlwaysWarn, true)
	step := func(want string) {
		t.Helper()
		w.check(Request{Image: img})
		if got := w.meter.outcomes[len(w.meter.outcomes)-1]; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	step("notfound")
	step("hit")
	w.now = w.now.Add(48 * time.Hour) // nothing in the bundle asks for the time
	step("hit")
	if err := w.s.SaveMatches(t.Context(), "one", string(img.Digest), "data1", nil, engine.Source{}); err != nil {
		t.Fatal(err)
	}
	step("stale")
	w.exec(`INSERT INTO feeds (name) VALUES ('vulnerabilities')`)
	w.exec(`INSERT INTO feed_groups (feed, name, last_sync) VALUES ('vulnerabilities', 'debian:12', now())`)
	step("stale")
	step("hit")
	w.add("one", "mine", ruleAlwaysStop, true)
	step("invalid")
	step("hit")
	w.add("one", "mine", ruleAlwaysStop+`,{"gate":"vulnerabilities","trigger":"stale_feed_data","action":"WARN","params":[{"name":"max_days_since_sync","value":"1"}]}`, true)
	step("invalid")
	w.now = w.now.Add(time.Minute)
	step("hit")
	w.now = w.now.Add(time.Hour)
	step("stale")
}

func TestExpiryEndsWhatIsKept(t *testing.T) {
	b, err := policy.Parse([]byte(`{"id":"b","version":"1_0","policies":[],"mappings":[],"whitelists":[{"id":"w","version":"1_0","items":[
		{"id":"i","gate":"always","trigger_id":"always","expires_on":"2026-01-01T12:00:00Z"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	if expired(b, at.Add(-2), at.Add(-1)) || !expired(b, at.Add(-1), at) || expired(b, at, at.Add(1)) {
		t.Error("an exception ends at its moment, once")
	}
}

func TestChecksThatCannotBeAnswered(t *testing.T) {
	w := newWorld(t)
	img := w.analyzed("one", 1)
	says := func(q Request, want string) {
		t.Helper()
		q.Tag = tag
		_, err := w.e.Check(t.Context(), q)
		if !errors.Is(err, engine.ErrNotFound) || engine.MessageOf(err, "") != want {
			t.Errorf("%v, want %q", err, want)
		}
	}
	says(Request{Image: img, Policy: "none"}, "policy not found in DB")
	w.add("two", "theirs", ruleAlwaysStop, true)
	says(Request{Image: img, Policy: "theirs"}, "policy not found in DB")
	b := w.add("one", "bad", ruleAlwaysStop, true)
	w.exec(`UPDATE policies SET active = false WHERE account = 'one'`)
	says(Request{Image: img}, "user has no active policy to evaluate: one")
	// From before the expressions of bundles were looked at.
	bad := `{"gate":"files","trigger":"name_match","action":"STOP","params":[{"name":"regex","value":"("}]}`
	b.Document = bytes.Replace(b.Document, []byte(ruleAlwaysStop), []byte(bad), 1)
	b.Digest = "bad"
	if _, err := w.s.PutPolicy(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	says(Request{Image: img, Policy: "bad"}, "could not find any evaluations for input images")
	if got := w.history("one", "bad", 1); got != "" {
		t.Errorf("stored %q of what could not be evaluated", got)
	}
	b.Document, b.Digest = []byte(`{"policies":7}`), "worse"
	if _, err := w.s.PutPolicy(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	e := w.check(Request{Image: img, Policy: "bad"})
	r := ResultOf(e)
	if e.Action != engine.ActionStop || len(r.Problems) != 1 {
		t.Errorf("a document that is no bundle: %+v", e)
	}
}

// replacing puts another document in place of the bundle while it is asked.
type replacing struct {
	Store
	w     *world
	times int
}

func (r *replacing) PolicyFacts(ctx context.Context, account, digest string, want engine.PolicyFactsWanted) (engine.PolicyFacts, error) {
	if r.times--; r.times >= 0 {
		r.w.add("one", "mine", ruleAlwaysStop, true)
	}
	return r.Store.PolicyFacts(ctx, account, digest, want)
}

func TestBundleReplacedMeanwhileIsAskedAnew(t *testing.T) {
	w := newWorld(t)
	img := w.analyzed("one", 1)
	w.add("one", "mine", ruleAlwaysWarn, true)
	w.e.store = &replacing{w.s, w, 1}
	if e := w.check(Request{Image: img}); e.Action != engine.ActionStop {
		t.Errorf("stored %s by a bundle that is gone", e.Action)
	}
	if got := w.history("one", "mine", 1); got != "stop" {
		t.Errorf("history %q", got)
	}
}

func TestAccountsDoNotSeeEachOther(t *testing.T) {
	w := newWorld(t)
	one, two := w.analyzed("one", 1), w.analyzed("two", 1)
	w.add("one", "same", ruleAlwaysStop, true)
	w.add("two", "same", ruleAlwaysWarn, true)
	if a, b := w.check(Request{Image: one}), w.check(Request{Image: two}); a.Action != "stop" || b.Action != "warn" {
		t.Errorf("one %s, two %s", a.Action, b.Action)
	}
	if a, b := w.history("one", "", 1), w.history("two", "", 1); a != "stop" || b != "warn" {
		t.Errorf("one %q, two %q", a, b)
	}
}

func TestFactsOfEveryKind(t *testing.T) {
	w := newWorld(t)
	img := w.analyzed("one", 1, critical())
	rule := func(gate, trigger string, params ...string) string {
		list := []map[string]string{}
		for i := 0; i < len(params); i += 2 {
			list = append(list, map[string]string{"name": params[i], "value": params[i+1]})
		}
		raw, _ := json.Marshal(map[string]any{"gate": gate, "trigger": trigger, "action": "WARN", "params": list})
		return string(raw)
	}
	rules := []string{
		rule("dockerfile", "exposed_ports", "ports", "22", "type", "blacklist"),
		rule("files", "suid_or_guid_set"),
		rule("packages", "required_package", "name", "absent"),
		rule("packages", "verify", "check", "missing"),
		rule("licenses", "blacklist_exact_match", "licenses", "Apache-2.0"),
		rule("metadata", "attribute", "attribute", "like_distro", "check", "=", "value", "gnu"),
		rule("metadata", "attribute", "attribute", "os_type", "check", "=", "value", "linux"),
		rule("passwd_file", "blacklist_usernames", "user_names", "root"),
		rule("retrieved_files", "content_regex", "path", "/etc/passwd", "check", "match", "regex", "root.*"),
		rule("secret_scans", "content_regex_checks", "content_regex_name", "PRIV_KEY"),
		rule("malware", "scan_not_run"),
		rule("npms", "feed_data_unavailable"),
		rule("vulnerabilities", "package", "package_type", "all", "severity", "high"),
		rule("vulnerabilities", "vulnerability_data_unavailable"),
	}
	for _, r := range rules {
		w.add("one", "each", r, false)
		e := w.check(Request{Image: img, Policy: "each"})
		if v := ResultOf(e); len(v.Rows) != 1 {
			t.Errorf("%s: %d rows, %v", r, len(v.Rows), v.Problems)
		}
	}
}

func TestVulnData(t *testing.T) {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	groups := []engine.FeedGroup{{Name: "alpine:3.19", LastSync: at}, {Name: "rhel:7", LastSync: at}, {Name: "wolfi:rolling", LastSync: at},
		{Name: "debian:12"}, {Name: "ubuntu:22.04", LastSync: at}, {Name: "debian:unstable", LastSync: at}}
	for in, want := range map[string]bool{
		"alpine 3.19.1": true, "alpine 3.18.0": false, "centos 7": true, "rhel 7.9": true, "wolfi 20230201": true,
		"debian 12": false, "debian unstable": true, "debian 99": false, "ubuntu 22.04": true, "Unknown 0": false, " ": false,
	} {
		distro, version, _ := strings.Cut(in, " ")
		if got := vulnData(groups, distro, version); got.Exists != want {
			t.Errorf("%s: %+v", in, got)
		}
	}
}

func TestAChangeIsToldOnceWhoeverAsksAtOnce(t *testing.T) {
	w := newWorld(t)
	img := w.analyzed("one", 1)
	w.add("one", "mine", ruleCritical, true)
	w.check(Request{Image: img})
	if err := w.s.SaveMatches(t.Context(), "one", string(img.Digest), "data2", []engine.Match{critical()}, engine.Source{}); err != nil {
		t.Fatal(err)
	}
	w.e.meter = nil // the one of tests is for one at a time
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if e, err := w.e.Check(t.Context(), Request{Image: img, Tag: tag}); err != nil || e.Action != engine.ActionStop {
				t.Error(e.Action, err)
			}
		})
	}
	wg.Wait()
	if got := w.history("one", "mine", 1); got != "stop go" || len(w.events("one")) != 1 {
		t.Errorf("history %q, %d events", got, len(w.events("one")))
	}
}

func TestAResultThatCannotBeReadIsMadeAnew(t *testing.T) {
	w := newWorld(t)
	img := w.analyzed("one", 1)
	w.add("one", "mine", ruleAlwaysWarn, true)
	for _, broken := range []string{`encoding = 'gzip', result = 'x'`, `encoding = '', result = '[]'`, `encoding = 'zip'`} {
		w.check(Request{Image: img})
		w.exec(`UPDATE policy_evaluations SET ` + broken)
		last, err := w.s.LastEvaluation(t.Context(), "one", "mine", string(img.Digest), tag)
		if err != nil {
			t.Fatal(err)
		}
		if d := DocumentOf(last); d.Status != "pass" || len(d.Problems) != 1 {
			t.Errorf("%s: %+v", broken, d)
		}
		if e := w.check(Request{Image: img}); len(ResultOf(e).Rows) != 1 {
			t.Errorf("%s: %s", broken, e.Result)
		}
	}
}

func TestCheckWithoutCache(t *testing.T) {
	w := newWorld(t)
	img := w.analyzed("one", 1, critical())
	first := w.check(Request{Image: img})
	w.exec(`UPDATE policy_evaluations SET result = 'what was known'`)
	w.e.AskAlways()
	w.meter.outcomes = nil
	if e := w.check(Request{Image: img}); e.Action != first.Action || !intact(e) || len(w.meter.outcomes) != 0 {
		t.Errorf("%s, %q, looks at what is known: %v", e.Action, e.Result, w.meter.outcomes)
	}
}
