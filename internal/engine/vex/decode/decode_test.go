package decode

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

var now = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)

const openHead = `{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://acme.example/vex/1","author":"Acme","timestamp":"2023-01-08T18:02:03.647787998-06:00","version":1,"statements":[`

func open(statements ...string) string { return openHead + strings.Join(statements, ",") + `]}` }

const openFirst = `{"vulnerability":{"name":"CVE-2023-1","aliases":["ghsa-AAAA-bbbb-cccc","CVE-2023-1"]},
	"products":[{"@id":"pkg:oci/shop@sha256:aa","identifiers":{"purl":"pkg:oci/shop?tag=1","cpe23":"cpe:2.3:a:x"},"hashes":{"sha-256":"bb"},
		"subcomponents":[{"@id":"pkg:apk/alpine/openssl"}]}],
	"status":"not_affected","justification":"vulnerable_code_not_present","impact_statement":"Built without it."}`

func TestOpenVEX(t *testing.T) {
	doc, list, err := Document([]byte(open(openFirst, `{"vulnerability":{"@id":"https://nvd.nist.gov/vuln/detail/CVE-2023-2"},"timestamp":"2023-02-01T00:00:00Z",
		"last_updated":"2023-03-01T00:00:00Z","products":[{"@id":"https://acme.example/shop"}],"status":"affected","action_statement":"Update."}`)), false, now)
	if err != nil {
		t.Fatal(err)
	}
	issued := time.Date(2023, 1, 9, 0, 2, 3, 647787998, time.UTC)
	wantDoc := engine.VEXDocument{Format: "openvex", Name: "https://acme.example/vex/1", Version: "1", Author: "Acme", IssuedAt: issued, Statements: 2, Unplaced: 1, Bytes: doc.Bytes}
	if doc != wantDoc {
		t.Errorf("document\n got %+v\nwant %+v", doc, wantDoc)
	}
	want := []engine.VEXStatement{
		{
			Place: 1, Vulns: []string{"CVE-2023-1", "GHSA-aaaa-bbbb-cccc"}, Status: engine.VEXNotAffected,
			Justification: "vulnerable_code_not_present", Impact: "Built without it.", At: issued,
			Products: []engine.VEXProduct{{IDs: []string{"pkg:oci/shop@sha256:aa", "pkg:oci/shop?tag=1", "sha256:bb"}, Parts: [][]string{{"pkg:apk/alpine/openssl"}}}},
		},
		{
			Place: 2, Vulns: []string{"CVE-2023-2"}, Status: engine.VEXAffected, Impact: "Update.", At: time.Date(2023, 3, 1, 0, 0, 0, 0, time.UTC),
			Products: []engine.VEXProduct{{IDs: []string{"https://acme.example/shop"}}},
		},
	}
	if !reflect.DeepEqual(list, want) {
		t.Errorf("statements\n got %+v\nwant %+v", list, want)
	}
}

const cycloneBOM = `{"bomFormat":"CycloneDX","specVersion":"1.5","serialNumber":"urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79","version":2,
	"metadata":{"timestamp":"2023-05-01T10:00:00Z","authors":[{"name":"Acme"}],
		"component":{"bom-ref":"image","type":"container","name":"ghcr.io/acme/shop","version":"1.2","components":[{"bom-ref":"deep","type":"library","name":"deep","purl":"pkg:npm/deep@1"}]}},
	"components":[{"bom-ref":"c1","type":"library","name":"lodash","purl":"pkg:npm/lodash@4.17.20"},{"bom-ref":"c2","type":"library","name":"any","purl":"pkg:npm/any"}],
	"vulnerabilities":[%s]}`

