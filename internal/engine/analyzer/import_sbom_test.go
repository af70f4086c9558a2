package analyzer

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"windlass/internal/engine/enginetest"
)

var muslAndBusybox = map[string]string{"musl": "1.1.24-r2", "busybox": "1.31.1-r9"}

func TestReadSBOM(t *testing.T) {
	old, today := string(enginetest.OldSBOM(muslAndBusybox)), string(enginetest.NewSBOM(muslAndBusybox))
	swap := func(doc, from, to string) string {
		if !strings.Contains(doc, from) {
			t.Fatalf("no %s in the document", from)
		}
		return strings.ReplaceAll(doc, from, to)
	}
	tests := map[string]struct {
		doc      string
		packages int
		distro   string // name version; empty: it cannot be read
	}{
		"of the first releases":        {old, 2, "alpine 3.11.5"},
		"of today":                     {today, 2, "alpine 3.11.5"},
		"no schema":                    {swap(old, `"schema":`, `"skema":`), 2, "alpine 3.11.5"},
		"odd schema":                   {swap(old, `"schema":{`, `"schema":[],"x":{`), 2, "alpine 3.11.5"},
		"an old name":                  {swap(old, `"name":"alpine","version":"3.11.5"`, `"name":"redhat","version":"8.4"`), 2, "rhel 8.4"},
		"no distribution":              {swap(today, `"id":"alpine","name":"Alpine Linux","versionID":"3.11.5"`, ``), 2, "Unknown 0"},
		"metadata of another shape":    {swap(old, `"installedSize":4096`, `"installedSize":{}`), 2, "alpine 3.11.5"},
		"metadata nobody knows":        {swap(old, `"ApkMetadata"`, `"Nonsense"`), 2, "alpine 3.11.5"},
		"licences that are no texts":   {swap(old, `["MIT"]`, `[7]`), 2, "alpine 3.11.5"},
		"locations that are no places": {swap(old, `"locations":[{`, `"locations":[7],"l":[{`), 2, "alpine 3.11.5"},
		"a target that is a text":      {swap(old, `"target":{`, `"target":"alpine","t":{`), 2, "alpine 3.11.5"},
		"a source of another kind":     {swap(old, `"type":"image"`, `"type":"moon"`), 2, "alpine 3.11.5"},
		"relationships that are none":  {swap(old, `"artifactRelationships":[]`, `"artifactRelationships":7`), 2, "alpine 3.11.5"},
		"NUL in a name":                {swap(old, `"name":"musl"`, `"name":"mu\u0000sl"`), 2, "alpine 3.11.5"},
		"no artifacts":                 {swap(old, `"artifacts":`, `"artifakts":`), 0, ""},
		"artifacts of another shape":   {swap(old, `"artifacts":[{`, `"artifacts":[7,{`), 0, ""},
		"not JSON":                     {"x", 0, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s, doc, err := readSBOM([]byte(tc.doc))
			if tc.distro == "" {
				if err == nil {
					t.Fatal("it was read")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			id, version := distro(s.Artifacts.LinuxDistribution)
			list := packages(s)
			if len(list) != tc.packages || id+" "+version != tc.distro {
				t.Errorf("%d packages of %s %s, want %d of %s", len(list), id, version, tc.packages, tc.distro)
			}
			for _, p := range list {
				if p.Key == "" || !bytes.Contains(doc, []byte(`"id":"`+p.Key+`"`)) {
					t.Errorf("package %s has the key %q, which the document lacks", p.Name, p.Key)
				}
				if strings.Contains(p.Name, "\x00") {
					t.Errorf("package %q", p.Name)
				}
			}
		})
	}
	s, _, err := readSBOM(enginetest.OldSBOM(muslAndBusybox))
	if err != nil {
		t.Fatal(err)
	}
	p := packages(s)[0]
	if p.Name != "busybox" || p.Type != "apkg" || p.Class != "os" || p.Source != "busybox" || p.Size == 0 || len(p.Licenses) != 1 || len(p.CPEs) != 1 {
		t.Errorf("package %+v", p)
	}
}

func FuzzReadSBOM(f *testing.F) {
	f.Add(enginetest.OldSBOM(muslAndBusybox))
	f.Add(enginetest.NewSBOM(muslAndBusybox))
	f.Add([]byte(`{"artifacts":[{"name":"\u0000","version":"","type":""}],"source":{"type":"image","target":7},"distro":{"idLike":[1]}}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		s, today, err := readSBOM(doc)
		if err != nil {
			return
		}
		if !json.Valid(today) {
			t.Error("what was written is no JSON")
		}
		for _, p := range packages(s) {
			if strings.ContainsRune(p.Name+p.Version+p.Key, 0) {
				t.Errorf("%q cannot be stored", p.Name)
			}
		}
	})
}

func FuzzWithoutNUL(f *testing.F) {
	f.Add(`{"a":"\u0000\\u0000\\\u0000"}`)
	f.Fuzz(func(t *testing.T, doc string) {
		var was any
		if json.Unmarshal([]byte(doc), &was) != nil {
			return
		}
		var is any
		if err := json.Unmarshal(withoutNUL([]byte(doc)), &is); err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(is)
		if !bytes.Equal(withoutNUL(text), text) {
			t.Errorf("%s still holds a NUL", text)
		}
	})
}
