package notify

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

// receiver answers as its path says, and counts what arrives with a body.
func receiver(t *testing.T) (*httptest.Server, *[]string) {
	t.Helper()
	var got []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { got = append(got, "elsewhere") }))
	t.Cleanup(elsewhere.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("POST /ok/{rest...}", func(w http.ResponseWriter, r *http.Request) {
		raw, _ := io.ReadAll(r.Body)
		user, pass, _ := r.BasicAuth()
		got = append(got, r.URL.EscapedPath()+" "+user+":"+pass+" "+r.Header.Get("Content-Type")+" "+string(raw))
		io.WriteString(w, `{"thanks":1}`)
	})
	mux.HandleFunc("/error", func(w http.ResponseWriter, r *http.Request) { http.Error(w, "no", http.StatusInternalServerError) })
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
	})
	mux.HandleFunc("/found", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/ok/", http.StatusFound) })
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/ok/", http.StatusPermanentRedirect)
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/loop", http.StatusPermanentRedirect)
	})
	mux.HandleFunc("/huge", func(w http.ResponseWriter, r *http.Request) { w.Write(bytes.Repeat([]byte(" "), 1<<20)) })
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // from here on the server sees that the client has left
		<-r.Context().Done()
	})
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s, &got
}

func TestPost(t *testing.T) {
	tests := map[string]struct {
		path   string
		status int
		err    string
		got    string
	}{
		"taken":                   {"/ok/<notification_type>/<userId>", 200, "", "/ok/tag_update/a%2Fb me:pw application/json {}"},
		"refused":                 {"/error", 500, "500 Internal Server Error", ""},
		"not there":               {"/nothing", 404, "404 Not Found", ""},
		"to another host":         {"/away", 0, "redirects to another host", ""},
		"loses the body":          {"/found", 0, "without taking the body", ""},
		"moved":                   {"/moved", 200, "", "/ok/ me:pw application/json {}"},
		"loop":                    {"/loop", 0, "more than 3 redirects", ""},
		"an answer without end":   {"/huge", 200, "", ""},
		"no answer":               {"/slow", 0, "does not answer in time", ""},
		"the error hides secrets": {":1/token", 0, "is not valid", ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			s, got := receiver(t)
			timeout := 10 * time.Second
			if tc.path == "/slow" {
				timeout = 50 * time.Millisecond
			}
			c := NewClient(Settings{Timeout: timeout})
			w := engine.Webhook{Type: "general", URL: s.URL + tc.path, User: "me", Password: "pw"}
			a, err := c.Post(t.Context(), w, "a/b", "tag_update", []byte("{}"))
			if tc.err == "" && err != nil || tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
				t.Fatalf("error %v, want %q", err, tc.err)
			}
			if err != nil && (strings.Contains(err.Error(), "token") || strings.Contains(err.Error(), "://")) {
				t.Errorf("the address is in %v", err)
			}
			if a.Status != tc.status || strings.Join(*got, "|") != tc.got {
				t.Errorf("status %d, received %q", a.Status, *got)
			}
			if tc.path == "/huge" && a.Body != nil {
				t.Errorf("read %d bytes", len(a.Body))
			}
		})
	}
}

func TestCertificates(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	s.Config.ErrorLog = nil
	c := NewClient(Settings{})
	for verify, fails := range map[bool]bool{true: true, false: false} {
		_, err := c.Post(t.Context(), engine.Webhook{URL: s.URL, Verify: verify}, "a", "test", nil)
		if (err != nil) != fails {
			t.Errorf("verify %v: %v", verify, err)
		}
	}
}

func TestPrivateAddresses(t *testing.T) {
	s, _ := receiver(t)
	port := s.URL[strings.LastIndexByte(s.URL, ':'):]
	tests := map[string]struct {
		host, account, allow string
		refused              bool
	}{
		"of the settings":          {"127.0.0.1", "", "", false},
		"of an account":            {"127.0.0.1", "bob", "", true},
		"by a name":                {"localhost", "bob", "", true},
		"in other words":           {"[::ffff:127.0.0.1]", "bob", "", true},
		"network allowed":          {"localhost", "bob", "10.0.0.0/8,127.0.0.0/8", false},
		"address allowed":          {"127.0.0.1", "bob", "127.0.0.1", false},
		"other address allowed":    {"127.0.0.1", "bob", "127.0.0.2", true},
		"name allowed":             {"LOCALHOST", "bob", "localhost", false},
		"another name allowed":     {"localhost", "bob", "example.com", true},
		"the name is not the host": {"127.0.0.1", "bob", "localhost", true},
		"all allowed":              {"127.0.0.1", "bob", "all", false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			allow, err := ParseAllow(tc.allow)
			if err != nil {
				t.Fatal(err)
			}
			c := NewClient(Settings{Allow: allow})
			_, err = c.Post(t.Context(), engine.Webhook{Account: tc.account, URL: "http://" + tc.host + port + "/ok/"}, "bob", "test", nil)
			if (err == errPrivate) != tc.refused || err != nil && !tc.refused {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestPublicAddresses(t *testing.T) {
	for text, want := range map[string]bool{
		"8.8.8.8": true, "2606:4700::1111": true, "1.1.1.1": true,
		"10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "127.0.0.1": false, "127.9.9.9": false, "0.0.0.0": false,
		"169.254.169.254": false, "100.64.1.1": false, "224.0.0.1": false, "255.255.255.255": false, "192.0.0.192": false, "198.18.0.1": false,
		"::1": false, "::": false, "fe80::1": false, "fd00:ec2::254": false, "ff02::1": false, "::ffff:10.0.0.1": false, "::10.0.0.1": false,
		"64:ff9b::a00:1": false, "2002:a00:1::": false, "2001::1": false, "fe80::1%eth0": false,
	} {
		if got := (Allow{}).address(netip.MustParseAddr(text)); got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestParseAllow(t *testing.T) {
	for text, ok := range map[string]bool{"": true, "all": true, "10.0.0.0/8, host.example,::1": true, "10.0.0.0/99": false, "host:80": false, "*.example": false} {
		if _, err := ParseAllow(text); (err == nil) != ok {
			t.Errorf("%q: %v", text, err)
		}
	}
}
