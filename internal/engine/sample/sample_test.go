package sample_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"windlass/internal/engine/registry"
	"windlass/internal/engine/sample"
)

// Every host of an engine builds the samples for itself: they must be the same
// images, and the registry client must reach them by their public names.
func TestSamplesResolveToTheSameDigestsEverywhere(t *testing.T) {
	digests := [2]map[string]string{{}, {}}
	for i := range digests {
		r, err := sample.Listen()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.Run(ctx) }()
		c := registry.New(registry.Options{Mirrors: map[string][]string{sample.Host: {r.URL()}}})
		for _, tag := range sample.Tags() {
			ref, err := registry.ParseReference(tag)
			if err != nil {
				t.Fatal(err)
			}
			found, err := c.Resolve(t.Context(), ref, nil)
			if err != nil {
				t.Fatal(err)
			}
			digests[i][tag] = string(found.Digest)
		}
		resp, err := http.Post(r.URL()+"/v2/storefront/blobs/uploads/", "", strings.NewReader(""))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusMethodNotAllowed {
			t.Errorf("a push answers %d, want 405", resp.StatusCode)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v, want nil when told to stop", err)
		}
	}
	for tag, d := range digests[0] {
		if digests[1][tag] != d {
			t.Errorf("%s is %s and then %s", tag, d, digests[1][tag])
		}
	}
}
