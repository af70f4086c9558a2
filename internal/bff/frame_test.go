package bff_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"windlass/internal/bff"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// console is a running console with a browser's cookie jar.
type console struct {
	t    testing.TB
	fake *enginetest.Fake
	url  string
	http *http.Client
	stop func() error
}

func start(t testing.TB, o bff.Options) *console {
	t.Helper()
	fake := enginetest.New()
	if o.Engine == nil {
		o.Engine = fake
	}
	c := startAt(t, "127.0.0.1:0", o)
	c.fake = fake
	return c
}

func startAt(t testing.TB, addr string, o bff.Options) *console {
	t.Helper()
	srv, err := bff.New(o)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ctx, ln) }()
	jar, _ := cookiejar.New(nil)
	c := &console{t: t, url: "http://" + ln.Addr().String(), http: &http.Client{Jar: jar, Timeout: 10 * time.Second}}
	c.stop = sync.OnceValue(func() error {
		cancel()
		return <-done
	})
	t.Cleanup(func() {
		c.http.CloseIdleConnections()
		if err := c.stop(); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return c
}

func (c *console) do(method, path string, form url.Values, header ...string) (int, string, *http.Response) {
	c.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequest(method, c.url+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := c.http.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp
}

func (c *console) get(path string) string {
	c.t.Helper()
	code, body, _ := c.do("GET", path, nil)
	if code != 200 {
		c.t.Fatalf("GET %s = %d\n%s", path, code, body)
	}
	return body
}

func (c *console) login() {
	c.t.Helper()
	code, body, _ := c.do("POST", "/login", url.Values{"user": {"admin"}, "password": {enginetest.Password}})
	if code != 200 || !strings.Contains(body, "Sign out") {
		c.t.Fatalf("login = %d\n%s", code, body)
	}
}

var csrfMeta = regexp.MustCompile(`<meta name="csrf" content="([^"]+)"`)

func (c *console) csrf() string {
	c.t.Helper()
	m := csrfMeta.FindStringSubmatch(c.get("/"))
	if m == nil {
		c.t.Fatal("no token on the page")
	}
	return m[1]
}

// socket opens the page's socket.
func (c *console) socket(query string) *websocket.Conn {
	c.t.Helper()
	ws, _, err := c.dial(query)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { ws.Close() })
	return ws
}

func (c *console) dial(query string) (*websocket.Conn, *http.Response, error) {
	u, _ := url.Parse(c.url)
	d := websocket.Dialer{HandshakeTimeout: 5 * time.Second}
	h := http.Header{}
	for _, k := range c.http.Jar.Cookies(u) {
		h.Add("Cookie", k.String())
	}
	return d.Dial("ws://"+u.Host+"/ws/live?"+query, h)
}

type frame struct {
	Seq                       int64
	Do, Kind, ID, Topic, HTML string
}

// next is the next message that says something: beats do not.
func next(t *testing.T, ws *websocket.Conn) frame {
	t.Helper()
	ws.SetReadDeadline(time.Now().Add(time.Minute))
	for {
		var f frame
		_, raw, err := ws.ReadMessage()
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &f); err != nil {
			t.Fatal(err)
		}
		if f.Do != "" || f.Kind != "" || f.Topic != "" {
			return f
		}
	}
}

func TestSignedOutBrowsersAreSentToLogin(t *testing.T) {
	c := start(t, bff.Options{})
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	code, _, resp := c.do("GET", "/events?level=error", nil)
	if code != 303 || resp.Header.Get("Location") != "/login?next=%2Fevents%3Flevel%3Derror" {
		t.Errorf("GET /events = %d to %q", code, resp.Header.Get("Location"))
	}
	if code, _, _ := c.do("GET", "/?fragment=x", nil); code != 401 {
		t.Errorf("fragment signed out = %d, want 401", code)
	}
	if _, resp, err := c.dial("topics=service"); err == nil || resp.StatusCode == 101 {
		t.Error("a socket without a session")
	}
}

