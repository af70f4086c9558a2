package policy

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"windlass/internal/engine/pattern"
)

func TestExceptions(t *testing.T) {
	item := func(id, gate, trigger string, more ...string) map[string]any {
		i := map[string]any{"id": id, "gate": gate, "trigger_id": trigger}
		for k := 0; k < len(more); k += 2 {
			i[more[k]] = more[k+1]
		}
		return i
	}
	past, future, same := now.Add(-time.Hour).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339), now.Format(time.RFC3339)
	tests := map[string]struct {
		items []any
		want  string // id of the item that applies to CVE-1+openssl; empty: none
	}{
		"the id":                   {[]any{item("a", "vulnerabilities", "CVE-1+openssl")}, "a"},
		"gate in any case":         {[]any{item("a", "Vulnerabilities", "CVE-1+openssl")}, "a"},
		"id by case":               {[]any{item("a", "vulnerabilities", "cve-1+openssl")}, ""},
		"star at the end":          {[]any{item("a", "vulnerabilities", "CVE-1+*")}, "a"},
		"star at the beginning":    {[]any{item("a", "vulnerabilities", "*+openssl")}, "a"},
		"stars about":              {[]any{item("a", "vulnerabilities", "*-1+open*")}, "a"},
		"a star":                   {[]any{item("a", "vulnerabilities", "*")}, "a"},
		"plus is a plus":           {[]any{item("a", "vulnerabilities", "CVE-11*"), item("b", "vulnerabilities", "CVE-1?openssl")}, ""},
		"raw expression":           {[]any{item("a", "vulnerabilities", "regexp:CVE-[0-9]+")}, "a"},
		"raw expression elsewhere": {[]any{item("a", "vulnerabilities", "regexp:openssl")}, ""},
		"another gate":             {[]any{item("a", "packages", "*")}, ""},
		"first wins, exact last":   {[]any{item("x", "vulnerabilities", "CVE-2+*"), item("a", "vulnerabilities", "*"), item("b", "vulnerabilities", "CVE-1+openssl")}, "a"},
		"first wins, exact first":  {[]any{item("b", "vulnerabilities", "CVE-1+openssl"), item("a", "vulnerabilities", "CVE*")}, "b"},
		"expired":                  {[]any{item("a", "vulnerabilities", "*", "expires_on", past)}, ""},
		"expires now":              {[]any{item("a", "vulnerabilities", "*", "expires_on", same)}, ""},
		"not yet expired":          {[]any{item("a", "vulnerabilities", "*", "expires_on", future)}, "a"},
		"expired, then another":    {[]any{item("a", "vulnerabilities", "CVE-1+openssl", "expires_on", past), item("b", "vulnerabilities", "CVE-1+openssl")}, "b"},
		"no id of its own":         {[]any{map[string]any{"gate": "vulnerabilities", "trigger_id": "*"}}, ""},
	}
	img := exampleMatches()
	img.Matches = img.Matches[:1]
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			b := parse(t, doc(t, []map[string]any{rule("r1", "STOP", "vulnerabilities", "package", "package_type", "all")}, whitelisted(), func(b map[string]any) {
				b["whitelists"].([]any)[0].(map[string]any)["items"] = tc.items
			}))
			if problems := b.Problems(); len(problems) > 0 {
				t.Fatal(problems)
			}
			r := evaluate(t, b, img).Rows[0]
			got := ""
			if r.Exception != nil {
				got = r.Exception.ItemID
			}
			if got != tc.want || name != "no id of its own" && (r.Action == Go) != (tc.want != "") {
				t.Errorf("item %q, action %s, want item %q", got, r.Action, tc.want)
			}
		})
	}
}

func TestExceptionReasonAndOrderOfLists(t *testing.T) {
	list := func(id string, item map[string]any) map[string]any {
		return map[string]any{"id": id, "version": "1_0", "name": "list " + id, "items": []any{item}}
	}
	b := parse(t, doc(t, []map[string]any{rule("r1", "STOP", "always", "always")}, func(b map[string]any) {
		b["whitelists"] = []any{
			list("w1", map[string]any{"id": "i1", "gate": "always", "trigger_id": "always"}),
			list("w2", map[string]any{"id": "i2", "gate": "always", "trigger_id": "always", "reason": "agreed", "expires_on": "2027-01-01T00:00:00Z"}),
		}
		b["mappings"] = []any{mapping("p1", "w2", "w1")}
	}))
	want := Exception{WhitelistID: "w2", WhitelistName: "list w2", ItemID: "i2", Reason: "agreed", ExpiresAt: time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)}
	v := evaluate(t, b, &Image{})
	if got := v.Rows[0].Exception; got == nil || *got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if v.Action != Go || v.Rows[0].Why.Ruled != Stop {
		t.Errorf("%s, %+v", v.Action, v.Rows[0])
	}
}

// The index must find the item that trying one after the other finds.
func TestExceptionsFindTheFirst(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	word := func() string {
		s := ""
		for range 1 + random.IntN(4) {
			s += []string{"a", "b", "+", "*"}[random.IntN(4)]
		}
		return s
	}
	for range 300 {
		var x exceptions
		var all []exception
		for i := range 1 + random.IntN(20) {
			item := &Item{ID: fmt.Sprint(i), TriggerID: word()}
			if random.IntN(4) == 0 {
				item.expires = now
			}
			glob, err := pattern.CompileGlob(item.TriggerID)
			if err != nil {
				t.Fatal(err)
			}
			x.add(i, item, glob)
			all = append(all, exception{i, item, glob})
		}
		id, want := word(), ""
		for _, e := range all {
			if ok, _ := e.glob.Match(pattern.NewBudget(time.Minute), id); (ok || e.item.TriggerID == id) && e.item.inForce(now) {
				want = e.item.ID
				break
			}
		}
		got := ""
		if item, err := x.first(pattern.NewBudget(time.Minute), id, now); err != nil {
			t.Fatal(err)
		} else if item != nil {
			got = item.ID
		}
		if got != want {
			t.Fatalf("id %q: item %q, want %q of %v", id, got, want, all)
		}
	}
}
