package main

import (
	"bytes"
	"net/http"
	"testing"

	"windlass/internal/engine"
)

// exports downloads the image in every format there is, twice: the second time
// it is the same, and who has it already is told so.
func (f *fixture) exports(t *testing.T) {
	c, admin := f.contract, f.admin
	image := "/console/images/" + f.digest
	var paths []string
	for _, of := range engine.SBOMFormats {
		paths = append(paths, "/sboms/"+of.Name)
	}
	for _, of := range engine.MatchFormats {
		paths = append(paths, "/vulnerabilities/"+of.Name, "/vulnerabilities/"+of.Name+"?fixable=true&q=a")
	}
	for _, path := range paths {
		first := c.want(t, 200, admin, "GET", image+path, nil)
		again := c.want(t, 200, admin, "GET", image+path, nil)
		if len(first.body) == 0 || !bytes.Equal(first.body, again.body) || first.header.Get("ETag") != again.header.Get("ETag") {
			t.Errorf("%s is not the same twice", path)
		}
		req, err := http.NewRequestWithContext(t.Context(), "GET", c.base+"/v1"+image+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.SetBasicAuth(admin.name, admin.password)
		req.Header.Set("If-None-Match", first.header.Get("ETag"))
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusNotModified {
			t.Errorf("%s with its own tag = %d", path, resp.StatusCode)
		}
		c.want(t, 401, nobody, "GET", image+path, nil)
	}
	c.want(t, 404, admin, "GET", "/console/images/"+absent+"/sboms/spdx-json", nil)
	c.want(t, 404, admin, "GET", "/console/images/"+absent+"/vulnerabilities/sarif", nil)
	c.want(t, 400, admin, "GET", image+"/sboms/pdf", nil)
	c.want(t, 400, admin, "GET", image+"/vulnerabilities/sarif?severity=kitchen", nil)
	c.want(t, 404, f.owner, "GET", image+"/sboms/syft-json", nil)

	// Compared with itself an image has not changed.
	compare := c.want(t, 200, admin, "GET", image+"/compare/"+f.digest+"?files=true&unchanged=true", nil)
	for _, part := range []string{"packages", "configuration", "files", "vulnerabilities"} {
		if a, r, same := compare.text(t, part+".added"), compare.text(t, part+".removed"), compare.text(t, part+".same"); a != "0" || r != "0" || same == "0" {
			t.Errorf("%s: %s added, %s removed, %s the same", part, a, r, same)
		}
	}
	c.want(t, 200, admin, "GET", image+"/compare/"+f.digest, nil)
	c.want(t, 404, admin, "GET", image+"/compare/"+absent, nil)
	c.want(t, 404, admin, "GET", "/console/images/"+absent+"/compare/"+f.digest, nil)
	c.want(t, 400, admin, "GET", image+"/compare/"+f.digest+"?files=perhaps", nil)
}