func TestLoginAndLogout(t *testing.T) {
	c := start(t, bff.Options{})
	code, body, _ := c.do("POST", "/login", url.Values{"user": {"admin"}, "password": {"wrong"}})
	if code != 401 || !strings.Contains(body, "User or password is wrong.") || strings.Contains(body, "wrong\"") {
		t.Errorf("wrong password = %d\n%s", code, body)
	}
	c.login()
	csrf := c.csrf()
	ws := c.socket("topics=service&after=0")
	next(t, ws)

	if code, _, _ := c.do("POST", "/logout", url.Values{}); code != 403 {
		t.Errorf("logout without token = %d, want 403", code)
	}
	if code, _, _ := c.do("POST", "/logout", url.Values{"csrf": {csrf}}, "Origin", "http://elsewhere.test"); code != 403 {
		t.Errorf("logout from another site = %d, want 403", code)
	}
	if code, body, _ := c.do("POST", "/logout", url.Values{"csrf": {csrf}}); code != 200 || !strings.Contains(body, `name="password"`) {
		t.Errorf("logout = %d", code)
	}
	ws.SetReadDeadline(time.Now().Add(time.Minute))
	_, _, err := ws.ReadMessage()
	if !websocket.IsCloseError(err, 4401) {
		t.Errorf("socket after logout: %v, want close 4401", err)
	}
}

func TestGuessingIsSlowed(t *testing.T) {
	c := start(t, bff.Options{})
	var code int
	for range 4 {
		code, _, _ = c.do("POST", "/login", url.Values{"user": {"admin"}, "password": {"wrong"}})
	}
	if code != 429 {
		t.Errorf("fourth guess = %d, want 429", code)
	}
	if code, _, _ := c.do("POST", "/login", url.Values{"user": {"admin"}, "password": {enginetest.Password}}); code != 429 {
		t.Errorf("the right password meanwhile = %d, want 429", code)
	}
	if code, _, _ := c.do("POST", "/login", url.Values{"user": {"other"}, "password": {enginetest.Password}}); code != 200 {
		t.Errorf("another user meanwhile = %d, want 200", code)
	}
}

func TestLoginNeverLeavesTheConsole(t *testing.T) {
	for _, to := range []string{"//evil.test", "https://evil.test", `/\evil.test`, "evil", ""} {
		c := start(t, bff.Options{})
		c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
		_, _, resp := c.do("POST", "/login", url.Values{"user": {"a"}, "password": {enginetest.Password}, "next": {to}})
		if got := resp.Header.Get("Location"); got != "/" {
			t.Errorf("next %q leads to %q", to, got)
		}
	}
}

func TestPageHeaders(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	_, body, resp := c.do("GET", "/", nil)
	if p := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(p, "default-src 'none'; script-src 'self'; style-src 'self';") {
		t.Errorf("policy %q", p)
	}
	for _, inline := range []string{" style=", "<style", "<script>", " onclick="} {
		if strings.Contains(body, inline) {
			t.Errorf("page has %q", inline)
		}
	}
	sheet := regexp.MustCompile(`/static/console\.[0-9a-f]+\.css`).FindString(body)
	_, css, resp := c.do("GET", sheet, nil)
	if !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") || !strings.Contains(css, "@layer") {
		t.Errorf("stylesheet %q: %q", sheet, resp.Header.Get("Cache-Control"))
	}
}

func TestErrorPages(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	code, body, _ := c.do("GET", "/nowhere", nil)
	if code != 404 || !strings.Contains(body, "There is no page at /nowhere.") || !strings.Contains(body, "Sign out") {
		t.Errorf("GET /nowhere = %d\n%s", code, body)
	}
	code, _, _ = c.do("POST", "/services/x/y/remove", url.Values{"csrf": {strings.Repeat("x", 2<<20)}})
	if code != 413 {
		t.Errorf("2 MB form = %d, want 413", code)
	}
}

func TestSocketTellsOfChanges(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	ws := c.socket("topics=service,feeds&after=0")
	if f := next(t, ws); f.Do != "refetch" {
		t.Fatalf("a page of unknown age is told %+v", f)
	}
	c.fake.Change(engine.ChangeImage, "", "sha256:1")         // not asked for
	c.fake.Change(engine.ChangeFeeds, "someone", "x")         // another account's
	n := c.fake.Change(engine.ChangeService, "", "a/host-1")  // everybody's
	m := c.fake.Change(engine.ChangeFeeds, "admin", "github") // its own
	if f := next(t, ws); f.Seq != n || f.Kind != "service" || f.ID != "a/host-1" {
		t.Errorf("first frame %+v", f)
	}
	if f := next(t, ws); f.Seq != m || f.Kind != "feeds" {
		t.Errorf("second frame %+v", f)
	}
}