func TestCycloneDX(t *testing.T) {
	const vulns = `
		{"id":"CVE-1","references":[{"id":"GHSA-1","source":{"name":"GitHub"}}],"analysis":{"state":"not_affected","justification":"code_not_reachable","detail":"Never called.","response":["will_not_fix"]},
			"affects":[{"ref":"c1"},{"ref":"urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#deep"},{"ref":"image"},{"ref":"gone"},{"ref":"urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg%3Anpm%2Fother%401"}]},
		{"id":"CVE-2"},
		{"id":"CVE-3","analysis":{"state":"resolved","firstIssued":"2023-05-02T00:00:00Z","lastUpdated":"2023-05-03T00:00:00Z"},
			"affects":[{"ref":"c2","versions":[{"version":"1.0","status":"unaffected"},{"range":"vers:npm/>2"}]}]},
		{"id":"CVE-4","analysis":{"state":"exploitable"},"affects":[{"ref":"c2","versions":[{"range":"vers:npm/>2"}]}]}`
	doc, list, err := Document(fmt.Appendf(nil, cycloneBOM, vulns), false, now)
	if err != nil {
		t.Fatal(err)
	}
	issued := time.Date(2023, 5, 1, 10, 0, 0, 0, time.UTC)
	wantDoc := engine.VEXDocument{
		Format: "cyclonedx", Name: "urn:uuid:3e671687-395b-41f5-a30f-a58921a69b79", Version: "2", Author: "Acme", IssuedAt: issued,
		Statements: 3, Unplaced: 1, Bytes: doc.Bytes,
	}
	if doc != wantDoc {
		t.Errorf("document\n got %+v\nwant %+v", doc, wantDoc)
	}
	self := []string{"ghcr.io/acme/shop:1.2"}
	of := func(part ...string) engine.VEXProduct { return engine.VEXProduct{IDs: self, Parts: [][]string{part}} }
	want := []engine.VEXStatement{
		{
			Place: 1, Vulns: []string{"CVE-1", "GHSA-1"}, Status: engine.VEXNotAffected, Justification: "code_not_reachable", Impact: "Never called.", At: issued,
			Products: []engine.VEXProduct{of("pkg:npm/lodash@4.17.20"), of("pkg:npm/deep@1"), {IDs: self}, of(), of("pkg:npm/other@1")},
		},
		{
			Place: 3, Vulns: []string{"CVE-3"}, Status: engine.VEXFixed, At: time.Date(2023, 5, 3, 0, 0, 0, 0, time.UTC),
			Products: []engine.VEXProduct{of("pkg:npm/any@1.0")},
		},
		{Place: 4, Vulns: []string{"CVE-4"}, Status: engine.VEXAffected, At: issued, Products: []engine.VEXProduct{of()}},
	}
	if len(list) != len(want) {
		t.Fatalf("%d statements, want %d", len(list), len(want))
	}
	for i := range want {
		if fmt.Sprint(list[i]) != fmt.Sprint(want[i]) {
			t.Errorf("statement %d\n got %+v\nwant %+v", i, list[i], want[i])
		}
	}
}

