package bff_test

import (
	"fmt"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// repeated stores a log of three failures in a row, thrice.
func repeated() *enginetest.Fake {
	f := enginetest.New()
	add := func(id, kind, resource string, ago int) {
		e := engine.NewEvent(kind, "admin", resource, nil, engine.Source{Service: engine.Analyzer, Host: "host-1"})
		e.ID, e.At = id, time.Now().Add(-time.Duration(ago)*time.Minute).Truncate(time.Microsecond)
		f.AddEvent(e)
	}
	for i := range 9 {
		add(fmt.Sprint("f", i), engine.EvAnalysisFailed, fmt.Sprint("app:", i/3), 10+i)
	}
	add("up", engine.EvServiceUp, "", 1)
	return f
}

var runRow = regexp.MustCompile(`<tr id="(run|event)-(\w+)"`)

func foldedRows(html string) string {
	var list []string
	for _, m := range runRow.FindAllStringSubmatch(html, -1) {
		list = append(list, m[1]+":"+m[2])
	}
	return strings.Join(list, " ")
}

func TestFoldedEvents(t *testing.T) {
	v := visit(t, repeated(), "admin")
	html := v.get("/events?fold=1")
	if got := foldedRows(html); got != "event:up run:f2 run:f5 run:f8" || !strings.Contains(html, "10 events in 4 rows") {
		t.Errorf("folded %s", got)
	}
	if got := foldedRows(v.get("/events?fold=1&level=error&unfold=f5")); got != "run:f2 run:f5 event:f3 event:f4 event:f5 run:f8" {
		t.Errorf("unfolded %s", got)
	}
	// A row of repeats means all its events, and no other.
	runs := regexp.MustCompile(`name="run" value="([^"]+)"`).FindAllStringSubmatch(html, -1)
	code, to := v.post("/events/clear", url.Values{"run": {runs[0][1], runs[2][1]}, "id": {"up"}, "before": {time.Now().Format(time.RFC3339Nano)}, "back": {"/events?fold=1"}})
	if code != 303 || to != "/events?fold=1" {
		t.Fatalf("clear: %d %s", code, to)
	}
	html = v.get("/events")
	if got := rows(html); got != "f3 f4 f5" || !strings.Contains(html, "Cleared 7 events.") {
		t.Errorf("left %s", got)
	}
	for _, bad := range []string{"x", "e30x"} {
		if code, _ := v.post("/events/clear", url.Values{"run": {bad}}); code != 400 {
			t.Errorf("run %q: %d", bad, code)
		}
	}
}

func TestSavedFilters(t *testing.T) {
	f := seeded()
	v := visit(t, f, "admin")
	if html := v.get("/events"); strings.Contains(html, "Save this filter") {
		t.Error("a list without a filter offers to save it")
	}
	form := formOf(t, v.get("/events?level=error&fold=1&open=a"), "/events/filters", "Save")
	if got := strings.ReplaceAll(form.Get("query"), "&amp;", "&"); got != "?level=error&fold=1" {
		t.Fatalf("the form saves %q", got)
	}
	code, to := v.post("/events/filters", url.Values{"query": {"?level=error&fold=1&after=x&evil=1"}, "name": {"Errors"}})
	if code != 303 || to != "/events?level=error&fold=1" {
		t.Fatalf("save: %d %s", code, to)
	}
	html := v.get("/events?level=error&fold=1")
	if !strings.Contains(html, `href="/events?level=error&amp;fold=1" aria-current="true"`) || strings.Contains(html, "Save this filter") {
		t.Error("the saved filter is not shown as the one in use")
	}
	if html := visit(t, f, "other").get("/events"); strings.Contains(html, "Errors</a>") {
		t.Error("another user sees the filter")
	}
	if code, to := v.post("/events/filters/1/rename", url.Values{"name": {"Broken"}, "back": {"/events?level=error"}}); code != 303 || to != "/events?level=error" {
		t.Errorf("rename: %d %s", code, to)
	}
	if html := v.get("/events"); !strings.Contains(html, "Broken") {
		t.Error("the filter has its old name")
	}
	for path, form := range map[string]url.Values{
		"/events/filters":          {"query": {"?after=x"}, "name": {"nothing"}},
		"/events/filters/1/rename": {"name": {" "}},
	} {
		if code, _ := v.post(path, form); code != 400 {
			t.Errorf("%s: %d, want 400", path, code)
		}
	}
	if code, _ := visit(t, f, "other").post("/events/filters/1/delete", url.Values{}); code != 404 {
		t.Errorf("deletion by another user: %d", code)
	}
	if code, _ := v.post("/events/filters/1/delete", url.Values{}); code != 303 {
		t.Errorf("deletion: %d", code)
	}
}

func TestRetentionPage(t *testing.T) {
	f := seeded()
	old := engine.NewEvent(engine.EvFeedsSyncStarted, "other", "", nil, engine.Source{})
	old.At = time.Now().AddDate(0, 0, -40)
	f.AddEvent(old)
	v := visit(t, f, "admin")
	html := v.get("/events/retention")
	for _, want := range []string{"No rule is on", "have not been applied yet", `name="info_days" value="90"`} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	rules := url.Values{"info_on": {"1"}, "info_days": {"30"}, "error_days": {"365"}}
	code, to := v.post("/events/retention/plan", rules)
	if code != 303 || !strings.HasPrefix(to, "/events/retention?error_days=365&info_days=30&info_on=1&plan=1") {
		t.Fatalf("dry run: %d %s", code, to)
	}
	html = v.get(strings.TrimSuffix(to, "#retention-plan"))
	for _, want := range []string{"1 event of all accounts would be deleted now", "not saved yet", `value="30"`} {
		if !strings.Contains(html, want) {
			t.Errorf("the dry run lacks %s", want)
		}
	}
	if code, to := v.post("/events/retention", rules); code != 303 || to != "/events/retention" {
		t.Errorf("save: %d %s", code, to)
	}
	if html := v.get("/events/retention"); !strings.Contains(html, "The rules are next applied") || !strings.Contains(html, "set by admin") {
		t.Error("the saved rules are not shown")
	}
	if code, _ := v.post("/events/retention/runs", url.Values{}); code != 303 {
		t.Errorf("run: %d", code)
	}
	if html := v.get("/events/retention"); !strings.Contains(html, "Deleting what is too old") || !strings.Contains(html, "/events/retention/runs/1/cancel") {
		t.Error("the run is not shown")
	}
	if code, _ := v.post("/events/retention/runs/1/cancel", url.Values{}); code != 303 {
		t.Errorf("cancel: %d", code)
	}
	for _, days := range []string{"0", "3651", "x", ""} {
		if code, _ := v.post("/events/retention", url.Values{"info_days": {days}, "error_days": {"1"}}); code != 400 {
			t.Errorf("%q days: %d, want 400", days, code)
		}
	}

	other := visit(t, f, "other")
	html = other.get("/events/retention?plan=1&info_days=1&error_days=1")
	if strings.Contains(html, "<h2 id=\"retention-history\"") || strings.Contains(html, `name="info_days"`) || strings.Contains(html, "would be deleted") || !strings.Contains(html, "kept for 30 days") {
		t.Error("who may not alter the rules sees more than them")
	}
	for _, path := range []string{"", "/plan", "/runs", "/runs/1/cancel"} {
		if code, _ := other.post("/events/retention"+path, rules); code != 403 {
			t.Errorf("POST %s by another account: %d, want 403", path, code)
		}
	}
	if code, _, _ := other.do(httptest.NewRequest("GET", "/events/retention", nil)); code != 200 {
		t.Errorf("reading the rules: %d", code)
	}
}
