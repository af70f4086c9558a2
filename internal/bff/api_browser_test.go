package bff_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// documentFake has an API document of three operations.
type documentFake struct{ *enginetest.Fake }

func (documentFake) APIDocument() ([]engine.APIGroup, error) {
	image := engine.APIParameter{Name: "imageDigest", In: "path", Type: "text", Description: "sha256:<64 hex>", Required: true}
	failed := engine.APIReply{Status: "default", Description: "What went wrong", Kind: "application/json", Fields: []engine.APIField{{Name: "message", Type: "text", Required: true}}}
	return []engine.APIGroup{
		{Name: "Images", Description: "Images and their analysis", Operations: []engine.APIOperation{
			{ID: "addImage", Method: "POST", Path: "/images", Summary: "Ask for an image to be analyzed", V1: true,
				Parameters: []engine.APIParameter{{Name: "force", In: "query", Type: "true or false", Default: "false", Description: "Analyze again"}},
				Body:       &engine.APIBody{Kind: "application/json", Required: true, Example: "{\n  \"tag\": \"\"\n}", Fields: []engine.APIField{{Name: "tag", Type: "text"}}},
				Replies:    []engine.APIReply{{Status: "200", Description: "The image", Kind: "application/json"}, failed}},
			{ID: "getImage", Method: "GET", Path: "/images/{imageDigest}", Summary: "Get an image", V1: true, Parameters: []engine.APIParameter{image},
				Replies: []engine.APIReply{{Status: "200", Description: "The image", Kind: "application/json", Fields: []engine.APIField{
					{Name: "[].imageDigest", Type: "text", Required: true}, {Name: "[].analysis_status", Type: "text", Values: []string{"not_analyzed", "analyzed"}, Required: true}}}, failed}},
		}},
		{Name: "Console", Operations: []engine.APIOperation{{ID: "getSample", Method: "GET", Path: "/console/sample", Summary: "What of the built-in sample the account has",
			Replies: []engine.APIReply{{Status: "200", Description: "The state of the sample"}}}}},
	}, nil
}

func TestAPILooksAndAnswers(t *testing.T) {
	var asked string
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = fmt.Sprintf("%s %s %s %s", r.Method, r.URL.EscapedPath(), r.URL.RawQuery, body)
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `[{"imageDigest":"<b>sha256</b>","analysis_status":"analyzed"}]`)
	}))
	defer api.Close()
	c := start(t, bff.Options{Engine: documentFake{enginetest.New()}, API: api.URL})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	p.Goto(c.url + "/api?q=sample")
	if n := browsertest.Eval[int](p, `document.querySelectorAll(".operations li").length`); n != 1 {
		t.Errorf("%d operations are found, want 1", n)
	}
	p.Goto(c.url + "/api/getImage")
	p.Live()
	p.Type(`input[name="path.imageDigest"]`, "sha256:ab/c")
	p.Click(`form[action^="/api/getImage"] button.primary`)
	p.Wait(`document.querySelector("#result .answer")?.innerText.includes("<b>sha256</b>")`)
	p.Looks("api-answer")
	if asked != "GET /v1/images/sha256:ab%2Fc  " {
		t.Errorf("the API was asked %q", asked)
	}
}
