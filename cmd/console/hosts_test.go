package main

import (
	"fmt"
	"net/http"
	"testing"

	"windlass/internal/engine/enginetest"
)

// A further host with nothing but an analyzer takes jobs of the engine on the
// shared database, brings the data in use onto itself and stores matches.
func TestAnalyzerOnAnotherHost(t *testing.T) {
	feed, more := slowFeed(t)
	close(more)
	db := "--database-url=" + enginetest.Database(t)
	reg := enginetest.Registry(t)
	image := reg.Push(t, "team/shop:1.0", enginetest.NodePython(t))
	key := "--secret-key=" + fmt.Sprintf("%064x", 7)

	first := start(t, dataDir(t), db, key, "--feeds-url="+feed, "--services=apiext,catalog,policy_engine,simplequeue", "--host-id=one")
	first.sync(t)
	start(t, dataDir(t), db, key, "--feeds-url="+feed, "--services=analyzer", "--web=off", "--host-id=two")
	first.awaitUp(t)
	var list []struct {
		Digest string `json:"imageDigest"`
		State  string `json:"analysis_status"`
	}
	if code := first.call(t, http.MethodPost, "/images", fmt.Sprintf(`{"tag":%q}`, image), &list); code != http.StatusOK {
		t.Fatalf("POST /images = %d", code)
	}
	digest := list[0].Digest
	until(t, "the other host analyzes the image", func() bool {
		first.call(t, http.MethodGet, "/images/"+digest, "", &list)
		return list[0].State == "analyzed"
	})
	until(t, "its vulnerabilities are found", func() bool { return len(first.findings(t, digest)) > 0 })
}