// What is wrong is told with the statement and the field.
func TestRefused(t *testing.T) {
	statement := func(replace ...string) string { return open(strings.NewReplacer(replace...).Replace(openFirst)) }
	cyclone := func(vuln string) string { return fmt.Sprintf(cycloneBOM, vuln) }
	for name, tc := range map[string]struct{ body, want string }{
		"empty":            {" \n", "the document is empty"},
		"cut off":          {"{\n \"@context\": ", "the document is no JSON: line 2, column 13: it ends too soon"},
		"not JSON":         {"{\n  yes\n}", "the document is no JSON: line 2, column 3: invalid character 'y' looking for beginning of object key string"},
		"two documents":    {open(openFirst) + "{}", "after top-level value"},
		"XML":              {`<bom xmlns="http://cyclonedx.org/schema/bom/1.5"/>`, "the document is XML"},
		"CSAF":             {`{"document":{"csaf_version":"2.0"}}`, "the document is CSAF"},
		"anything":         {`{"a":1}`, "neither OpenVEX"},
		"a list":           {`[1]`, "the document is no JSON object"},
		"deep":             {strings.Repeat("[", 200) + strings.Repeat("]", 200), "nested deeper than 100"},
		"old OpenVEX":      {`{"@context":"https://openvex.dev/ns","timestamp":"2023-01-08T18:02:03Z","statements":[{"vulnerability":"CVE-1"}]}`, "statement 1: statements[0].vulnerability: a JSON string does not belong here"},
		"older context":    {`{"@context":"https://openvex.dev/ns/v0.0.1","statements":[]}`, `@context: "https://openvex.dev/ns/v0.0.1" is not that of OpenVEX 0.2`},
		"context of kinds": {`{"@context":["a"]}`, "@context: a JSON array does not belong here"},
		"no time":          {`{"@context":"https://openvex.dev/ns/v0.2.0","statements":[{}]}`, "timestamp: missing"},
		"no statements":    {open(), "statements: there are none"},
		"many statements":  {open(strings.Repeat("{},", MaxStatements) + "{}"), "statements: 20001 of them, more than 20000"},
		"no vulnerability": {statement(`"name":"CVE-2023-1",`, "", `["ghsa-AAAA-bbbb-cccc","CVE-2023-1"]`, "[]"), "statement 1: statements[0].vulnerability.name: missing"},
		"status":           {statement("not_affected", "safe"), `statement 1 (CVE-2023-1): statements[0].status: invalid status value "safe"`},
		"no status":        {statement(`"not_affected"`, `""`), "statements[0].status: missing: one of not_affected, affected, fixed, under_investigation"},
		"justification":    {statement("vulnerable_code_not_present", "trust_me"), `statements[0].justification: invalid justification value "trust_me"`},
		"unjustified":      {statement("vulnerable_code_not_present", "", "Built without it.", ""), "statements[0].justification: either justification or impact"},
		"fixed, justified": {statement("not_affected", "fixed"), "statements[0].justification: justification should not be set"},
		"no action":        {statement("not_affected", "affected", "vulnerable_code_not_present", "", "Built without it.", ""), "statements[0].action_statement: action statement must be set"},
		"no products":      {open(`{"vulnerability":{"name":"CVE-1"},"status":"fixed"}`), "statement 1 (CVE-1): statements[0].products: missing"},
		"nameless product": {statement(`"@id":"pkg:oci/shop@sha256:aa","identifiers":{"purl":"pkg:oci/shop?tag=1","cpe23":"cpe:2.3:a:x"},"hashes":{"sha-256":"bb"},`, ""), "statements[0].products[0]: has neither @id nor identifiers"},
		"bad package URL":  {statement("pkg:apk/alpine/openssl", "pkg:apk"), `statements[0].products[0].subcomponents[0].@id: "pkg:apk" is no package URL`},
		"other package id": {statement("pkg:oci/shop?tag=1", "shop"), `statements[0].products[0].identifiers.purl: "shop" is no package URL`},
		"the second":       {open(openFirst, strings.Replace(openFirst, "not_affected", "x", 1)), "statement 2 (CVE-2023-1): statements[1].status"},
		"bad time":         {statement(`"status"`, `"timestamp":"yesterday","status"`), `statements[0].timestamp: "yesterday" is no time`},
		"future":           {statement(`"status"`, `"timestamp":"2034-01-01T00:00:00Z","status"`), "statements[0].timestamp: 2034-01-01T00:00:00Z lies in the future"},
		"NUL":              {statement("Built without it.", `a\u0000b`), "statements[0].impact_statement: has a character that no text has"},
		"long text":        {statement("Built without it.", strings.Repeat("a", maxText+1)), "statements[0].impact_statement: longer than"},
		"long name":        {statement("pkg:apk/alpine/openssl", "pkg:apk/alpine/"+strings.Repeat("a", maxName)), "subcomponents[0].@id: longer than"},
		"many aliases":     {statement(`"CVE-2023-1"]`, `"`+strings.Repeat(`a","`, maxIDs)+`"]`), "statements[0].vulnerability: more than 200 ids"},

		"not CycloneDX":      {`{"bomFormat":"SPDX"}`, `bomFormat: "SPDX" is not CycloneDX`},
		"old CycloneDX":      {`{"bomFormat":"CycloneDX","specVersion":"1.3"}`, `specVersion: "1.3" has no analyses`},
		"no vulnerabilities": {cyclone(""), "vulnerabilities: there are none"},
		"nothing analyzed":   {cyclone(`{"id":"CVE-1"}`), "vulnerabilities: none of the 1 has an analysis"},
		"state":              {cyclone(`{"id":"CVE-1","analysis":{"state":"fine"}}`), `statement 1 (CVE-1): vulnerabilities[0].analysis.state: "fine" is not one of`},
		"CycloneDX reason":   {cyclone(`{"id":"CVE-1","analysis":{"state":"not_affected","justification":"so"}}`), "vulnerabilities[0].analysis.justification"},
		"affects nothing":    {cyclone(`{"id":"CVE-1","analysis":{"state":"not_affected"}}`), "vulnerabilities[0].affects: missing"},
		"no id":              {cyclone(`{"analysis":{"state":"not_affected"}}`), "statement 1: vulnerabilities[0].id: missing"},
		"empty ref":          {cyclone(`{"id":"CVE-1","analysis":{"state":"not_affected"},"affects":[{"ref":""}]}`), "vulnerabilities[0].affects[0].ref: missing"},
		"CycloneDX type":     {cyclone(`{"id":7,"analysis":{"state":"not_affected"}}`), "vulnerabilities[0].id: a JSON number does not belong here"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := Document([]byte(tc.body), false, now)
			if !errors.Is(err, engine.ErrInvalid) || !strings.Contains(engine.MessageOf(err, ""), tc.want) {
				t.Errorf("Document = %v, want %q", err, tc.want)
			}
		})
	}
	if _, _, err := Document(make([]byte, MaxBytes+1), false, now); err == nil || !strings.Contains(err.Error(), "more than 16 MiB") {
		t.Errorf("a large document: %v", err)
	}
}

func FuzzDocument(f *testing.F) {
	f.Add([]byte(open(openFirst)))
	f.Add(fmt.Appendf(nil, cycloneBOM, `{"id":"CVE-1","analysis":{"state":"resolved","detail":"x"},"affects":[{"ref":"urn:cdx:x/1#deep","versions":[{"version":"1"}]}]}`))
	f.Add([]byte(`{"@context":"https://openvex.dev/ns","timestamp":"2023-01-08T18:02:03Z","statements":[{"vulnerability":{"name":"x"}}]}`))
	f.Add([]byte(`[[[[`))
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, list, err := Document(body, len(body)%2 == 0, now)
		if err != nil {
			if !errors.Is(err, engine.ErrInvalid) {
				t.Fatalf("not a fault: %v", err)
			}
			return
		}
		if doc.Statements != len(list) || len(list) == 0 || doc.Unplaced > len(list) {
			t.Fatalf("%+v of %d statements", doc, len(list))
		}
		for _, s := range list {
			if len(s.Vulns) == 0 || len(s.Products) == 0 || s.At.IsZero() || s.Place < 1 {
				t.Fatalf("statement %+v", s)
			}
			if raw, err := json.Marshal(s.Products); err != nil || strings.Contains(string(raw), `\u0000`) {
				t.Fatalf("products %s: %v", raw, err)
			}
		}
	})
}
