package main

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"windlass/internal/engine"
	"windlass/internal/engine/enginetest"
)

type guideCheck struct {
	ID, Status, Summary string
	Evidence            []struct{ Name, Value, Status string }
	Next                []struct{ Text, Action, Argument string }
}

// The guide finds what is wrong with a running program, says what to do, and
// finds it mended when it is.
func TestGuideFindsWhatIsWrong(t *testing.T) {
	db := enginetest.Store(t)
	p := start(t, dataDir(t), "--database-url="+db.Pool().Config().ConnString())
	p.awaitUp(t)
	ask := func(query string) map[string]guideCheck {
		t.Helper()
		var reply struct {
			Status string
			Checks []guideCheck
		}
		if code := p.call(t, http.MethodGet, "/console/checks?"+query, "", &reply); code != http.StatusOK {
			t.Fatalf("checks = %d", code)
		}
		by := map[string]guideCheck{}
		for _, c := range reply.Checks {
			by[c.ID] = c
		}
		return by
	}
	is := func(c guideCheck, status engine.CheckStatus, says string) {
		t.Helper()
		if c.Status != string(status) || !strings.Contains(c.Summary, says) {
			t.Errorf("%s is %s: %q, want %s: ...%s...", c.ID, c.Status, c.Summary, status, says)
		}
	}
	well := ask("fresh=true")
	for _, id := range []string{
		engine.CheckAPI, engine.CheckCredentials, engine.CheckDatabase, engine.CheckServices, engine.CheckHeartbeats, engine.CheckClocks, engine.CheckQueue, engine.CheckImages,
	} {
		if c := well[id]; c.Status != string(engine.CheckPass) {
			t.Errorf("%s is %s: %s %v", id, c.Status, c.Summary, c.Evidence)
		}
	}
	if n := len(well[engine.CheckDisk].Evidence); n != 3 {
		t.Errorf("%d folders: %v", n, well[engine.CheckDisk])
	}

	const broken = `
		INSERT INTO images (account, digest, parent_digest, image_id, state, status, source, failure)
		SELECT 'admin', 'sha256:' || repeat(n::text, 64), 'sha256:' || repeat(n::text, 64), repeat(n::text, 64), 'analysis_failed', 'active', 'registry',
		       '{"Cause": "registry_auth", "Message": "refused"}' FROM generate_series(1, 3) n`
	const stuck = `
		INSERT INTO jobs (queue, account, subject, host, attempt, leased_by, leased_until, created_at, available_at)
		VALUES ('images_to_analyze', 'admin', 'x', 'gone-host', 1, 'gone-host/1', now() - interval '5 m', now() - interval '9 m', now() - interval '9 m')`
	const gone = `
		INSERT INTO services (host, name, base_url, state, detail, restarts, heartbeat_at, started_at, since)
		VALUES ('gone-host', 'analyzer', 'http://127.0.0.1:9', 'unavailable', '{"Message": "no heartbeat"}', 0, now() - interval '9 m', now() - interval '1 h', now() - interval '8 m')`
	for _, q := range []string{broken, stuck, gone} {
		if _, err := db.Pool().Exec(t.Context(), q); err != nil {
			t.Fatal(err)
		}
	}
	reg := `{"registry":"127.0.0.1:9","registry_type":"docker_v2","registry_user":"u","registry_pass":"long enough","registry_verify":true}`
	if code := p.call(t, http.MethodPost, "/registries?validate=False", reg, nil); code != http.StatusOK {
		t.Fatalf("registry = %d", code)
	}
	ill := ask("fresh=true")
	is(ill[engine.CheckServices], engine.CheckWarn, "analyzer on gone-host is unavailable")
	is(ill[engine.CheckHeartbeats], engine.CheckWarn, "gone-host has been silent for 9 m")
	is(ill[engine.CheckQueue], engine.CheckFail, "1 message can only be done on a host whose analyzer is down")
	is(ill[engine.CheckImages], engine.CheckWarn, "3 images have failed, for 1 cause")
	is(ill[engine.CheckRegistries], engine.CheckUnknown, "was not asked")
	is(ask("check=registries&registries=true")[engine.CheckRegistries], engine.CheckFail, "127.0.0.1:9: ")
	// What was found out is kept: the registry is not asked by everybody who looks.
	is(ask("fresh=true")[engine.CheckRegistries], engine.CheckFail, "127.0.0.1:9: ")

	step := slices.IndexFunc(ill[engine.CheckImages].Next, func(s struct{ Text, Action, Argument string }) bool { return s.Action == string(engine.DoRetryImages) })
	if step < 0 {
		t.Fatalf("nothing to do about the images: %v", ill[engine.CheckImages].Next)
	}
	var retried struct{ Queued, Left int }
	cause := ill[engine.CheckImages].Next[step].Argument
	if code := p.call(t, http.MethodPost, "/console/failed_images/retry?cause="+cause, "", &retried); code != http.StatusOK || retried.Queued != 3 || retried.Left != 0 {
		t.Errorf("retry = %d, %+v", code, retried)
	}
	var left int
	if err := db.Pool().QueryRow(t.Context(), `SELECT count(*) FROM images WHERE state = 'analysis_failed' AND failure->>'Cause' = 'registry_auth'`).Scan(&left); err != nil || left != 0 {
		t.Errorf("%d are still as they were, %v", left, err)
	}
}
