package main

import (
	"strings"
	"testing"
)

// evaluations asks for the verdict on an image.
func (f *fixture) evaluations(t *testing.T) {
	c, admin := f.contract, f.admin
	for _, image := range []string{"/images/" + f.digest, "/images/by_id/" + f.imageID} {
		a := c.want(t, 200, admin, "GET", image+"/check?tag="+f.tag, nil)
		if !strings.Contains(string(a.body), f.digest) || !strings.Contains(string(a.body), `"status":"`) {
			t.Errorf("%s gives no verdict: %.300s", a.what, a.body)
		}
		for _, more := range []string{"&detail=False", "&history=True", "&interactive=True"} {
			c.want(t, 200, admin, "GET", image+"/check?tag="+f.tag+more, nil)
		}
		c.want(t, 400, admin, "GET", image+"/check", nil)
		c.want(t, 404, admin, "GET", image+"/check?policyId=nosuch&tag="+f.tag, nil)
		c.want(t, 401, nobody, "GET", image+"/check?tag="+f.tag, nil)
	}
	c.want(t, 404, admin, "GET", "/images/"+absent+"/check?tag="+f.tag, nil)
}

func (f *fixture) policies(t *testing.T) {
	c, admin := f.contract, f.admin
	c.want(t, 200, admin, "GET", "/policies", nil)
	list := c.want(t, 200, admin, "GET", "/policies?detail=True", nil)
	first := list.text(t, "0.policyId")
	bundle := map[string]any{
		"id": "strict", "name": "Strict", "version": "1_0", "whitelists": []any{}, "whitelisted_images": []any{}, "blacklisted_images": []any{},
		"policies": []any{map[string]any{"id": "p", "version": "1_0", "name": "P", "rules": []any{
			map[string]any{"id": "r", "gate": "always", "trigger": "always", "action": "STOP", "params": []any{}},
		}}},
		"mappings": []any{map[string]any{
			"id": "m", "name": "all", "registry": "*", "repository": "*", "policy_ids": []any{"p"}, "whitelist_ids": []any{},
			"image": map[string]any{"type": "tag", "value": "*"},
		}},
	}
	record := map[string]any{}
	c.want(t, 200, admin, "POST", "/policies?detail=True", bundle).into(t, &record)
	if record["policyId"] != "strict" || record["active"] != false {
		t.Errorf("the new policy is %v, active %v", record["policyId"], record["active"])
	}
	c.want(t, 400, admin, "POST", "/policies", map[string]any{"id": "x"})
	c.fails(t, 400, "Bundle failed validation", admin, "POST", "/policies", map[string]any{
		"id": "bad", "version": "1_0", "policies": []any{}, "mappings": []any{map[string]any{
			"id": "m", "name": "m", "registry": "*", "repository": "*", "policy_ids": []any{"gone"}, "whitelist_ids": []any{},
			"image": map[string]any{"type": "tag", "value": "*"},
		}},
	})
	c.want(t, 200, admin, "GET", "/policies/strict?detail=False", nil)
	f.tries(t, bundle)
	c.want(t, 404, admin, "GET", "/policies/nosuch", nil)
	record["active"] = true
	c.want(t, 200, admin, "PUT", "/policies/strict", record)
	if a := c.want(t, 200, admin, "GET", "/images/"+f.digest+"/check?tag="+f.tag, nil); !strings.Contains(string(a.body), `"status":"fail"`) {
		t.Errorf("a policy that always stops gives %.300s", a.body)
	}
	record["active"] = false
	c.fails(t, 500, "cannot deactivate an active policy", admin, "PUT", "/policies/strict", record)
	c.fails(t, 500, "cannot delete an active policy", admin, "DELETE", "/policies/strict", nil)
	c.want(t, 404, admin, "PUT", "/policies/nosuch", map[string]any{"policyId": "nosuch", "policybundle": bundle})
	c.want(t, 500, admin, "PUT", "/policies/strict", map[string]any{"policyId": "other", "policybundle": bundle})
	var records []map[string]any
	c.want(t, 200, admin, "GET", "/policies/"+first, nil).into(t, &records)
	restored := records[0]
	restored["active"] = true
	c.want(t, 200, admin, "PUT", "/policies/"+first, restored)
	c.want(t, 200, admin, "DELETE", "/policies/strict", nil)
	c.want(t, 404, admin, "DELETE", "/policies/strict", nil)
	for _, path := range []string{"/policies", "/policies/strict"} {
		c.want(t, 401, nobody, "GET", path, nil)
	}
}

// tries asks a bundle that need not be stored.
func (f *fixture) tries(t *testing.T, bundle map[string]any) {
	c, admin := f.contract, f.admin
	try := func(more map[string]any) map[string]any {
		more["policybundle"] = bundle
		return more
	}
	a := c.want(t, 200, admin, "POST", "/console/policies/try", try(map[string]any{"images": []string{f.digest}, "tag": f.tag}))
	if a.text(t, "images.0.tried.status") != "fail" || a.text(t, "images.0.changes.0.change") == "" {
		t.Errorf("a bundle that always stops, tried: %.600s", a.body)
	}
	c.want(t, 200, admin, "POST", "/console/policies/try", try(map[string]any{"newest": 5, "against": "strict"}))
	c.want(t, 200, f.owner, "POST", "/console/policies/try", try(map[string]any{}))
	c.fails(t, 400, "Bundle failed validation", admin, "POST", "/console/policies/try", map[string]any{"policybundle": map[string]any{"id": "x"}})
	c.want(t, 400, admin, "POST", "/console/policies/try", try(map[string]any{"newest": 51}))
	c.want(t, 404, admin, "POST", "/console/policies/try", try(map[string]any{"images": []string{absent}}))
	c.want(t, 404, admin, "POST", "/console/policies/try", try(map[string]any{"against": "nosuch"}))
	c.want(t, 401, nobody, "POST", "/console/policies/try", try(map[string]any{}))
	if got := c.want(t, 200, admin, "GET", "/policies", nil); strings.Contains(string(got.body), "nosuch") {
		t.Error("a try left a trace")
	}
}
