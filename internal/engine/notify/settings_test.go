package notify

import (
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

func TestReadSettings(t *testing.T) {
	const shipped = `
services: {catalog: {enabled: true}}
webhooks:
  webhook_user: me
  webhook_pass: pw
  ssl_verify: false
  general: {url: "http://host/<notification_type>/<userId>"}
  tag_update: {url: "https://host/t", webhook_user: you, webhook_pass: other, ssl_verify: true}
  policy_eval: {}
  event_log:
  notification_retry_timeout: 60
`
	hooks, retry, err := ReadSettings(strings.NewReader(shipped))
	if err != nil || retry != time.Minute || len(hooks) != 4 {
		t.Fatalf("%v %v %v", hooks, retry, err)
	}
	want := []engine.Webhook{
		{Type: "general", URL: "http://host/<notification_type>/<userId>", User: "me", Password: "pw", Enabled: true},
		{Type: "tag_update", URL: "https://host/t", User: "you", Password: "other", Verify: true, Enabled: true},
		{Type: "policy_eval", User: "me", Password: "pw", Enabled: true, Empty: true},
		{Type: "event_log", User: "me", Password: "pw", Enabled: true, Empty: true},
	}
	for i, w := range want {
		if hooks[i] != w {
			t.Errorf("%+v, want %+v", hooks[i], w)
		}
	}
	for text, says := range map[string]string{
		`a: 1`:                                       "no section webhooks",
		`webhooks: [1]`:                              "webhooks: want a mapping",
		`webhooks: {general: x}`:                     "webhooks.general: want a mapping",
		`webhooks: {general: {url: [s3cret]}}`:       "webhooks.general.url: has the wrong type",
		`webhooks: {general: {urll: x}}`:             "webhooks.general.urll: unknown",
		`webhooks: {generel: {url: x}}`:              "webhooks.generel: unknown",
		`webhooks: {general: {url: "ftp://x"}}`:      "webhooks.general.url: want an http or https address",
		`webhooks: {general: {url: "http://"}}`:      "webhooks.general.url: names no host",
		`webhooks: {general: {url: "http://u@h"}}`:   "webhooks.general.url: holds a user",
		`webhooks: {ssl_verify: maybe}`:              "webhooks.ssl_verify: has the wrong type",
		`webhooks: {notification_retry_timeout: x}`:  "webhooks.notification_retry_timeout: has the wrong type",
		`webhooks: {notification_retry_timeout: -1}`: "webhooks.notification_retry_timeout: -1 is out of range",
		"webhooks: {":                                "not YAML",
	} {
		_, _, err := ReadSettings(strings.NewReader(text))
		if err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
}

func TestCheck(t *testing.T) {
	good := engine.Webhook{Type: "general", URL: "https://example.com/x"}
	for says, change := range map[string]func(*engine.Webhook){
		"":                       func(*engine.Webhook) {},
		"type: ":                 func(w *engine.Webhook) { w.Type = "x" },
		"url: is missing":        func(w *engine.Webhook) { w.URL = "" },
		"url: want an http":      func(w *engine.Webhook) { w.URL = "file:///etc/passwd" },
		"url: longer":            func(w *engine.Webhook) { w.URL += strings.Repeat("x", 3000) },
		"url: is no URL":         func(w *engine.Webhook) { w.URL = "http://a b/s3cret" },
		"user: want at most":     func(w *engine.Webhook) { w.User = "a:b" },
		"password: want at most": func(w *engine.Webhook) { w.Password = "s3cret\n" },
	} {
		w := good
		change(&w)
		err := Check(w)
		if says == "" && err != nil || says != "" && (err == nil || !strings.HasPrefix(err.Error(), says) || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%+v: %v, want %q", w, err, says)
		}
	}
}

func TestParseLevels(t *testing.T) {
	for text, want := range map[string]string{"": "", "off": "", "False": "", "true": "error", "all": "error,info", "Info , error": "info,error", "warn": "!"} {
		levels, err := ParseLevels(text)
		if (err != nil) != (want == "!") || err == nil && strings.Join(levels, ",") != want {
			t.Errorf("%q: %v %v", text, levels, err)
		}
	}
}

func FuzzReadSettings(f *testing.F) {
	f.Add("webhooks: {general: {url: http://a/<userId>}, ssl_verify: true}")
	f.Add("webhooks:\n  event_log:\n  notification_retry_timeout: 9999999999999999999")
	f.Add("webhooks: &a {general: *a}")
	f.Add("webhooks: !!binary x")
	f.Fuzz(func(t *testing.T, text string) {
		hooks, retry, err := ReadSettings(strings.NewReader(text))
		if err != nil {
			return
		}
		if retry < time.Second || retry > maxRetry {
			t.Errorf("retry %v", retry)
		}
		for _, w := range hooks {
			if w.URL != "" && checkURL(w.URL) != nil {
				t.Errorf("took %q", w.URL)
			}
		}
	})
}

func FuzzParseAllow(f *testing.F) {
	f.Add("10.0.0.0/8,host")
	f.Add("all")
	f.Fuzz(func(t *testing.T, text string) {
		if a, err := ParseAllow(text); err == nil {
			a.host(text)
		}
	})
}
