package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"windlass/internal/engine/apiv1"
)

// contract asks a running program and holds every reply against the API
// document, whatever the test at hand wants of it.
type contract struct {
	base     string
	document *apiv1.Contract
	seen     map[string]map[int]int // replies by operation and status
}

func newContract(t testing.TB, p *program) *contract {
	t.Helper()
	doc, err := apiv1.LoadContract()
	if err != nil {
		t.Fatal(err)
	}
	return &contract{base: p.api, document: doc, seen: map[string]map[int]int{}}
}

// caller is who asks: with a password, a token or neither, in an account of
// its own or another.
type caller struct {
	name, password string
	token          string
	account        string // x-anchore-account
}

func (c caller) in(account string) caller {
	c.account = account
	return c
}

// upload is a body that is not JSON.
type upload struct {
	kind string
	body []byte
}

type answer struct {
	status int
	header http.Header
	body   []byte
	what   string
}

// ask sends a request as stock clients do: basic authentication and a JSON
// content type whatever the method. A body is marshalled unless it is text.
func (c *contract) ask(t testing.TB, who caller, method, path string, body any) answer {
	t.Helper()
	var raw []byte
	kind := "application/json"
	switch b := body.(type) {
	case nil:
	case string:
		raw = []byte(b)
	case upload:
		raw, kind = b.body, b.kind
	default:
		var err error
		if raw, err = json.Marshal(b); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), method, c.base+"/v1"+path, bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", kind)
	switch {
	case who.token != "":
		req.Header.Set("Authorization", "Bearer "+who.token)
	case who.name != "":
		req.SetBasicAuth(who.name, who.password)
	}
	if who.account != "" {
		req.Header.Set("x-anchore-account", who.account)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header, what: method + " " + path}
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		t.Fatalf("%s: %v", a.what, err)
	}
	c.hold(t, req, a)
	return a
}

// hold notes a reply and holds it against the document.
func (c *contract) hold(t testing.TB, req *http.Request, a answer) {
	t.Helper()
	if op, ok := c.document.Operation(req); ok {
		if c.seen[op.ID] == nil {
			c.seen[op.ID] = map[int]int{}
		}
		c.seen[op.ID][a.status]++
	}
	if err := c.document.CheckReply(req, a.status, a.header, a.body); err != nil {
		t.Errorf("%s answered %d against the document: %v\n%.600s", a.what, a.status, err, a.body)
	}
}

// want asks and says when the status is another.
func (c *contract) want(t testing.TB, status int, who caller, method, path string, body any) answer {
	t.Helper()
	a := c.ask(t, who, method, path, body)
	if a.status != status {
		t.Errorf("%s as %q = %d, want %d: %.400s", a.what, who.name, a.status, status, a.body)
	}
	return a
}

// fails asks for an error and says when its message lacks a text or its body
// does not repeat the code.
func (c *contract) fails(t testing.TB, status int, message string, who caller, method, path string, body any) {
	t.Helper()
	a := c.want(t, status, who, method, path, body)
	if !strings.Contains(string(a.body), message) {
		t.Errorf("%s says %.400s, want %q", a.what, a.body, message)
	}
}

// into decodes a reply.
func (a answer) into(t testing.TB, to any) {
	t.Helper()
	if err := json.Unmarshal(a.body, to); err != nil {
		t.Fatalf("%s: %v in %.400s", a.what, err, a.body)
	}
}

// text is a value of a reply by its path: "0.imageDigest".
func (a answer) text(t testing.TB, path string) string {
	t.Helper()
	var v any
	a.into(t, &v)
	for key := range strings.SplitSeq(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[key]
		case []any:
			var i int
			if _, err := fmt.Sscan(key, &i); err != nil || i >= len(at) {
				t.Fatalf("%s: no %s in %.400s", a.what, path, a.body)
			}
			v = at[i]
		default:
			t.Fatalf("%s: no %s in %.400s", a.what, path, a.body)
		}
	}
	return fmt.Sprint(v)
}

// covered says which operations of v1 were answered, with success and with an
// error, and fails for those that were not.
func (c *contract) covered(t *testing.T) {
	t.Helper()
	total, done, statuses := 0, 0, map[int]int{}
	for _, op := range c.document.Operations() {
		var good, bad bool
		for status, n := range c.seen[op.ID] {
			good = good || status < 300
			bad = bad || status >= 400
			statuses[status] += n
		}
		if !op.V1 {
			if !good {
				t.Errorf("%s %s never succeeded", op.Method, op.Path)
			}
			continue
		}
		total++
		switch {
		case !good:
			t.Errorf("%s %s never succeeded: %v", op.Method, op.Path, c.seen[op.ID])
		case !bad && !op.Open:
			t.Errorf("%s %s never failed", op.Method, op.Path)
		default:
			done++
		}
	}
	var replies []string
	for _, status := range slices.Sorted(maps.Keys(statuses)) {
		replies = append(replies, fmt.Sprintf("%d×%d", statuses[status], status))
	}
	t.Logf("%d of %d operations covered; every reply agrees with the document: %s", done, total, strings.Join(replies, " "))
	if total != 112 {
		t.Errorf("the document has %d operations of v1, want 112", total)
	}
}
