package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/feeds/build"
	"windlass/internal/engine/feeds/starter"
)

var nobody caller

// fixture is a running program with something of everything in it.
type fixture struct {
	*program
	contract     *contract
	admin        caller
	owner        caller // of the account team, without a role: v1's ordinary user
	dsn          string
	receiver     string // of webhooks; answers {}
	tag          string // of an image in the test's registry
	digest       string // its imageDigest
	imageID      string
	manifest     []byte
	config       []byte
	importDigest string
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	feed := dataDir(t)
	if _, err := build.Serve(feed, starter.Database()); err != nil {
		t.Fatal(err)
	}
	source := httptest.NewServer(http.FileServer(http.Dir(feed)))
	t.Cleanup(source.Close)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	t.Cleanup(receiver.Close)

	image := enginetest.NodePython(t)
	f := &fixture{dsn: enginetest.Database(t), tag: enginetest.Registry(t).Push(t, "team/shop:1.0", image)}
	f.program = start(t, dataDir(t), "--database-url="+f.dsn, "--feeds-url="+source.URL, "--webhook-url="+receiver.URL, "--webhook-allow=all", "--oauth=on")
	f.receiver = receiver.URL
	f.contract, f.admin = newContract(t, f.program), caller{name: "admin", password: f.password}
	for _, part := range []struct {
		to  *[]byte
		get func() ([]byte, error)
	}{{&f.manifest, image.RawManifest}, {&f.config, image.RawConfigFile}} {
		raw, err := part.get()
		if err != nil {
			t.Fatal(err)
		}
		*part.to = raw
	}
	id, err := image.ConfigName()
	if err != nil {
		t.Fatal(err)
	}
	f.digest, f.imageID = fmt.Sprintf("sha256:%x", sha256.Sum256(f.manifest)), id.Hex
	f.awaitUp(t)
	f.owner = f.user(t, "team", "team-owner")
	return f
}

// user makes a user, and its account where that is new.
func (f *fixture) user(t *testing.T, account, name string) caller {
	t.Helper()
	if f.contract.ask(t, f.admin, "GET", "/accounts/"+account, nil).status == http.StatusNotFound {
		f.contract.want(t, 200, f.admin, "POST", "/accounts", map[string]any{"name": account})
	}
	who := caller{name: name, password: "password-of-" + name}
	f.contract.want(t, 200, f.admin, "POST", "/accounts/"+account+"/users", map[string]any{"username": name, "password": who.password})
	return who
}

// sql brings about what the API cannot.
func (f *fixture) sql(t *testing.T, text string, args ...any) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), f.dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), text, args...); err != nil {
		t.Fatal(err)
	}
}

// until asks for a path until its answer satisfies.
func (f *fixture) until(t *testing.T, path string, satisfies func(answer) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		a := f.contract.ask(t, f.admin, "GET", path, nil)
		if satisfies(a) {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited in vain on %s: %d %.600s", path, a.status, a.body)
		case <-tick.C:
		}
	}
}

func (f *fixture) analyzed(t *testing.T, digest string) {
	t.Helper()
	f.until(t, "/images/"+digest, func(a answer) bool {
		return a.status == http.StatusOK && a.text(t, "0.analysis_status") == "analyzed"
	})
}

func (f *fixture) collected(t *testing.T, digest string) {
	t.Helper()
	f.until(t, "/images/"+digest, func(a answer) bool { return a.status == http.StatusNotFound })
}

// vulnerability is one that the image has.
func (f *fixture) vulnerability(t *testing.T) map[string]string {
	t.Helper()
	a := f.contract.want(t, 200, f.admin, "GET", "/images/"+f.digest+"/vuln/all", nil)
	found := map[string]string{}
	for _, key := range []string{"vuln", "package_name", "package_version"} {
		found[key] = a.text(t, "vulnerabilities.0."+key)
	}
	return found
}

// importable is the analyzed image again under another digest, as its parts.
func (f *fixture) importable(t *testing.T) (manifest, config, sbom string) {
	t.Helper()
	manifest = strings.Replace(string(f.manifest), "{", `{"annotations":{"of":"an import"},`, 1)
	f.importDigest = fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(manifest)))
	zipped := f.contract.want(t, 200, f.admin, "GET", "/images/"+f.digest+"/sboms/native", nil)
	plain, err := gzip.NewReader(bytes.NewReader(zipped.body))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(plain)
	if err != nil {
		t.Fatal(err)
	}
	return manifest, string(f.config), string(raw)
}

// Every operation is called with success and with its errors on the whole
// program, and every reply is held against the API document.
func TestEveryOperationKeepsTheContract(t *testing.T) {
	f := newFixture(t)
	for _, part := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"services", f.services}, {"feeds", f.feeds}, {"feed data", f.feedData}, {"registries", f.registries}, {"images", f.images},
		{"content", f.content}, {"exports", f.exports}, {"queries", f.queries}, {"evaluations", f.evaluations}, {"policies", f.policies}, {"VEX", f.vex}, {"queues", f.queues}, {"retention", f.retention},
		{"subscriptions", f.subscriptions}, {"webhooks", f.webhooks}, {"accounts", f.accounts}, {"imports", f.imports},
		{"archives", f.archives}, {"events", f.events}, {"deletion", f.deletion}, {"return from the archive", f.returns},
		{"beyond v1", f.beyond},
	} {
		t.Run(part.name, part.run)
	}
	if !t.Failed() {
		f.contract.covered(t)
	}
}

// roleHolder is a user of the account team with a role in it.
func (f *fixture) roleHolder(t *testing.T, role engine.Role) caller {
	t.Helper()
	who := f.user(t, "team", "team-"+string(role))
	f.contract.want(t, 200, f.owner, "PUT", "/console/accounts/team/users/"+who.name+"/roles", map[string]any{"roles": []engine.Role{role}})
	return who
}
