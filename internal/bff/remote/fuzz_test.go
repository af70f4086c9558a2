package remote

import (
	"encoding/json"
	"testing"

	"windlass/internal/engine"
)

// What an engine answers may be anything.
func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`[{"imageDigest":"sha256:1","analysis_status":"analyzed","image_content":{"metadata":{"arch":"amd64","image_size":1}},"image_detail":[{"tag":"1","registry":"r"}]}]`,
		`[{"sha256:1":{"r/a:1":[{"policyId":"p","status":"fail","last_evaluation":"2026-01-02T03:04:05Z","detail":{"result":{"final_action":"stop","matched_mapping_rule":{"registry":"*"},
		  "result":{"i":{"result":{"header":["Trigger_Id","Gate_Action","Whitelisted"],"rows":[["t","stop",{"whitelist_id":"w"}],[],[1,2]]}}}},"policy":{"name":"n"}}}]}}]`,
		`[{"policyId":"p","policybundle":{"id":"p","name":"n"}}]`, `[{"name":"vulnerabilities","groups":[{"name":"g","record_count":1}]}]`,
		`[{"generated_uuid":"1","event":{"timestamp":1577934245,"level":"INFO"}}]`, `[{"vuln":"CVE-1","fix":"1, 2","url":"::","nvd_data":[{"id":"CVE-2"}]}]`, `null`, `[null]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		var images []wireImage
		if json.Unmarshal(raw, &images) == nil {
			for _, w := range images {
				i := imageOf(w, "a")
				matches(i, engine.ImageFilter{Text: "x", Distro: "debian"})
				imagePage([]engine.Image{i}, engine.ImageFilter{After: string(raw)})
			}
		}
		var checks []map[string]map[string][]wireEvaluation
		if json.Unmarshal(raw, &checks) == nil {
			for _, c := range checks {
				for d, tags := range c {
					for tag, list := range tags {
						for _, w := range list {
							judgementOf(w, d, tag)
						}
					}
				}
			}
		}
		var policies []wirePolicy
		if json.Unmarshal(raw, &policies) == nil {
			for _, w := range policies {
				policyOf(w, "a")
			}
		}
		var feeds []wireFeed
		if json.Unmarshal(raw, &feeds) == nil {
			feedsOf(feeds)
		}
		var events []wireEvent
		if json.Unmarshal(raw, &events) == nil {
			for _, w := range events {
				p := eventPlace{}.after(eventOf(w, "a"))
				if _, err := parsePlace(p.String()); err != nil {
					t.Errorf("a place that was made cannot be read: %v", err)
				}
			}
		}
		var found []wireMatch
		if json.Unmarshal(raw, &found) == nil {
			for _, w := range found {
				matchOf(w)
			}
		}
		var files []wireFile
		if json.Unmarshal(raw, &files) == nil {
			var list []engine.File
			for _, w := range files {
				list = append(list, engine.File{Path: w.Name, Type: w.Type})
			}
			selectFiles(list, engine.FileQuery{Browse: true})
			selectFiles(list, engine.FileQuery{Folder: "/a"})
		}
		var metadata any
		if json.Unmarshal(raw, &metadata) == nil {
			unwrap(metadata)
		}
		clean(string(raw))
		parsePlace(string(raw))
	})
}
