package present

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

func TestRulesAreSentences(t *testing.T) {
	for rule, want := range map[string]string{
		`{"gate":"vulnerabilities","trigger":"package","action":"stop","params":[{"name":"severity_comparison","value":">="},{"name":"severity","value":"high"},{"name":"fix_available","value":"True"},{"name":"vendor_only","value":"false"}]}`: "Stop when vulnerabilities: package — severity ≥ high, fix available, not vendor only",
		`{"gate":"always","trigger":"always","action":"GO"}`:                                                               "Go when always: always",
		`{"gate":"g","trigger":"t","action":"WARN","params":[{"name":"x_comparison","value":">"},{"name":"N","value":7}]}`: "Warn when g: t — x comparison: >, n: 7",
	} {
		var r rulePart
		if err := json.Unmarshal([]byte(rule), &r); err != nil {
			t.Fatal(err)
		}
		if got := ruleText(r); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestBundlesHaveAddressesOfTheirOwn(t *testing.T) {
	for id, want := range map[string]string{
		"team": "/policies/team", "gates": "/policies/%67ates", "new": "/policies/%6Eew", "a/b c": "/policies/a%2Fb%20c", "gatesy": "/policies/gatesy",
	} {
		if got := PolicyHref(id); got != want {
			t.Errorf("%s is at %s, want %s", id, got, want)
		}
	}
}

const smallBundle = `{"id":"b","x-own":1.0,"name":"B","version":"1_0",
	"policies":[{"id":"p","version":"1_0","rules":[{"id":"r1","gate":"always","trigger":"always","action":"WARN"},{"gate":"files","trigger":"suid_or_guid_set","action":"STOP"}]}],
	"whitelists":[{"id":"w","version":"1_0","items":[{"id":"i","gate":"files","trigger_id":"x","expires_on":"2026-01-01T00:00:00Z"}],"kept":true},{"id":"unused","version":"1_0"}],
	"mappings":[{"id":"m1","name":"one","registry":"r","repository":"*","image":{"type":"tag","value":"*"},"policy_id":"p","whitelist_ids":["w"]},
		{"id":"m2","name":"two","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_ids":["p"]}]}`

func compact(t *testing.T, text string) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.Compact(&b, []byte(text)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestAnExceptionLeavesAllElseAsItWas(t *testing.T) {
	x := Exception{ID: "new", Gate: "files", TriggerID: "y", Reason: "why", ExpiresOn: "2027-01-01T00:00:00Z"}
	got, err := AddException([]byte(smallBundle), "w", x)
	if err != nil {
		t.Fatal(err)
	}
	const item = `,{"id":"new","gate":"files","trigger_id":"y","reason":"why","expires_on":"2027-01-01T00:00:00Z"}],"kept":true`
	if want := strings.Replace(compact(t, smallBundle), `],"kept":true`, item, 1); compact(t, string(got)) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := AddException([]byte(smallBundle), "gone", x); err == nil {
		t.Error("a whitelist that is gone was written to")
	}

	// Without a whitelist there comes one, for all mappings.
	bare := `{"id":"b","mappings":[{"name":"a"},{"name":"b","whitelist_ids":[]}]}`
	if got, err = AddException([]byte(bare), "", x); err != nil {
		t.Fatal(err)
	}
	d, err := ReadPolicy(got)
	if err != nil || len(d.Whitelists) != 1 || len(d.Whitelists[0].Items) != 1 || d.Mappings[0].WhitelistIDs[0] != "exceptions" || d.Mappings[1].WhitelistIDs[0] != "exceptions" {
		t.Errorf("%s, %v", got, err)
	}
}

func TestExceptionListsAreThoseInUse(t *testing.T) {
	d, err := ReadPolicy([]byte(smallBundle))
	if err != nil {
		t.Fatal(err)
	}
	list := ExceptionLists(d, "")
	if len(list) != 1 || list[0].Value != "w" || !list[0].Chosen {
		t.Errorf("%+v", list)
	}
	for at, want := range map[string]bool{"2025-12-31T00:00:00Z": true, "2026-01-01T00:00:00Z": false} {
		now, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := InForce(d, "w", "FILES", "x", now); got != want {
			t.Errorf("at %s in force: %v", at, got)
		}
	}
}

func TestAnExceptionCountsThroughItsLastDay(t *testing.T) {
	now := time.Date(2026, 5, 31, 23, 0, 0, 0, time.UTC)
	for day, want := range map[string]string{"": "", "2026-05-31": "2026-06-01T00:00:00Z", "2026-05-30": "fault", "31.5.2026": "fault"} {
		got, err := ExceptionEnd(day, now)
		if err != nil {
			got = "fault"
		}
		if got != want {
			t.Errorf("%q ends %s, want %s", day, got, want)
		}
	}
}

func TestCopiesKeepWhatIsNotTheirs(t *testing.T) {
	got := CopyPolicy([]byte(smallBundle), "other", `A "copy"`)
	if want := strings.Replace(strings.Replace(compact(t, smallBundle), `"id":"b"`, `"id":"other"`, 1), `"name":"B"`, `"name":"A \"copy\""`, 1); compact(t, got) != want {
		t.Errorf("got  %s\nwant %s", compact(t, got), want)
	}
}

func TestDocumentsAreComparedByTheirParts(t *testing.T) {
	old, err := ReadPolicy([]byte(smallBundle))
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct{ from, to, want string }{
		"nothing":         {`"id":"b"`, `"id":"c"`, ""},
		"a rule's action": {`"always","action":"WARN"`, `"always","action":"STOP"`, "Policy p: changed Stop when always: always (action: Warn → Stop)"},
		"case of action":  {`"always","action":"WARN"`, `"always","action":"warn"`, ""},
		"a rule more":     {`"rules":[`, `"rules":[{"gate":"g","trigger":"t","action":"GO"},`, "Policy p: added Go when g: t"},
		"a rule less":     {`,{"gate":"files","trigger":"suid_or_guid_set","action":"STOP"}`, ``, "Policy p: removed Stop when files: suid_or_guid_set"},
		"an exception":    {`"expires_on":"2026-01-01T00:00:00Z"`, `"reason":"r"`, "Whitelist w: changed files: x (reason: (empty) → r; expires: 2026-01-01T00:00:00Z → (empty))"},
		"a mapping":       {`"registry":"r"`, `"registry":"q"`, "Mappings: changed 1. one: q/*:* (images: r/*:* → q/*:*)"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			now, err := ReadPolicy([]byte(strings.Replace(smallBundle, tc.from, tc.to, 1)))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, g := range PolicyStructure(old, now) {
				for _, i := range g.List {
					s := g.Title + ": " + i.Kind + " " + i.Text
					if len(i.Details) > 0 {
						s += " (" + strings.Join(i.Details, "; ") + ")"
					}
					got = append(got, s)
				}
			}
			if s := strings.Join(got, "\n"); s != tc.want {
				t.Errorf("got  %s\nwant %s", s, tc.want)
			}
		})
	}
	swapped := old
	swapped.Mappings = []mappingPart{old.Mappings[1], old.Mappings[0]}
	if g := PolicyStructure(old, swapped); len(g) != 1 || len(g[0].List) != 1 || g[0].List[0].Kind != "moved" {
		t.Errorf("mappings in another order: %+v", g)
	}
}

// A difference, read back, gives both texts.
func TestTextsAreComparedLineByLine(t *testing.T) {
	var many strings.Builder
	for i := range 60_000 {
		fmt.Fprintln(&many, i)
	}
	for _, tc := range [][2]string{{"", ""}, {"a\nb\nc\n", "a\nc\nd\n"}, {"", "x\n"}, {"a\na\na\n", "a\n"}, {many.String(), "first\n" + many.String() + "last\n"}} {
		var old, now strings.Builder
		for _, l := range lineDiff(tc[0], tc[1]) {
			if l.Kind != "add" {
				old.WriteString(l.Text + "\n")
			}
			if l.Kind != "del" {
				now.WriteString(l.Text + "\n")
			}
		}
		if old.String() != tc[0] || now.String() != tc[1] {
			t.Errorf("the difference of %.20q and %.20q does not give them back", tc[0], tc[1])
		}
	}
	hunks, added, removed, cut := TextDiff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n")
	if len(hunks) != 1 || len(hunks[0].Lines) != 8 || added != 1 || removed != 1 || cut {
		t.Errorf("%+v, %d added, %d removed", hunks, added, removed)
	}
}

func TestExpiredExceptionsSaySo(t *testing.T) {
	now := Clock{Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
	for expires, want := range map[string]string{
		"": "off never expires", "2026-05-31T00:00:00Z": "bad expired 1 d ago", "2026-06-03T00:00:00Z": "warn expires in 2 d",
		"2026-12-01T00:00:00Z": "ok expires in 183 d", "soon": "bad no valid date: soon",
	} {
		x := policyException(itemPart{ExpiresOn: expires}, now)
		got := x.Expiry.Tone + " " + x.Expiry.Text
		if got != want || x.Expired != strings.HasPrefix(want, "bad expired") {
			t.Errorf("%q: %s, want %s", expires, got, want)
		}
	}
}

func TestTrialsAreSummedUp(t *testing.T) {
	one := func(now, tried string) engine.PolicyTrial {
		return engine.PolicyTrial{Image: "sha256:1", Tag: "r/x:1", Tried: engine.Verdict{Action: tried}, Now: &engine.Verdict{Action: now}}
	}
	tests := map[string]struct {
		in   engine.PolicyTrials
		want string
	}{
		"none":         {engine.PolicyTrials{Against: "a"}, "No image is analyzed yet, so nothing would change now."},
		"one, same":    {engine.PolicyTrials{Against: "a", Trials: []engine.PolicyTrial{one("stop", "stop")}}, "The verdict on this image stays what it is."},
		"some, of all": {engine.PolicyTrials{Against: "a", Analyzed: 2, Trials: []engine.PolicyTrial{one("stop", "go"), one("go", "go")}}, "The verdict changes on 1 of the 2 analyzed images."},
		"of the newest": {engine.PolicyTrials{Against: "a", Analyzed: 900, Trials: []engine.PolicyTrial{one("stop", "stop"), {Fault: "bad"}}},
			"The verdict changes on none of the 2 newest analyzed images. On 1 there would be no verdict at all."},
		"beside none": {engine.PolicyTrials{Trials: []engine.PolicyTrial{{Tried: engine.Verdict{Action: "stop"}}}}, "Of 1 image, 0 pass, 0 pass with warnings and 1 fail. No bundle is active to compare with."},
	}
	for name, tc := range tests {
		if got := PolicyTrials(tc.in, "t", "a", "").Summary; got != tc.want {
			t.Errorf("%s: %s\nwant %s", name, got, tc.want)
		}
	}
}
