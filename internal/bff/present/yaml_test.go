package present

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"
	"time"

	"windlass/internal/engine"
)

// The cases were written by the library that the original client prints with.
func TestYAMLIsTheClients(t *testing.T) {
	raw, err := os.ReadFile("testdata/yaml.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		In   any
		Want string
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		if got := yamlText(c.In); got != c.Want {
			t.Errorf("got\n%s\nwant\n%s", got, c.Want)
		}
	}
}

func TestEventYAML(t *testing.T) {
	e := engine.NewEvent(engine.EvFeedsSyncStarted, "admin", "", map[string]any{"sync_feed_types": []string{"vulnerabilities"}},
		engine.Source{Service: "policy_engine", Host: "host-1", BaseURL: "http://host-1:8087"})
	e.At = time.Date(2026, 1, 2, 3, 4, 1, 123456000, time.UTC)
	const want = `details:
  sync_feed_types:
  - vulnerabilities
level: info
message: Feeds sync task started
resource:
  id: null
  type: feeds
  user_id: admin
source:
  base_url: http://host-1:8087
  hostid: host-1
  request_id: null
  servicename: policy_engine
timestamp: '2026-01-02T03:04:01.123456Z'
type: system.feeds.sync.started
`
	if got := EventYAML(e); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func FuzzYAML(f *testing.F) {
	f.Add(`{"a": ["x: y", {"b": "line\n\nbreak"}, [], {}], "": null}`)
	f.Fuzz(func(t *testing.T, text string) {
		var v any
		if json.Unmarshal([]byte(text), &v) == nil && yamlText(v) == "" {
			t.Errorf("%q became nothing", text)
		}
	})
}
