package bff_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"windlass/internal/bff"
	"windlass/internal/bff/enginetest"
	"windlass/internal/bff/session"
	"windlass/internal/engine"
)

// visitor is a browser without a script, signed in.
type visitor struct {
	t     *testing.T
	s     *bff.Server
	token string
	csrf  string
	flash string
}

func visit(t *testing.T, f *enginetest.Fake, account string) *visitor {
	t.Helper()
	s, err := bff.New(bff.Options{Engine: f})
	if err != nil {
		t.Fatal(err)
	}
	v := &visitor{t: t, s: s, token: session.NewToken(), csrf: session.NewToken()}
	err = f.AddSession(t.Context(), engine.Session{
		Identity: engine.Identity{User: account, Account: account, Admin: account == engine.AdminAccount}, Hash: session.Hash(v.token), CSRF: v.csrf, ExpiresAt: time.Now().Add(time.Hour),
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func (v *visitor) do(r *http.Request) (int, string, http.Header) {
	v.t.Helper()
	r.AddCookie(&http.Cookie{Name: session.Cookie, Value: v.token})
	if v.flash != "" {
		r.AddCookie(&http.Cookie{Name: "wl_flash", Value: v.flash})
		v.flash = ""
	}
	res, err := v.s.App().Test(r, 5000)
	if err != nil {
		v.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	for _, c := range res.Cookies() {
		if c.Name == "wl_flash" {
			v.flash = c.Value
		}
	}
	return res.StatusCode, string(body), res.Header
}

func (v *visitor) get(path string) string {
	v.t.Helper()
	code, body, _ := v.do(httptest.NewRequest("GET", path, nil))
	if code != 200 {
		v.t.Fatalf("GET %s = %d\n%s", path, code, body)
	}
	return body
}

// post sends a form and gives where it leads.
func (v *visitor) post(path string, form url.Values) (int, string) {
	v.t.Helper()
	form.Set("csrf", v.csrf)
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	code, body, header := v.do(r)
	if code != http.StatusSeeOther {
		return code, body
	}
	return code, header.Get("Location")
}

var rowID = regexp.MustCompile(`<tr id="event-(\w+)"`)

// rows lists the events a page shows.
func rows(html string) string {
	var ids []string
	for _, m := range rowID.FindAllStringSubmatch(html, -1) {
		ids = append(ids, m[1])
	}
	return strings.Join(ids, " ")
}

// formOf reads the hidden fields of the form that leads to action and holds text.
func formOf(t *testing.T, html, action, text string) url.Values {
	t.Helper()
	for _, form := range regexp.MustCompile(`(?s)<form.*?</form>`).FindAllString(html, -1) {
		if !strings.Contains(form, `action="`+action+`"`) || !strings.Contains(form, text) {
			continue
		}
		fields := url.Values{}
		for _, m := range regexp.MustCompile(`<input type="hidden" name="(\w+)" value="([^"]*)"`).FindAllStringSubmatch(form, -1) {
			fields.Add(m[1], strings.ReplaceAll(m[2], "&amp;", "&"))
		}
		return fields
	}
	t.Fatalf("no form to %s with %q in\n%s", action, text, html)
	return nil
}

func seeded() *enginetest.Fake {
	f := enginetest.New()
	at := time.Now().Add(-time.Hour)
	for i, kind := range []string{engine.EvFeedsSyncStarted, engine.EvFeedsSyncFailed, engine.EvAnalysisFailed, engine.EvServiceDown} {
		e := engine.NewEvent(kind, "admin", "", nil, engine.Source{Service: engine.PolicyEngine, Host: "host-1"})
		e.ID, e.At, e.StoredAt = string(rune('a'+i)), at.Add(time.Duration(i)*time.Minute), at
		f.AddEvent(e)
	}
	other := engine.NewEvent(engine.EvServiceDown, "other", "", nil, engine.Source{})
	other.ID = "x"
	f.AddEvent(other)
	return f
}

func TestEventsPage(t *testing.T) {
	f := seeded()
	v := visit(t, f, "admin")
	tests := map[string]struct{ path, want string }{
		"all":          {"/events", "d c b a"},
		"level":        {"/events?level=error", "d c b"},
		"short type":   {"/events?type=feed_sync_start", "a"},
		"wildcard":     {"/events?type=*.failed", "c b"},
		"text":         {"/events?text=sync", "b a"},
		"oldest":       {"/events?order=oldest", "a b c d"},
		"none":         {"/events?host=nowhere", ""},
		"last minutes": {"/events?range=15m", ""},
		"the part":     {"/events?level=error&fragment=events-list", "d c b"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := rows(v.get(tc.path)); got != tc.want {
				t.Errorf("%s shows %q, want %q", tc.path, got, tc.want)
			}
		})
	}
	if html := v.get("/events?host=nowhere"); !strings.Contains(html, "No event matches") || !strings.Contains(html, `data-topic-empty="events"`) {
		t.Error("an empty result does not say so, or does not wait for the first event")
	}
	if html := visit(t, f, "nobody").get("/events"); !strings.Contains(html, "No events yet") {
		t.Error("an empty log does not say so")
	}
	for path, want := range map[string]int{
		"/events?since=soon": 400,
		"/events?since=2020-01-02T00:00:00Z&before=2020-01-01T00:00:00Z": 400,
		"/events/x":        404,
		"/events/clears/7": 404,
		"/events/clears/z": 404,
	} {
		if code, body, _ := v.do(httptest.NewRequest("GET", path, nil)); code != want {
			t.Errorf("GET %s = %d, want %d\n%s", path, code, want, body)
		}
	}
}

// The address that is kept has no empty fields, and its times mean the same to
// everyone.
func TestEventsAddressIsCanonical(t *testing.T) {
	v := visit(t, seeded(), "admin")
	r := httptest.NewRequest("GET", "/events?text=&level=error&since=2026-01-02T03:04&before=", nil)
	r.AddCookie(&http.Cookie{Name: "wl_zone", Value: "local"})
	r.AddCookie(&http.Cookie{Name: "wl_tz", Value: "Europe/Berlin"})
	code, _, header := v.do(r)
	if got := header.Get("Location"); code != 303 || got != "/events?level=error&since=2026-01-02T02%3A04%3A00Z" {
		t.Errorf("%d to %q", code, got)
	}
}

func TestEventPagesByCursor(t *testing.T) {
	f := enginetest.New()
	for i := range 230 {
		e := engine.NewEvent(engine.EvFeedsSyncStarted, "admin", "", nil, engine.Source{})
		e.ID, e.At = fmt.Sprintf("n%03d", i), time.Now().Add(time.Duration(i-1000)*time.Second)
		f.AddEvent(e)
	}
	v := visit(t, f, "admin")
	seen := map[string]bool{}
	path := "/events?level=info"
	for range 3 {
		html := v.get(path)
		for _, id := range strings.Fields(rows(html)) {
			seen[id] = true
		}
		if m := regexp.MustCompile(`href="([^"]*)" rel="next"`).FindStringSubmatch(html); m != nil {
			path = strings.ReplaceAll(m[1], "&amp;", "&")
		}
	}
	if len(seen) != 230 {
		t.Errorf("three pages show %d events, want 230", len(seen))
	}
}

func TestEventDetail(t *testing.T) {
	f := seeded()
	v := visit(t, f, "admin")
	html := v.get("/events?level=error&open=c")
	for _, want := range []string{
		`class="drawer event"`, "type: user.image.analysis.failed", `&#34;generated_uuid&#34;: &#34;c&#34;`,
		`/logs?at=`, `href="/events?level=error&amp;open=d" rel="prev"`, `href="/events?level=error&amp;open=b" rel="next"`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("the drawer lacks %s", want)
		}
	}
	if html := v.get("/events?open=gone"); strings.Contains(html, `class="drawer`) || rows(html) != "d c b a" {
		t.Error("the list is not shown without the event that is gone")
	}
	if html := v.get("/events/c"); !strings.Contains(html, "user.image.analysis.failed") {
		t.Error("no page of the event")
	}
	if code, to := v.post("/events/c/delete", url.Values{"back": {"/events?level=error"}}); code != 303 || to != "/events?level=error" {
		t.Errorf("deletion: %d %s", code, to)
	}
	html = v.get("/events?level=error")
	if rows(html) != "d b" || !strings.Contains(html, "Cleared 1 event.") || !strings.Contains(html, `action="/events/clears/1/undo"`) {
		t.Errorf("after the deletion: %s", rows(html))
	}
}

func TestClearAndUndoWithoutScript(t *testing.T) {
	f := seeded()
	v := visit(t, f, "admin")
	form := formOf(t, v.get("/events?level=error"), "/events/clear", "Clear 3 events")
	if form.Get("level") != "error" || form.Get("before") == "" || form.Get("all") != "1" {
		t.Fatalf("the form says %v", form)
	}
	late := engine.NewEvent(engine.EvServiceDown, "admin", "", nil, engine.Source{})
	late.ID = "late" // happened after the form was drawn
	f.AddEvent(late)
	code, to := v.post("/events/clear", form)
	if code != 303 || to != "/events?level=error" {
		t.Fatalf("clear: %d %s", code, to)
	}
	html := v.get("/events")
	if got := rows(html); got != "late a" {
		t.Errorf("left %q", got)
	}
	undo := formOf(t, html, "/events/clears/1/undo", "Undo")
	if code, to := v.post("/events/clears/1/undo", undo); code != 303 || to != "/events?level=error" {
		t.Errorf("undo: %d %s", code, to)
	}
	if html := v.get("/events"); rows(html) != "late d c b a" || !strings.Contains(html, "are back") {
		t.Errorf("after the undo: %q", rows(html))
	}
	if code, body := v.post("/events/clears/1/undo", url.Values{}); code != 409 || !strings.Contains(body, "The time to undo this clear is over.") {
		t.Errorf("second undo: %d %s", code, body)
	}
}

func TestClearOfChosenEvents(t *testing.T) {
	v := visit(t, seeded(), "admin")
	if code, body := v.post("/events/clear", url.Values{"level": {"error"}}); code != 400 || !strings.Contains(body, "No event was chosen") {
		t.Errorf("nothing chosen: %d %s", code, body)
	}
	if code, _ := v.post("/events/clear", url.Values{"id": {"a", "d", "x"}, "back": {"https://evil.example/"}}); code != 303 {
		t.Errorf("clear: %d", code)
	}
	if got := rows(v.get("/events")); got != "c b" {
		t.Errorf("left %q", got)
	}
	// The undo leads back to where the events were chosen.
	v.post("/events/clear", url.Values{"id": {"b"}, "back": {"/events?text=no+such"}})
	undo := formOf(t, v.get("/events"), "/events/clears/2/undo?back=%2Fevents%3Ftext%3Dno%2Bsuch", "Undo")
	if code, to := v.post("/events/clears/2/undo?back=%2Fevents%3Ftext%3Dno%2Bsuch", undo); code != 303 || to != "/events?text=no+such" {
		t.Errorf("undo: %d %s", code, to)
	}
	v.post("/events/clear", url.Values{"all": {"1"}, "except": {"b"}})
	if got := rows(v.get("/events")); got != "b" {
		t.Errorf("left %q", got)
	}
}

// A clear of unknown size is counted first; that its events are being deleted is
// shown, and can be stopped.
func TestClearAndItsDeletion(t *testing.T) {
	f := seeded()
	v := visit(t, f, "admin")
	html := v.get("/events/clear?level=error")
	if !strings.Contains(html, "Clear 3 events") || !strings.Contains(html, "level error") {
		t.Error("the large clear is not counted first")
	}
	if code, to := v.post("/events/clear", formOf(t, html, "/events/clear", "Clear 3 events")); code != 303 || to != "/events?level=error" {
		t.Fatalf("clear: %d %s", code, to)
	}
	html = v.get("/events/clears/1")
	for _, want := range []string{"Cleared 3 events", `action="/events/clears/1/undo"`, `data-live="events.cleared"`, "Deleted for good"} {
		if !strings.Contains(html, want) {
			t.Errorf("the clear's page lacks %s", want)
		}
	}
	if html := v.get("/events"); !strings.Contains(html, `id="clear-1"`) || !strings.Contains(html, `action="/events/clears/1/undo"`) {
		t.Error("the list does not offer the undo")
	}
	f.Purge(1, 1)
	html = v.get("/events")
	if !strings.Contains(html, "1 of 3 deleted for good") || !strings.Contains(html, `action="/events/clears/1/cancel"`) {
		t.Error("the list does not show the deletion at work")
	}
	if code, _ := visit(t, f, "other").post("/events/clears/1/cancel", url.Values{}); code != 404 {
		t.Errorf("stop by another account: %d", code)
	}
	if code, to := v.post("/events/clears/1/cancel", url.Values{}); code != 303 || to != "/events?level=error" {
		t.Errorf("stop: %d %s", code, to)
	}
	if html := v.get("/events/clears/1"); !strings.Contains(html, "1 of 3 events deleted") || strings.Contains(html, "/cancel") {
		t.Error("the end is not shown")
	}
	if code, _ := v.post("/events/clears/1/cancel", url.Values{}); code != 409 {
		t.Errorf("stop after the end: %d", code)
	}
}

func TestExportIsTheFilteredSet(t *testing.T) {
	f := seeded()
	e := engine.NewEvent(engine.EvRegistryLookupFailed, "admin", "=cmd()", map[string]any{"cause": "said \"no\",\nthen left"}, engine.Source{Service: "catalog"})
	e.ID, e.At = "f", time.Now().Add(-time.Minute)
	f.AddEvent(e)
	v := visit(t, f, "admin")
	body := v.get("/events/export.csv?level=error")
	table, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(table) != 5 {
		t.Fatalf("%d rows, %v\n%s", len(table), err, body)
	}
	if got := table[1]; got[7] != "'=cmd()" || got[9] != "said \"no\",\nthen left" || got[10] != "f" {
		t.Errorf("first row %q", got)
	}
	var ids []string
	for d := json.NewDecoder(strings.NewReader(v.get("/events/export.ndjson?level=error&order=oldest"))); ; {
		var r struct {
			ID    string `json:"generated_uuid"`
			Event struct{ Level string }
		}
		if d.Decode(&r) == io.EOF {
			break
		}
		ids = append(ids, r.ID+r.Event.Level)
	}
	if got := strings.Join(ids, " "); got != "berror cerror derror ferror" {
		t.Errorf("exported %s", got)
	}
}

// What is picked and cleared goes from the lists of other pages by the message
// itself; a clear by filter, or its end, makes them fetch the list again.
func TestPickedEventsGoAtOnce(t *testing.T) {
	c := start(t, bff.Options{})
	usual(c.fake)
	c.login()
	ws := c.socket("topics=events&after=0")
	next(t, ws)
	clear, err := c.fake.ClearEvents(t.Context(), "admin", engine.EventFilter{IDs: []string{"a", "b", "c"}, Except: []string{"b"}}, "admin")
	if err != nil {
		t.Fatal(err)
	}
	if f := next(t, ws); f.Topic != "events" || f.ID != "event-a event-c" || f.HTML != "" {
		t.Errorf("told %+v, want the removal of two rows", f)
	}
	if _, err := c.fake.UndoClear(t.Context(), "admin", clear.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.fake.ClearEvents(t.Context(), "admin", engine.EventFilter{Level: "error"}, "admin"); err != nil {
		t.Fatal(err)
	}
	late := engine.NewEvent(engine.EvServiceUp, "admin", "http://host-2:8084", nil, engine.Source{Service: engine.Catalog, Host: "host-1"})
	c.fake.AddEvent(late)
	if f := next(t, ws); f.ID != "event-"+late.ID {
		t.Errorf("then %+v, want nothing before the new event", f)
	}
}
