package notify

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/apiv1"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden holds a body against the file of its name, indented for reading.
func golden(t *testing.T, name string, raw []byte) {
	t.Helper()
	var b bytes.Buffer
	if err := json.Indent(&b, raw, "", "  "); err != nil {
		t.Fatalf("%v: %s", err, raw)
	}
	b.WriteByte('\n')
	file := filepath.Join("testdata", name+".json")
	if *update {
		if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s is\n%s\nwant\n%s", name, b.Bytes(), want)
	}
}

var queued = time.Unix(1577934245, 0).UTC()

func TestBodies(t *testing.T) {
	eval := func(state string) map[string]any {
		return map[string]any{"imageDigest": "sha256:1", "analysis_status": state, "annotations": map[string]any{"a": "b"}}
	}
	tests := map[string]engine.Notification{
		"tag_update": {Payload: map[string]any{"last_eval": []string{"sha256:0"}, "curr_eval": []string{"sha256:1"}, "annotations": map[string]any{"a": "b"}}},
		"policy_eval": {Payload: map[string]any{
			"last_eval": map[string]any{"image_digest": "sha256:1", "status": "fail"}, "curr_eval": map[string]any{"image_digest": "sha256:1", "status": "pass"},
			"subscription_type": "policy_eval",
		}},
		"vuln_update": {Payload: map[string]any{
			"diff_vulnerability_result": map[string]any{"added": []any{}, "updated": []any{}, "removed": []any{}},
			"imageDigest":               "sha256:1", "subscription_type": "vuln_update",
		}},
		"analysis_update": {Payload: map[string]any{
			"last_eval": eval("analyzing"), "curr_eval": eval("analyzed"), "subscription_type": "analysis_update", "annotations": map[string]any{"a": "b"},
		}},
		"event_log": {Key: "error", Event: &engine.Event{
			ID: strings.Repeat("e", 32), Account: "admin", Type: engine.EvFeedsSyncFailed, Level: "error", Message: "Feeds sync task failed",
			Details: map[string]any{"cause": "<away>"}, At: queued, StoredAt: queued.Add(time.Microsecond), ResourceType: "feeds", Service: "policy_engine", Host: "h",
		}},
	}
	for kind, n := range tests {
		t.Run(kind, func(t *testing.T) {
			n.ID, n.Account, n.Email, n.Type = "0f8fad5b-d9cb-469f-a165-70867728950e", "admin", "admin@myanchore", kind
			n.CreatedAt, n.QueuedAt, n.TriedAt, n.Attempts = queued, queued, queued, 1
			if n.Key == "" {
				n.Key = "docker.io/alpine:latest"
			}
			raw, err := body(n, DefaultRetry, apiv1.WireEvent)
			if err != nil {
				t.Fatal(err)
			}
			golden(t, kind, raw)
		})
	}
}

func TestRepeatedBody(t *testing.T) {
	n := engine.Notification{Type: "tag_update", CreatedAt: queued, QueuedAt: queued.Add(time.Hour), TriedAt: queued.Add(time.Hour + time.Second), Attempts: 2}
	raw, err := body(n, time.Minute, nil)
	if err != nil {
		t.Fatal(err)
	}
	var e envelope
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	if e.Tries != 1577934245+3601 || e.MaxTries != 1577934245+3660 || e.CreatedAt != 1577934245 {
		t.Errorf("%+v", e)
	}
}

func TestSamples(t *testing.T) {
	for _, kind := range []string{"tag_update", "policy_eval", "vuln_update", "analysis_update"} {
		n := 0
		id := func() string { n++; return strings.Repeat(string(rune('0'+n)), 8) }
		raw, err := sample(kind, "admin", "admin@myanchore", queued, id)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, "test_"+kind, raw)
	}
}
