package main

import (
	"bytes"
	"flag"
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"windlass/internal/cli"
	"windlass/internal/cli/python"
	"windlass/internal/engine/enginetest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// TestGuide runs the commands of the troubleshooting guide, and the rest of the
// command line client, against the whole program. The golden file holds the
// commands and, with what differs between runs made alike, what they print.
func TestGuide(t *testing.T) {
	const golden = "testdata/guide.txt"
	text, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	reg := enginetest.Registry(t)
	image := reg.Push(t, "team/shop:1.0", enginetest.Image(t, enginetest.Files{
		"etc/os-release":                       "ID=alpine\nVERSION_ID=3.19.1\nNAME=\"Alpine Linux\"\n",
		"lib/apk/db/installed":                 "P:busybox\nV:1.36.1-r2\nA:x86_64\nL:GPL-2.0-only\no:busybox\n\nP:musl\nV:1.2.4_git20230717-r4\nA:x86_64\nL:MIT\no:musl\n\n",
		"app/node_modules/lodash/package.json": `{"name":"lodash","version":"4.17.15","license":"MIT","author":"Some One"}`,
	}))
	g := &guide{p: start(t, dataDir(t), "--feeds-url="+starterFeed(t)), registry: strings.TrimSuffix(image, "/team/shop:1.0"), ids: map[string]string{}}
	g.p.awaitUp(t)

	var got strings.Builder
	for line := range strings.Lines(string(text)) {
		switch command, ok := strings.CutPrefix(line, "$ anchore-cli "); {
		case ok:
			got.WriteString("$ anchore-cli " + command + g.run(t, strings.TrimSpace(command)) + "\n")
		case strings.HasPrefix(line, "#"):
			got.WriteString(line)
		}
	}
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if got.String() != string(text) {
		t.Errorf("the client prints something else than %s (-update rewrites it):\n%s", golden, difference(string(text), got.String()))
	}
}

// guide is a client at work.
type guide struct {
	p        *program
	registry string
	ids      map[string]string // what stands for an id of this run
}

// run does one command. "| y" is what is typed; names in capitals stand for what
// only this run knows.
func (g *guide) run(t *testing.T, command string) string {
	command, typed, _ := strings.Cut(command, " | ")
	for name, value := range g.known(t, command) {
		command = strings.ReplaceAll(command, name, value)
	}
	var out, errs bytes.Buffer
	env := map[string]string{"ANCHORE_CLI_URL": g.p.api + "/v1", "ANCHORE_CLI_USER": "admin", "ANCHORE_CLI_PASS": g.p.password}
	code := cli.Run(t.Context(), strings.Fields(command), cli.World{
		Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
		In:  strings.NewReader(typed + "\n"), Out: &out, Err: &errs,
	})
	said := out.String()
	if strings.HasPrefix(command, "--json") {
		v, err := python.Parse(out.Bytes())
		if err != nil {
			t.Errorf("%s prints no JSON: %s", command, said)
		}
		said = python.JSON(outline(v)) + "\n"
	}
	said = g.alike(said)
	if log := g.alike(errs.String()); log != "" {
		said += "stderr:\n" + log
	}
	return said + fmt.Sprintf("exit %d\n", code)
}

// known are the values of the names that a command uses.
func (g *guide) known(t *testing.T, command string) map[string]string {
	found := map[string]string{"REGISTRY": g.registry}
	for name, ask := range map[string]struct{ path, list, key string }{
		"IMAGE-DIGEST": {"/images", "", "imageDigest"}, "EVENT-ID": {"/events", "results", "generated_uuid"},
		"SUBSCRIPTION-ID": {"/subscriptions", "", "subscription_id"}, "POLICY-ID": {"/policies", "", "policyId"},
		"RULE-ID": {"/archives/rules", "", "rule_id"}, "ARCHIVED-DIGEST": {"/archives/images", "", "imageDigest"},
	} {
		if !strings.Contains(command, name) {
			continue
		}
		var answer any
		g.p.call(t, http.MethodGet, ask.path, "", &answer)
		if ask.list != "" {
			answer = answer.(map[string]any)[ask.list]
		}
		list, _ := answer.([]any)
		if len(list) == 0 {
			t.Fatalf("%s: GET %s lists nothing", command, ask.path)
		}
		found[name] = list[0].(map[string]any)[ask.key].(string)
	}
	return found
}

var (
	polls   = regexp.MustCompile(`(?m)^(?:Status: (?:not_analyzed|analyzing)\nWaiting .*\n)+`)
	early   = regexp.MustCompile(`(?m)^Analysis Status: (?:not_analyzed|analyzing)$`)
	checks  = regexp.MustCompile(`(?m)^((?:API|Service|Feed) .*Checking.*\n)(?:(?:API|Service|Feed) .*Checking.*\n)+`)
	digests = regexp.MustCompile(`sha256:[0-9a-f]{64}|\b[0-9a-f]{64}\b|\b[0-9a-f]{32}\b|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b`)
	dates   = regexp.MustCompile(`\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[-+]\d\d:\d\d)?`)
	seconds = regexp.MustCompile(`\b\d+\.\d\ds\b`)
	lengths = regexp.MustCompile(`(?m)(HTTP/1\.1" \d+) (?:\d+|None)$`)
	deleted = regexp.MustCompile(`Deleted \d+ events`)
	sizes   = regexp.MustCompile(`(<time> +archived +)\d+`)
	ports   = regexp.MustCompile(`127\.0\.0\.1:\d+`)
	blanks  = regexp.MustCompile(`(\S)  +`)
)

// alike gives what differs between runs one form.
func (g *guide) alike(s string) string {
	s = polls.ReplaceAllString(s, "")
	s = early.ReplaceAllString(s, "Analysis Status: not yet")
	s = checks.ReplaceAllString(s, "$1")
	s = strings.NewReplacer(g.p.api, "http://api", strings.TrimPrefix(g.p.api, "http://"), "api", g.registry, "REGISTRY").Replace(s)
	s = deleted.ReplaceAllString(s, "Deleted some events")
	s = ports.ReplaceAllString(s, "address")
	s = digests.ReplaceAllStringFunc(s, func(id string) string {
		if _, ok := g.ids[id]; !ok {
			g.ids[id] = fmt.Sprintf("<id %d>", len(g.ids)+1)
		}
		return g.ids[id]
	})
	s = dates.ReplaceAllString(s, "<time>")
	s = seconds.ReplaceAllString(s, "<seconds>")
	s = sizes.ReplaceAllString(s, "$1<bytes>")
	s = lengths.ReplaceAllString(s, "$1 <length>")
	return blanks.ReplaceAllString(s, "$1  ")
}

// outline is what kind of values a document has: of lists the first element's.
func outline(v any) any {
	switch v := v.(type) {
	case *python.Object:
		o := python.Dict()
		for _, k := range v.Keys() {
			e, _ := v.Get(k)
			o.Set(k, outline(e))
		}
		return o
	case []any:
		if len(v) > 0 {
			return []any{outline(v[0])}
		}
		return v
	}
	return python.TypeName(v)
}

// difference is the first line in which two texts differ, with its command.
func difference(want, got string) string {
	w, g := strings.Split(want, "\n"), strings.Split(got, "\n")
	command := ""
	for i := range min(len(w), len(g)) {
		if w[i] != g[i] {
			return fmt.Sprintf("%s\n got %s\nwant %s", command, g[i], w[i])
		}
		if strings.HasPrefix(g[i], "$ ") {
			command = g[i]
		}
	}
	return "one is longer"
}
