package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"windlass/internal/engine/enginetest"
)

// What the analyzer's settings ask for is found in a pushed image, shown by the
// API in v1's form, and judged by the gates that look at it.
func TestContentFlow(t *testing.T) {
	file := filepath.Join(dataDir(t), "analyzer_config.yaml")
	if err := os.WriteFile(file, []byte(`
retrieve_files: {max_file_size_kb: 1000, file_list: ['/etc/passwd', '/etc/motd']}
content_search: {match_params: [MAXFILESIZE=20000, STOREONMATCH=y], regexp_match: ['PASSWORD=(?i).*password *= *\S']}
malware: {clamav: {enabled: false, db_update_enabled: true}}
`), 0o600); err != nil {
		t.Fatal(err)
	}
	p := start(t, dataDir(t), "--analyzer-config="+file)
	reg := enginetest.Registry(t)
	tag := reg.Push(t, "app:1", enginetest.Image(t,
		enginetest.Files{
			"etc/passwd": "root:x:0:0:root:/root:/bin/bash\nftp:x:14:50:FTP:/var/ftp:/sbin/nologin\n",
			"app/id_rsa": "\n-----BEGIN RSA PRIVATE KEY-----\nMIIB\n", "app/gone": "-----BEGIN RSA PRIVATE KEY-----\n", "app/settings": "x\nPassword = y\n",
		},
		enginetest.Files{"app/.wh.gone": ""},
	))
	digest := p.analyze(t, tag, "")

	for name, want := range map[string]string{
		"secret_search":       `[{"path":"/app/id_rsa","matches":[{"name":"PRIV_KEY","regex":"(?i)-+BEGIN(.*)PRIVATE KEY-+","lines":[1]}]}]`,
		"file_content_search": `[{"path":"/app/settings","matches":[{"name":"PASSWORD","regex":"(?i).*password *= *\\S","lines":[1]}]}]`,
		"retrieved_files": `[{"path":"/app/settings","b64_content":"eApQYXNzd29yZCA9IHkK"},
			{"path":"/etc/passwd","b64_content":"cm9vdDp4OjA6MDpyb290Oi9yb290Oi9iaW4vYmFzaApmdHA6eDoxNDo1MDpGVFA6L3Zhci9mdHA6L3NiaW4vbm9sb2dpbgo="}]`,
	} {
		var got, wanted any
		if code := p.call(t, http.MethodGet, "/images/"+digest+"/artifacts/"+name, "", &got); code != http.StatusOK {
			t.Errorf("GET %s = %d", name, code)
		}
		if err := json.Unmarshal([]byte(want), &wanted); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, wanted) {
			t.Errorf("%s = %v, want %v", name, got, wanted)
		}
	}

	const bundle = `{"id":"look","name":"Look","version":"1_0","whitelists":[],
		"policies":[{"id":"p","version":"1_0","rules":[
			{"gate":"passwd_file","trigger":"blacklist_usernames","action":"STOP","params":[{"name":"user_names","value":"ftp"}]},
			{"gate":"passwd_file","trigger":"content_not_available","action":"STOP","params":[]},
			{"gate":"secret_scans","trigger":"content_regex_checks","action":"STOP","params":[]},
			{"gate":"files","trigger":"content_regex_match","action":"STOP","params":[{"name":"regex_name","value":"PASSWORD"}]},
			{"gate":"retrieved_files","trigger":"content_not_available","action":"STOP","params":[{"name":"path","value":"/etc/motd"}]},
			{"gate":"retrieved_files","trigger":"content_regex","action":"STOP","params":[{"name":"path","value":"/etc/passwd"},{"name":"check","value":"match"},{"name":"regex","value":"root:.*"}]}
		]}],
		"mappings":[{"name":"m","registry":"*","repository":"*","image":{"type":"tag","value":"*"},"policy_ids":["p"],"whitelist_ids":[]}]}`
	if code := p.call(t, http.MethodPost, "/policies?detail=True", bundle, nil); code != http.StatusOK {
		t.Fatalf("POST /policies = %d", code)
	}
	var verdict json.RawMessage
	if code := p.call(t, http.MethodGet, "/images/"+digest+"/check?history=false&detail=true&policyId=look&tag="+url.QueryEscape(tag), "", &verdict); code != http.StatusOK {
		t.Fatalf("check = %d", code)
	}
	for _, want := range []string{
		"Unwanted user name ftp", "match in file /app/id_rsa: name PRIV_KEY", "File /app/settings contains a text that matches PASSWORD=",
		"The content of /etc/motd is not available", "The content of /etc/passwd has a text that matches",
	} {
		if !strings.Contains(string(verdict), want) {
			t.Errorf("no rule says %q: %s", want, verdict)
		}
	}
	if text := "The content of /etc/passwd is not available"; strings.Contains(string(verdict), text) {
		t.Errorf("a rule says %q", text)
	}
}
