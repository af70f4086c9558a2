package notify

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"windlass/internal/engine"
)

func TestTroubleOf(t *testing.T) {
	refuses := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no token", http.StatusForbidden) }))
	defer refuses.Close()
	unknown := httptest.NewTLSServer(http.NotFoundHandler())
	defer unknown.Close()
	unknown.Config.ErrorLog = nil
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	tests := map[string]struct {
		hook engine.Webhook
		want engine.Trouble
	}{
		"refuses":             {engine.Webhook{URL: refuses.URL}, engine.TroubleStatus},
		"unknown certificate": {engine.Webhook{URL: unknown.URL, Verify: true}, engine.TroubleTLS},
		"plain where TLS is":  {engine.Webhook{URL: "https://" + refuses.Listener.Addr().String(), Verify: true}, engine.TroubleTLS},
		"nobody there":        {engine.Webhook{URL: gone.URL}, engine.TroubleOther},
		"no such name":        {engine.Webhook{URL: "http://nowhere.invalid/"}, engine.TroubleName},
		"private":             {engine.Webhook{URL: refuses.URL, Account: "a"}, engine.TroublePrivate},
	}
	c := NewClient(Settings{Timeout: 5 * time.Second})
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			a, err := c.Post(t.Context(), tc.hook, "a", "test", []byte("{}"))
			if got := TroubleOf(a, err); got != tc.want {
				t.Errorf("%v is %q, want %q", err, got, tc.want)
			}
			if tc.want == engine.TroubleStatus && a.Shown() != "no token" {
				t.Errorf("shown is %q", a.Shown())
			}
		})
	}
}

func TestRefused(t *testing.T) {
	allow, err := ParseAllow("10.1.0.0/16, hooks.intern")
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(Settings{Allow: allow})
	for url, want := range map[string]bool{
		"http://10.2.0.1/":               true,
		"http://[::1]:80/":               true,
		"http://localhost:8080/":         true,
		"http://169.254.169.254/latest":  true,
		"http://10.1.2.3/":               false,
		"https://hooks.intern/":          false,
		"https://hooks.example.com/path": false, // judged when it is used
	} {
		if got := c.Refused(engine.Webhook{Account: "a", URL: url}); got != want {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
	if c.Refused(engine.Webhook{URL: "http://127.0.0.1/"}) {
		t.Error("one of the settings is the operator's choice")
	}
}
