package main

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestNotifySettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "webhooks.yaml")
	const text = "webhooks: {ssl_verify: true, general: {}, tag_update: {url: 'http://10.0.0.1/t'}, notification_retry_timeout: 90}"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ANCHORE_WEBHOOK_DESTINATION_URL", "http://receiver/<userId>")
	t.Setenv("ANCHORE_EVENTS_NOTIFICATIONS_ENABLED", "true")
	_, c, err := parse([]string{"--webhooks-file=" + file}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Serve.finish(); err != nil {
		t.Fatal(err)
	}
	n := c.Serve.notify
	if len(n.Webhooks) != 2 || n.Webhooks[0].URL != "http://receiver/<userId>" || !n.Webhooks[0].Verify || n.Webhooks[0].Empty || n.Retry != 90*time.Second {
		t.Errorf("%+v", n)
	}
	if len(n.Levels) != 1 || n.Levels[0] != "error" || n.Timeout != 5*time.Second {
		t.Errorf("%+v", n)
	}
	_, c, err = parse([]string{"--webhooks-file=/nowhere", "--webhook-url=ftp://x/s3cret", "--webhook-allow=10/8", "--webhook-timeout=1h", "--events-notify=warn"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Serve.finish()
	for _, name := range []string{"CONSOLE_WEBHOOKS_FILE", "CONSOLE_WEBHOOK_URL", "CONSOLE_WEBHOOK_ALLOW", "CONSOLE_WEBHOOK_TIMEOUT", "CONSOLE_EVENTS_NOTIFY"} {
		if err == nil || !strings.Contains(err.Error(), name+": ") || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v does not name %s", err, name)
		}
	}
}

// Settings that v1 knows by another name are taken under that too.
func TestOtherNamesOfSettings(t *testing.T) {
	t.Setenv("ANCHORE_HINTS_ENABLED", "true")
	t.Setenv("ANCHORE_ANALYSIS_ARCHIVE_DRYRUN_ENABLED", "true")
	t.Setenv("CONSOLE_CLAMAV_DB_DIR", "/ours")
	t.Setenv("ANCHORE_CLAMAV_DB_DIR", "/theirs")
	t.Setenv("ANCHORE_FRESHCLAM_CONFIG_FILE", "/conf")
	_, c, err := parse(nil, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Serve; !s.Hints || !s.ArchiveDryRun || s.ClamAVDB != "/ours" || s.FreshclamConfig != "/conf" {
		t.Errorf("got %v %v %q %q", s.Hints, s.ArchiveDryRun, s.ClamAVDB, s.FreshclamConfig)
	}
}
