package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"windlass/internal/bff/enginecontract"
	"windlass/internal/bff/remote"
	"windlass/internal/engine"
	"windlass/internal/engine/core"
	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/logs"
)

// The engine within, the same behind its API, and behind an API that knows
// nothing but v1 keep one contract.
func TestEnginesKeepTheContract(t *testing.T) {
	const password = "a-password-for-all"
	eng := runCore(t, "--admin-password="+password)
	image := enginetest.Registry(t).Push(t, "contract/app:1.0", enginetest.NodePython(t))
	for _, s := range []struct {
		name string
		enginecontract.Subject
	}{
		{"within", enginecontract.Subject{Engine: eng}},
		{"behind its API", enginecontract.Subject{Engine: driving(t, eng.APIBase()), Lacks: true}},
		{"behind v1 alone", enginecontract.Subject{Engine: driving(t, onlyV1(t, eng.APIBase())), Lacks: true}},
	} {
		t.Run(s.name, func(t *testing.T) {
			s.Password, s.Image = password, image
			enginecontract.Run(t, s.Subject)
		})
	}
}

// runCore runs an engine without a console until the test ends.
func runCore(t testing.TB, more ...string) *core.Core {
	t.Helper()
	t.Setenv("TMPDIR", "/tmp") // see start
	_, c, err := parse(settings(dataDir(t), append(more, "--database-url="+enginetest.Database(t))...), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Serve.finish(); err != nil {
		t.Fatal(err)
	}
	set, err := logs.Open(c.Serve.LogDir, c.Serve.HostID, logs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	eng, err := openEngine(t.Context(), c.Serve, c.Serve.DatabaseURL.Reveal(), set)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- eng.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the engine ended: %v", err)
		}
		eng.Close()
		set.Close()
	})
	return eng
}

// driving is a client of the engine at an address.
func driving(t testing.TB, address string) *remote.Client {
	t.Helper()
	c, err := remote.New(remote.Options{URL: address, Pace: 50 * time.Millisecond, Knows: knowledge()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; c.Close() })
	return c
}

// onlyV1 is an API with all that is beyond v1 cut off.
func onlyV1(t testing.TB, address string) string {
	t.Helper()
	to, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	through := &httputil.ReverseProxy{
		ErrorLog: log.New(io.Discard, "", 0), // clients leave
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ModifyResponse: func(r *http.Response) error {
			if !strings.HasSuffix(r.Request.URL.Path, "/swagger.json") {
				return nil
			}
			var doc map[string]any
			if err := json.NewDecoder(r.Body).Decode(&doc); err != nil {
				return err
			}
			paths, _ := doc["paths"].(map[string]any)
			for path := range paths {
				if strings.HasPrefix(path, "/console/") {
					delete(paths, path)
				}
			}
			raw, err := json.Marshal(doc)
			r.Body = io.NopCloser(bytes.NewReader(raw))
			r.ContentLength = int64(len(raw))
			r.Header.Set("Content-Length", strconv.Itoa(len(raw)))
			return err
		},
	}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/console/") {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, `{"detail":"there is no such path","status":404,"title":"Not Found","type":"about:blank"}`)
			return
		}
		through.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// What one user does at a console reaches the other's through the engine
// between them.
func TestConsolesOverOneEngineTellEachOther(t *testing.T) {
	const password = "a-password-for-all"
	eng := runCore(t, "--admin-password="+password)
	api := onlyV1(t, eng.APIBase())
	one, other := driving(t, api), driving(t, api)
	ctx := enginecontract.SignIn(t, one, engine.AdminUser, password)
	enginecontract.SignIn(t, other, engine.AdminUser, password)

	watched, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	last, err := other.LastChange(watched)
	if err != nil {
		t.Fatal(err)
	}
	told := make(chan error, 1)
	go func() {
		told <- other.Watch(watched, last, func(c engine.Change) error {
			if c.Kind == engine.ChangeEvent && c.Account == engine.AdminAccount {
				cancel()
			}
			return nil
		})
	}()
	// The first look takes what there is as known: events are made until one is told.
	for watched.Err() == nil {
		one.AddImage(ctx, engine.AddImage{Account: engine.AdminAccount, Tag: "127.0.0.1:9/nobody/home:1"})
		select {
		case <-watched.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
	if err := <-told; err != nil || context.Cause(watched) != context.Canceled {
		t.Errorf("the other console was not told: %v, %v", err, context.Cause(watched))
	}
}