func TestReconnectingBrowserGetsWhatItMissed(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	ws := c.socket("topics=service&after=0")
	next(t, ws)
	first := c.fake.Change(engine.ChangeService, "", "1")
	if f := next(t, ws); f.Seq != first {
		t.Fatalf("%+v", f)
	}
	ws.Close()
	other := c.socket("topics=image&after=0") // waits until the rest has been told
	next(t, other)
	second := c.fake.Change(engine.ChangeService, "", "2")
	c.fake.Change(engine.ChangeImage, "", "x")
	next(t, other)

	ws = c.socket("topics=service&after=" + itoa(first))
	if f := next(t, ws); f.Seq != second || f.ID != "2" {
		t.Errorf("after the break: %+v, want change %d", f, second)
	}
	third := c.fake.Change(engine.ChangeService, "", "3")
	if f := next(t, ws); f.Seq != third {
		t.Errorf("after that: %+v, want change %d", f, third)
	}
}

func TestShutdownTellsSocketsToComeBack(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	ws := c.socket("topics=service&after=0")
	next(t, ws)
	got := make(chan error, 1)
	go func() {
		_, _, err := ws.ReadMessage()
		ws.Close()
		got <- err
	}()
	c.http.CloseIdleConnections()
	if err := c.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
	if err := <-got; !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("socket at shutdown: %v, want close 1001", err)
	}
}

func TestForeignOriginGetsNoSocket(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	u, _ := url.Parse(c.url)
	h := http.Header{"Origin": {"http://evil.test"}}
	for _, k := range c.http.Jar.Cookies(u) {
		h.Add("Cookie", k.String())
	}
	_, resp, err := websocket.DefaultDialer.Dial("ws://"+u.Host+"/ws/live?topics=service", h)
	if !errors.Is(err, websocket.ErrBadHandshake) || resp.StatusCode != 403 {
		t.Errorf("foreign socket: %v", err)
	}
}

func itoa(n int64) string { b, _ := json.Marshal(n); return string(b) }

func TestSwitchesWorkWithoutTheScript(t *testing.T) {
	c := start(t, bff.Options{})
	c.login()
	for _, form := range []url.Values{{"theme": {"dark"}}, {"zone": {"local"}}, {"rail": {"icons"}}} {
		form.Set("back", "/services")
		form.Set("csrf", c.csrf())
		if code, body, resp := c.do("POST", "/prefs", form); code != 200 || resp.Request.URL.Path != "/services" || !strings.Contains(body, "Sign out") {
			t.Fatalf("POST /prefs %v = %d at %s", form, code, resp.Request.URL.Path)
		}
	}
	if body := c.get("/"); !strings.Contains(body, `<html lang="en" data-theme="dark" data-zone="local" data-rail="icons" data-density="">`) {
		t.Errorf("the switches were not kept: %.120s", body)
	}
	if code, _, _ := c.do("POST", "/prefs", url.Values{"theme": {`"><script>`}, "csrf": {c.csrf()}}); code != 200 {
		t.Errorf("an odd theme = %d", code)
	}
	if body := c.get("/"); !strings.Contains(body, `data-theme="dark"`) {
		t.Error("an odd theme was kept")
	}
	if code, _, _ := c.do("POST", "/prefs", url.Values{"theme": {"light"}}); code != 403 {
		t.Errorf("without the token = %d, want 403", code)
	}
}

// What a user chooses in one browser, another shows; and a browser remembers
// it for its login page.
func TestPreferencesFollowTheUser(t *testing.T) {
	home := start(t, bff.Options{})
	home.login()
	form := url.Values{"theme": {"dark"}, "density": {"compact"}, "page_size": {"25"}, "back": {"/services"}, "csrf": {home.csrf()}}
	if code, _, resp := home.do("POST", "/prefs", form, "Accept", "application/json"); code != 204 || resp.Header.Get("Location") != "" {
		t.Errorf("a script's choice = %d", code)
	}
	jar, _ := cookiejar.New(nil)
	office := &console{t: t, fake: home.fake, url: home.url, http: &http.Client{Jar: jar, Timeout: 10 * time.Second}}
	office.login()
	if body := office.get("/"); !strings.Contains(body, `data-theme="dark"`) || !strings.Contains(body, `data-density="compact"`) {
		t.Errorf("the other browser: %.160s", body)
	}
	office.do("POST", "/logout", url.Values{"csrf": {office.csrf()}})
	if body := office.get("/login"); !strings.Contains(body, `data-theme="dark"`) {
		t.Error("the login page has forgotten the theme")
	}
}
