package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"windlass/internal/engine/enginetest"
)

// Killed while a webhook has a notification in hand and an account is being
// deleted: after the next start the one is delivered and the other is gone.
func TestKilledInMidNotificationAndDeletion(t *testing.T) {
	var hold atomic.Bool
	hold.Store(true)
	reached, delivered := make(chan struct{}, 64), make(chan struct{}, 64)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // or the server does not see that the other end is gone
		if hold.Load() {
			reached <- struct{}{}
			<-r.Context().Done()
			return
		}
		delivered <- struct{}{}
	}))
	defer receiver.Close()
	image := enginetest.Registry(t).Push(t, "team/shop:1.0", enginetest.NodePython(t))
	dir, flags := dataDir(t), []string{"--webhook-url=" + receiver.URL, "--webhook-timeout=3s"}
	p := spawn(t, dir, flags...)
	for _, step := range []struct{ method, path, body string }{
		{"POST", "/accounts", `{"name":"brief"}`},
		{"POST", "/accounts/brief/users", `{"username":"brief-user","password":"long enough"}`},
		{"POST", "/images", fmt.Sprintf(`{"tag":%q}`, image)},
		{"PUT", "/accounts/brief/state", `{"state":"disabled"}`},
	} {
		if code := p.call(t, step.method, step.path, step.body, nil); code != http.StatusOK {
			t.Fatalf("%s %s = %d", step.method, step.path, code)
		}
	}
	<-reached // the image is analyzed, and somebody is being told
	if code := p.call(t, http.MethodDelete, "/accounts/brief", "", nil); code != http.StatusOK {
		t.Fatalf("DELETE /accounts/brief = %d", code)
	}
	p.kill(t)
	hold.Store(false)

	p = spawn(t, dir, flags...)
	until(t, "the account is gone", func() bool { return p.call(t, http.MethodGet, "/accounts/brief", "", nil) == http.StatusNotFound })
	until(t, "the notification is delivered", func() bool {
		var list struct {
			Results []struct {
				State string `json:"state"`
			} `json:"results"`
		}
		p.call(t, http.MethodGet, "/console/notifications?type=analysis_update", "", &list)
		return len(list.Results) == 1 && list.Results[0].State == "delivered"
	})
	if len(delivered) != 1 {
		t.Errorf("it was delivered %d times", len(delivered))
	}
}
