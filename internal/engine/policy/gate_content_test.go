package policy

import (
	"fmt"
	"testing"
)

const examplePasswd = `root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
ftp:x:14:50:old:/:/bin/sh

ftp:x:15:50:FTP User:/var/ftp:/sbin/nologin
short:x
`

func passwdImage(text string) *Image {
	return &Image{Retrieved: []Retrieved{{Path: "/etc/passwd", Body: []byte(text)}, {Path: "/etc/motd", Body: []byte("hello  world\nkey=value\n")}}}
}

func tryPasswd(t *testing.T, run runner) {
	img := passwdImage(examplePasswd)
	none := &Image{Retrieved: []Retrieved{{Path: "/etc/motd"}}}
	root, daemon, ftp := "root:x:0:0:root:/root:/bin/bash", "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin", "ftp:x:15:50:FTP User:/var/ftp:/sbin/nologin"
	run(t, "passwd_file", "content_not_available", img, map[string]check{
		"there":         {},
		"not retrieved": {image: none, want: []string{"The content of /etc/passwd is not available"}},
		"empty":         {image: passwdImage("\n"), want: []string{"The content of /etc/passwd is not available"}},
	})
	unwanted := func(what, value, line string) string {
		return fmt.Sprintf("Unwanted %s %s in /etc/passwd: entry %s", what, value, line)
	}
	run(t, "passwd_file", "blacklist_usernames", img, map[string]check{
		"each":      {params: []string{"user_names", "ftp, root"}, want: []string{unwanted("user name", "root", root), unwanted("user name", "ftp", ftp)}},
		"old name":  {params: []string{"usernameblacklist", "ftp"}, want: []string{unwanted("user name", "ftp", ftp)}},
		"another":   {params: []string{"user_names", "roo"}},
		"no passwd": {params: []string{"user_names", "root"}, image: none},
	})
	run(t, "passwd_file", "blacklist_userids", img, map[string]check{
		"each":            {params: []string{"user_ids", "0,1"}, want: []string{unwanted("user id", "0", root), unwanted("user id", "1", daemon)}},
		"of the old line": {params: []string{"user_ids", "14"}},
		"old name":        {params: []string{"useridblacklist", "15"}, want: []string{unwanted("user id", "15", ftp)}},
	})
	run(t, "passwd_file", "blacklist_groupids", img, map[string]check{
		"one":     {params: []string{"group_ids", "50"}, want: []string{unwanted("group id", "50", ftp)}},
		"another": {params: []string{"group_ids", "15"}},
	})
	run(t, "passwd_file", "blacklist_shells", img, map[string]check{
		"one":     {params: []string{"shells", "/bin/bash,/bin/sh"}, want: []string{unwanted("shell", "/bin/bash", root)}},
		"another": {params: []string{"shells", "/bin/zsh"}},
	})
	run(t, "passwd_file", "blacklist_full_entry", img, map[string]check{
		"one":     {params: []string{"entry", ftp}, want: []string{"Unwanted entry in /etc/passwd: entry " + ftp}},
		"partial": {params: []string{"entry", ftp[:20]}},
	})
}

func FuzzReadPasswd(f *testing.F) {
	f.Add(examplePasswd)
	f.Add(":::\n:\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		seen := map[string]bool{}
		for _, e := range readPasswd(text).entries {
			if len(e.fields) == 0 || seen[e.fields[0]] {
				t.Errorf("entry %q of %q", e.line, text)
			}
			seen[e.fields[0]] = true
		}
	})
}

func tryRetrieved(t *testing.T, run runner) {
	img := passwdImage("")
	gone := "The content of /etc/gone is not available"
	run(t, "retrieved_files", "content_not_available", img, map[string]check{
		"there":                   {params: []string{"path", "/etc/motd"}},
		"there, though empty":     {params: []string{"path", "/etc/passwd"}},
		"absent":                  {params: []string{"path", "/etc/gone"}, want: []string{gone}},
		"nothing was retrieved":   {params: []string{"path", "/etc/gone"}, image: &Image{}, want: []string{gone, gone}},
		"not by part of the path": {params: []string{"path", "/etc/mot"}, want: []string{"The content of /etc/mot is not available"}},
	})
	ask := func(check, regex string) []string {
		return []string{"path", "/etc/motd", "check", check, "regex", regex}
	}
	run(t, "retrieved_files", "content_regex", img, map[string]check{
		"once":               {params: ask("match", ".*o"), want: []string{"The content of /etc/motd has a text that matches .*o"}},
		"words, not lines":   {params: ask("match", "hello  world")},
		"from the start":     {params: ask("match", "alue")},
		"none":               {params: ask("no_match", "alue"), want: []string{"The content of /etc/motd has nothing that matches alue"}},
		"some":               {params: ask("no_match", "wor")},
		"file not available": {params: []string{"path", "/etc/gone", "check", "no_match", "regex", "x"}},
	})
	v := evaluate(t, parse(t, doc(t, []map[string]any{rule("r9", "WARN", "retrieved_files", "content_regex", ask("match", "key")...)})), img)
	if want := "r9+file:///etc/motd"; v.Rows[0].TriggerID != want {
		t.Errorf("trigger id %q, want %q", v.Rows[0].TriggerID, want)
	}
}

func trySecrets(t *testing.T, run runner) {
	img := &Image{Secrets: []Finding{
		{Path: "/root/.aws/credentials", Name: "AWS_ACCESS_KEY", Regex: "(?i)a"},
		{Path: "/app/key.pem", Name: "PRIV_KEY", Regex: "(?i)b"},
	}}
	aws := "Secret search found a match in file /root/.aws/credentials: name AWS_ACCESS_KEY, regex (?i)a"
	key := "Secret search found a match in file /app/key.pem: name PRIV_KEY, regex (?i)b"
	run(t, "secret_scans", "content_regex_checks", img, map[string]check{
		"each":                     {want: []string{aws, key}},
		"found":                    {params: []string{"match_type", "found", "content_regex_name", "PRIV_KEY"}, want: []string{key}},
		"name within the text":     {params: []string{"content_regex_name", "PRIV_KEY=.*"}, want: []string{key}},
		"another name":             {params: []string{"content_regex_name", "PRIV"}},
		"files":                    {params: []string{"filename_regex", "/app/"}, want: []string{key}},
		"files, from the start":    {params: []string{"filename_regex", "app/"}},
		"not found, but is":        {params: []string{"match_type", "notfound"}},
		"not found in those files": {params: []string{"match_type", "notfound", "filename_regex", "/srv"}, want: []string{"Secret search found no match: name '', files '/srv'"}},
		"nothing found":            {image: &Image{}},
		"nothing found, asked":     {params: []string{"match_type", "notfound", "content_regex_name", "API_KEY"}, image: &Image{}, want: []string{"Secret search found no match: name 'API_KEY', files ''"}},
	})
}
