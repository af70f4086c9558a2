package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// What a client does with policies, through the whole program: the requests of
// the command line client, in its words.
func TestPolicyFlow(t *testing.T) {
	p := start(t, dataDir(t))
	type record struct {
		ID     string          `json:"policyId"`
		Active bool            `json:"active"`
		Bundle json.RawMessage `json:"policybundle"`
	}
	var list []record
	get := func(method, path, body string, want int, to any) {
		t.Helper()
		if code := p.call(t, method, path, body, to); code != want {
			t.Fatalf("%s %s = %d, want %d", method, path, code, want)
		}
	}
	get("GET", "/policies?detail=False", "", 200, &list)
	if len(list) != 1 || !list[0].Active || string(list[0].Bundle) != "{}" {
		t.Fatalf("a new account has %+v", list)
	}
	std := list[0].ID

	get("POST", "/console/sample", "", 204, nil)
	var images []struct {
		Digest string `json:"imageDigest"`
		State  string `json:"analysis_status"`
		Detail []struct {
			Tag string `json:"fulltag"`
			ID  string `json:"imageId"`
		} `json:"image_detail"`
	}
	until(t, "the sample is analyzed", func() bool {
		get("GET", "/images", "", 200, &images)
		done := 0
		for _, i := range images {
			if i.State == "analyzed" {
				done++
			}
		}
		return done == 3
	})
	type evaluation struct {
		Policy string `json:"policyId"`
		Status string `json:"status"`
		Detail struct {
			Result struct {
				Action string                     `json:"final_action"`
				Result map[string]json.RawMessage `json:"result"`
			} `json:"result"`
		} `json:"detail"`
	}
	img := images[0]
	check := func(query string) []evaluation {
		t.Helper()
		var reply []map[string]map[string][]evaluation
		get("GET", "/images/"+img.Digest+"/check?tag="+url.QueryEscape(img.Detail[0].Tag)+query, "", 200, &reply)
		return reply[0][img.Digest][img.Detail[0].Tag]
	}
	first := check("&history=false&detail=true")
	if len(first) != 1 || first[0].Policy != std || first[0].Detail.Result.Result[img.Detail[0].ID] == nil {
		t.Fatalf("by the default bundle: %d evaluations, %s %s", len(first), first[0].Policy, first[0].Status)
	}
	until(t, "the image is found vulnerable", func() bool { return check("")[0].Status == "fail" })

	// policy add, then evaluate with it, then policy activate.
	const lenient = `{"id":"lenient","name":"Lenient","version":"1_0","comment":"c","whitelists":[],"x-own":[1.0],
		"policies":[{"id":"p","version":"1_0","rules":[{"gate":"always","trigger":"always","action":"WARN","params":[]}]}],
		"mappings":[{"name":"m","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_ids":["p"],"whitelist_ids":[]}]}`
	var added record
	get("POST", "/policies?detail=True", lenient, 200, &added)
	if added.ID != "lenient" || added.Active || !strings.Contains(string(added.Bundle), `"x-own":[1.0]`) {
		t.Errorf("added %+v", added)
	}
	if e := check("&policyId=lenient"); len(e) != 1 || e[0].Status != "pass" || e[0].Detail.Result.Action != "warn" {
		t.Errorf("by the added bundle: %.500v", e)
	}
	var got []map[string]any
	get("GET", "/policies/lenient?detail=True", "", 200, &got)
	got[0]["active"] = true
	body, err := json.Marshal(got[0])
	if err != nil {
		t.Fatal(err)
	}
	get("PUT", "/policies/lenient", string(body), 200, nil)
	get("GET", "/policies", "", 200, &list)
	for _, r := range list {
		if r.Active != (r.ID == "lenient") {
			t.Errorf("after the activation: %+v", r)
		}
	}
	get("DELETE", "/policies/lenient", "", 500, nil)
	if e := check("&detail=false"); e[0].Policy != "lenient" || e[0].Status != "pass" {
		t.Errorf("by the active bundle: %+v", e)
	}
	if h := check("&history=true&detail=false"); len(h) < 2 || h[0].Policy != "lenient" {
		t.Errorf("history %+v", h)
	}
	get("DELETE", "/policies/"+std, "", 200, nil)
	for _, e := range check("&history=true&detail=false") {
		if e.Policy == std {
			t.Errorf("an evaluation by a deleted bundle: %+v", e)
		}
	}
	var events struct {
		Results []struct {
			Event struct{ Type string } `json:"event"`
		} `json:"results"`
	}
	get("GET", "/events?event_type=user.policy.*", "", 200, &events)
	if len(events.Results) != 1 || events.Results[0].Event.Type != "user.policy.active.updated" {
		t.Errorf("events %+v", events)
	}
	var failed struct {
		Message string
		Detail  struct {
			Problems []struct {
				Type string `json:"problem_type"`
			} `json:"validation_details"`
		}
	}
	get("POST", "/policies", strings.Replace(lenient, `"always"`, `"sometimes"`, 1), 400, &failed)
	if failed.Message != "Bundle failed validation" || len(failed.Detail.Problems) != 1 || failed.Detail.Problems[0].Type != "GateNotFoundError" {
		t.Errorf("a bundle that is not valid: %+v", failed)
	}

	// A new account begins with the bundle as well, and with nothing else.
	get("POST", "/accounts", `{"name":"acme"}`, 200, nil)
	req, err := http.NewRequestWithContext(t.Context(), "GET", p.api+"/v1/policies", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.SetBasicAuth("admin", p.password)
	req.Header.Set("X-Anchore-Account", "acme")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	list = nil
	if err := json.NewDecoder(resp.Body).Decode(&list); err != nil || len(list) != 1 || list[0].ID != std || !list[0].Active {
		t.Errorf("the new account has %+v, %v", list, err)
	}
}
