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
