package evaluation

import (
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// A document changes what the bundle says as soon as it is there, and no
// longer than that; what was kept from before counts again.
func TestVEXSetsAside(t *testing.T) {
	w := newWorld(t)
	img := w.analyzed("one", 1, critical())
	w.add("one", "strict", `{"id":"r1","gate":"vulnerabilities","trigger":"package","action":"STOP","params":[
		{"name":"package_type","value":"all"},{"name":"severity_comparison","value":">="},{"name":"severity","value":"high"}]}`, true)
	if e := w.check(Request{Image: img}); e.Action != "stop" {
		t.Fatalf("without documents: %s", e.Action)
	}
	d, err := w.s.AddVEX(t.Context(), engine.VEXDocument{Account: "one", Format: engine.VEXOpen, SHA256: "x", Statements: 1, Bytes: 2}, []byte(`{}`), []engine.VEXStatement{{
		Place: 7, Vulns: []string{"CVE-2026-1"}, Status: engine.VEXNotAffected, Justification: "component_not_present", Impact: strings.Repeat("long ", 100),
		At: time.Now(), Products: []engine.VEXProduct{{IDs: []string{string(img.Digest)}}},
	}}, engine.Source{})
	if err != nil {
		t.Fatal(err)
	}
	e := w.check(Request{Image: img})
	if e.Action != "go" {
		t.Fatalf("with a document: %s", e.Action)
	}
	rows := ResultOf(e).Rows
	if len(rows) != 1 || rows[0].Exception == nil || rows[0].Exception.WhitelistID != d.ID || rows[0].Exception.ItemID != "7" ||
		!strings.HasPrefix(rows[0].Exception.Reason, "component_not_present: long") || len(rows[0].Exception.Reason) > 310 || rows[0].Why.Ruled != "stop" {
		t.Errorf("rows %+v", rows)
	}
	if _, err := w.s.EnableVEX(t.Context(), "one", d.ID, false, engine.Source{}); err != nil {
		t.Fatal(err)
	}
	if e := w.check(Request{Image: img}); e.Action != "stop" {
		t.Errorf("with the document disabled: %s", e.Action)
	}
}
