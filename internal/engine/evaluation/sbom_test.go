package evaluation

import (
	"reflect"
	"testing"

	"windlass/internal/engine/policy"
)

func TestFromSBOM(t *testing.T) {
	const doc = `{"artifacts":[
		{"name":"dash","type":"deb","metadata":{"files":[
			{"path":"/bin/dash","digest":{"algorithm":"md5","value":"0a"},"isConfigFile":false},
			{"path":"/etc/dash","digest":{"algorithm":"md5","value":"0b"},"isConfigFile":true},
			{"path":"/usr/share/doc"},{"path":""}]}},
		{"name":"musl","type":"apk","metadata":{"files":[
			{"path":"/lib","permissions":"755"},
			{"path":"/lib/ld.so","permissions":"755","digest":{"algorithm":"'Q1'+base64(sha1)","value":"Q1AAEC"}}]}},
		{"name":"bash","type":"rpm","metadata":{"files":[{"path":"usr/bin/bash","mode":33261,"size":7,"digest":{"algorithm":"sha256","value":"0c"},"flags":"c"}]}},
		{"name":"flask","type":"python","metadata":{"files":[{"path":"a.py","size":"12"}]}},
		{"name":"odd","type":"deb","metadata":{"files":"none"}},
		{"name":"bare","type":"deb"}
	],"schema":{"version":"1"},"distro":{"id":"debian","idLike":["a","b"]}}`
	var img policy.Image
	if err := fromSBOM([]byte(doc), &img); err != nil {
		t.Fatal(err)
	}
	want := []policy.Record{
		{Package: "dash", Path: "/bin/dash", Algorithm: "md5", Digest: "0a", Size: -1},
		{Package: "dash", Path: "/etc/dash", Algorithm: "md5", Digest: "0b", Size: -1, Config: true},
		{Package: "dash", Path: "/usr/share/doc", Size: -1},
		{Package: "musl", Path: "/lib", Mode: "755", Size: -1},
		{Package: "musl", Path: "/lib/ld.so", Algorithm: "sha1", Digest: "000102", Mode: "755", Size: -1},
		{Package: "bash", Path: "/usr/bin/bash", Algorithm: "sha256", Digest: "0c", Mode: "755", Size: 7, Config: true},
	}
	if !reflect.DeepEqual(img.Records, want) || img.Like != "a,b" {
		t.Errorf("like %q, records\n got %+v\nwant %+v", img.Like, img.Records, want)
	}
	for doc, like := range map[string]string{
		`{"distro":{"idLike":"rhel fedora"}}`: "rhel,fedora", `{"distro":null,"artifacts":null}`: "", `{"distro":{"idLike":7}}`: "", `{}`: "",
	} {
		img := policy.Image{}
		if err := fromSBOM([]byte(doc), &img); err != nil || img.Like != like {
			t.Errorf("%s: like %q, %v", doc, img.Like, err)
		}
	}
}

// FuzzFromSBOM: an SBOM may have been imported, so anything may stand in it.
func FuzzFromSBOM(f *testing.F) {
	f.Add(`{"artifacts":[{"name":"a","type":"deb","metadata":{"files":[{"path":"/a","digest":{"algorithm":"md5","value":"Q1AA"}}]}}],"distro":{"idLike":["x"]}}`)
	f.Add(`{"artifacts":{},"distro":[]}`)
	f.Add(`[1,2]`)
	f.Fuzz(func(t *testing.T, doc string) {
		var img policy.Image
		_ = fromSBOM([]byte(doc), &img)
		for _, r := range img.Records {
			if r.Path == "" || r.Path[0] != '/' {
				t.Fatalf("record %+v", r)
			}
		}
	})
}
