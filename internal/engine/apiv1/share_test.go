package apiv1

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine/enginetest"
)

func TestShare(t *testing.T) {
	s := newShare(3, 2)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	take := func(account string) func() {
		t.Helper()
		release, err := s.take(t.Context(), account)
		if err != nil {
			t.Fatal(err)
		}
		return release
	}
	refused := func(account string) {
		t.Helper()
		if _, err := s.take(over, account); !errors.Is(err, context.Canceled) {
			t.Fatalf("%s got a place more: %v", account, err)
		}
	}
	a1, a2 := take("a"), take("a")
	refused("a")
	b1 := take("b")
	refused("b")
	refused("c")
	a1()
	c1 := take("c")
	for _, release := range []func(){a2, b1, c1} {
		release()
	}
	if len(s.all) != 0 || len(s.accounts) != 0 {
		t.Errorf("%d places are taken, by %d accounts", len(s.all), len(s.accounts))
	}
}

// slow sends a request whose body stops in the middle, and gives its end.
func slow(t *testing.T, url, auth, contentType, begin string, size int64) func() {
	t.Helper()
	in, out := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, in)
	if err != nil {
		t.Fatal(err)
	}
	r.ContentLength = size
	r.Header.Set("Content-Type", contentType)
	user, password, _ := strings.Cut(auth, ":")
	r.SetBasicAuth(user, password)
	done := make(chan struct{})
	go func() {
		defer close(done)
		if w, err := http.DefaultClient.Do(r); err == nil {
			w.Body.Close()
		}
	}()
	if _, err := io.WriteString(out, begin); err != nil {
		t.Fatal(err)
	}
	return func() {
		cancel()
		out.Close()
		<-done
	}
}

// Those who send slowly keep nobody from sending.
func TestSlowUploadsHoldNothing(t *testing.T) {
	s := New(fakeImports{}, Options{Log: enginetest.Logger(t)})
	srv := httptest.NewServer(s)
	defer srv.Close()
	url := srv.URL + "/v1/imports/images/open/packages"
	begin := strings.Repeat(" ", 1<<20)
	for _, auth := range []string{asBob, asAdmin, asBob} {
		defer slow(t, url, auth, "application/json", begin, 50<<20)()
	}
	doc := string(enginetest.NewSBOM(map[string]string{"musl": "1"}))
	for what, body := range map[string]string{"small": doc, "large": doc + strings.Repeat(" ", 3<<20)} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
		defer cancel()
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth("bob", "right")
		w, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		w.Body.Close()
		if w.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", what, w.Status)
		}
	}
}

// An archive that comes in slowly is none of the expensive requests.
func TestSlowArchivesAreNotHeavy(t *testing.T) {
	s := New(fakeArchives{}, Options{Log: enginetest.Logger(t), MaxHeavy: 1, HeavyWait: time.Nanosecond})
	srv := httptest.NewServer(s)
	defer srv.Close()
	var head bytes.Buffer
	form := multipart.NewWriter(&head)
	if _, err := form.CreateFormFile("archive_file", "x.tar.gz"); err != nil {
		t.Fatal(err)
	}
	send := func(auth string) func() {
		return slow(t, srv.URL+"/v1/import/images", auth, form.FormDataContentType(), head.String()+"good", 1<<20)
	}
	defer send(asBob)()
	for begun := false; !begun; {
		begun = len(s.uploads.all) == 1
		time.Sleep(time.Millisecond)
	}
	if release, err := s.admit(t.Context()); err != nil {
		t.Error(err)
	} else {
		release()
	}
	for range uploadsOfOne - 1 {
		defer send(asBob)()
	}
	for len(s.uploads.all) < uploadsOfOne {
		time.Sleep(time.Millisecond)
	}
	var b bytes.Buffer
	b.Write(head.Bytes())
	fmt.Fprintf(&b, "good\r\n--%s--\r\n", form.Boundary())
	for auth, want := range map[string]int{asBob: 503, asAdmin: 200} {
		w := askServer(t, s, "POST", "/import/images", b.String(), auth, http.Header{"Content-Type": {form.FormDataContentType()}})
		if w.Code != want {
			t.Errorf("%s: %d %s, want %d", auth, w.Code, w.Body, want)
		}
	}
}
