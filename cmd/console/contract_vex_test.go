package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// vexDocument is an OpenVEX document that calls a product not affected.
func vexDocument(author, vulnerability, product string) string {
	doc, err := json.Marshal(map[string]any{
		"@context": "https://openvex.dev/ns/v0.2.0", "@id": "https://example.org/vex/1", "author": author, "timestamp": "2024-01-01T00:00:00Z", "version": 1,
		"statements": []any{map[string]any{
			"vulnerability": map[string]any{"name": vulnerability}, "products": []any{map[string]any{"@id": product}},
			"status": "not_affected", "justification": "component_not_present", "impact_statement": "It is not built in.",
		}},
	})
	if err != nil {
		panic(err)
	}
	return string(doc)
}

// vex uploads a document, sees its mark on the match, and takes it away.
func (f *fixture) vex(t *testing.T) {
	c, admin := f.contract, f.admin
	matches := "/images/" + f.digest + "/vuln/all"
	found := f.vulnerability(t)
	if a := c.want(t, 200, admin, "GET", matches, nil); strings.Contains(string(a.body), `"vex"`) {
		t.Errorf("marks without documents: %.300s", a.body)
	}
	doc := vexDocument("Acme", found["vuln"], f.digest)
	made := c.want(t, 200, admin, "POST", "/console/vex", doc)
	id := made.text(t, "id")
	if made.text(t, "format") != "openvex" || made.text(t, "statements") != "1" || made.text(t, "author") != "Acme" {
		t.Errorf("uploaded as %s", made.body)
	}
	c.fails(t, 409, "this very document", admin, "POST", "/console/vex", doc)
	c.fails(t, 400, "statement 1 ("+found["vuln"]+"): statements[0].status", admin, "POST", "/console/vex", strings.Replace(doc, "not_affected", "harmless", 1))
	c.fails(t, 404, "has no image", admin, "POST", "/console/vex?imageDigest="+absent, doc)
	a := c.want(t, 200, admin, "GET", matches, nil)
	if a.text(t, "vulnerabilities.0.vex.status") != "not_affected" || a.text(t, "vulnerabilities.0.vex.document") != id {
		t.Errorf("the match has no mark: %.600s", a.body)
	}
	path := "/console/vex/" + id
	f.until(t, path, func(a answer) bool { return a.text(t, "marks.images") == "1" })
	c.want(t, 200, admin, "GET", "/console/vex?limit=1&imageDigest="+f.digest, nil)
	if a := c.want(t, 200, admin, "GET", "/console/vex", nil); a.text(t, "documents.0.id") != id || a.text(t, "total_count") != "1" {
		t.Errorf("listed %s", a.body)
	}
	if a := c.want(t, 200, admin, "GET", path+"/document", nil); string(a.body) != doc {
		t.Errorf("the document came back as %s", a.body)
	}
	if a := c.want(t, 200, admin, "GET", path+"/statements?limit=5", nil); a.text(t, "statements.0.vulnerabilities.0") != found["vuln"] {
		t.Errorf("statements %s", a.body)
	}
	c.want(t, 400, admin, "PUT", path, map[string]any{"enabled": "perhaps"})
	c.want(t, 200, admin, "PUT", path, map[string]any{"enabled": false})
	if a := c.want(t, 200, admin, "GET", matches, nil); strings.Contains(string(a.body), `"vex"`) {
		t.Errorf("marks of a disabled document: %.300s", a.body)
	}
	c.want(t, 200, admin, "PUT", path, map[string]any{"enabled": true})
	c.want(t, 204, admin, "DELETE", path, nil)
	for _, gone := range []string{path, path + "/document", path + "/statements"} {
		c.want(t, 404, admin, "GET", gone, nil)
		c.want(t, 401, nobody, "GET", gone, nil)
	}
	c.want(t, 404, admin, "PUT", path, map[string]any{"enabled": true})
	c.want(t, 404, admin, "DELETE", path, nil)
}
