package bff_test

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
	"windlass/internal/engine"
)

// stop is a page in one of its states, on the walk over all of them.
type stop struct{ name, path string }

// pages are the stops by the route that answers them: a route without one
// fails the walk. Those without a name are files and fragments, which are
// fetched and not looked at.
var pages = map[string][]stop{
	"/":                        {{"overview", "/"}},
	"/troubleshoot":            {{"troubleshoot", "/troubleshoot"}},
	"/troubleshoot/report.md":  {{"", "/troubleshoot/report.md"}},
	"/troubleshoot/bundle.zip": {{"", "/troubleshoot/bundle.zip"}},
	"/services":                {{"services", "/services"}, {"services-90d", "/services?range=90d"}, {"services-incidents", "/services?tab=incidents"}, {"services-none", "/services?text=nowhere"}},
	"/services/:name/:host":    {{"service", "/services/analyzer/host-2"}},
	"/events":                  {{"events", "/events"}, {"events-filtered", "/events?level=error"}, {"events-folded", "/events?fold=1"}, {"events-none", "/events?text=nowhere"}},
	"/events/retention":        {{"events-retention", "/events/retention?plan=1&info_on=1&info_days=30&error_days=365"}},
	"/events/export.csv":       {{"", "/events/export.csv"}},
	"/events/export.ndjson":    {{"", "/events/export.ndjson"}},
	"/events/clear":            {{"events-confirm", "/events/clear?level=error"}},
	"/events/clears/:clear":    {{"events-clear", "/events/clears/1"}},
	"/events/:id":              {{"event", "/events/EVENT"}},
	"/feeds":                   {{"feeds", "/feeds"}},
	"/feeds/rollback":          {{"feeds-rollback", "/feeds/rollback"}},
	"/feeds/delete":            {{"feeds-delete", "/feeds/delete?feed=vulnerabilities&group=debian:12"}},
	"/images":                  {{"images", "/images"}, {"images-add", "/images?add=1"}, {"images-none", "/images?q=nothing-here&severity=any&fixable=1&cause=registry_auth&distro=debian+12"}},
	"/images/confirm":          {{"images-delete", "/images/confirm?do=delete&all=1"}, {"images-again", "/images/confirm?do=reanalyze&all=1"}},
	"/images/:digest": {
		{"image", of(1)}, {"image-vulnerabilities", of(1) + "?tab=vulnerabilities"}, {"image-vulnerabilities-grouped", of(1) + "?tab=vulnerabilities&group=package"},
		{"image-content", of(1) + "?tab=content"}, {"image-package", of(1) + "?tab=content&pkg=1"}, {"image-files", of(1) + "?tab=content&class=files"},
		{"image-secrets", of(1) + "?tab=content&class=secrets"}, {"image-malware", of(1) + "?tab=content&class=malware"}, {"image-kept", of(1) + "?tab=content&class=retrieved&file=/etc/passwd"},
		{"image-policy", of(1) + "?tab=policy"}, {"image-policy-aside", of(1) + "?tab=policy&aside=only"}, {"image-sbom", of(1) + "?tab=sbom"}, {"image-events", of(1) + "?tab=events"}, {"image-compare", of(1) + "?tab=compare&with=" + string(bff.ImageDigest(5))},
		{"image-analyzing", of(2)}, {"image-failed", of(3)}, {"image-retry", of(4)}, {"image-sample", of(5) + "?tab=vulnerabilities"},
	},
	"/images/:digest/vulnerabilities.csv":     {{"", of(1) + "/vulnerabilities.csv"}},
	"/images/:digest/vulnerabilities.json":    {{"", of(1) + "/vulnerabilities.json"}},
	"/images/:digest/vulnerabilities/:format": {{"", of(1) + "/vulnerabilities/sarif"}},
	"/images/:digest/sbom.json":               {{"", of(1) + "/sbom.json"}},
	"/images/:digest/sbom/:format":            {{"", of(1) + "/sbom/spdx-json"}},
	"/images/:digest/compare.csv":             {{"", of(1) + "/compare.csv?with=" + string(bff.ImageDigest(5))}},
	"/images/:digest/content.csv":             {{"", of(1) + "/content.csv?class=os"}},
	"/images/:digest/kept":                    {{"", of(1) + "/kept?file=/etc/passwd"}},
	"/images/:digest/policy.csv":              {{"", of(1) + "/policy.csv"}},
	"/images/:digest/policy.json":             {{"", of(1) + "/policy.json"}},
	"/policies":                               {{"policies", "/policies"}},
	"/policies/gates":                         {{"policies-gates", "/policies/gates"}},
	"/policies/gates.json":                    {{"", "/policies/gates.json"}},
	"/policies/new":                           {{"policies-new", "/policies/new"}},
	"/policies/new/upload":                    {{"", "/policies/new/upload"}},
	"/policies/upload":                        {{"", "/policies/upload"}},
	"/policies/:id": {
		{"policy", "/policies/on"}, {"policy-edit", "/policies/on?tab=edit"}, {"policy-rules", "/policies/mine?tab=rules"}, {"policy-try", "/policies/mine?tab=try"}, {"policy-diff", "/policies/mine?tab=diff&with=on"},
	},
	"/policies/:id/download":         {{"", "/policies/on/download"}},
	"/policies/:id/:tab/upload":      {{"", "/policies/on/edit/upload"}},
	"/policies/:id/activate":         {{"policy-activate", "/policies/mine/activate"}},
	"/policies/:id/delete":           {{"policy-delete", "/policies/mine/delete"}},
	"/policies/:id/exceptions/new":   {{"policy-exception", "/policies/mine/exceptions/new?gate=vulnerabilities&trigger_id=CVE-2024-5535%2Bopenssl&tag=docker.io%2Flibrary%2Fdebian%3A12"}},
	"/policies/vex":                  {{"vex", "/policies/vex"}, {"vex-upload", "/policies/vex?image=" + string(bff.ImageDigest(1))}},
	"/policies/vex/:id":              {{"vex-document", "/policies/vex/d1"}, {"vex-document-disabled", "/policies/vex/d2"}},
	"/policies/vex/:id/document":     {{"", "/policies/vex/d1/document"}},
	"/registries":                    {{"registries", "/registries?image=docker.io/team/app:1"}, {"registries-edit", "/registries?edit=docker.io/team/*"}},
	"/registries/try":                {{"", "/registries/try"}},
	"/registries/remove":             {{"registries-remove", "/registries/remove?registry=docker.io/team/*"}},
	"/subscriptions":                 {{"subscriptions", "/subscriptions"}, {"subscriptions-add", "/subscriptions?add=1"}},
	"/subscriptions/repositories":    {{"repositories", "/subscriptions/repositories?add=1"}},
	"/subscriptions/deliveries":      {{"deliveries", "/subscriptions/deliveries"}},
	"/subscriptions/deliveries/:seq": {{"delivery", "/subscriptions/deliveries/9"}},
	"/subscriptions/webhooks":        {{"webhooks", "/subscriptions/webhooks"}, {"webhooks-edit", "/subscriptions/webhooks?edit=4f1d"}},
	"/account":                       {{"account-own", "/account?add=1"}},
	"/accounts":                      {{"accounts", "/accounts?add=1"}},
	"/accounts/:name":                {{"account", "/accounts/payments?add=1"}},
	"/audit":                         {{"audit", "/audit"}},
	"/audit/export.csv":              {{"", "/audit/export.csv"}},
	"/audit/export.ndjson":           {{"", "/audit/export.ndjson"}},
	"/queue":                         {{"queue", "/queue"}, {"queue-message", "/queue?open=5"}},
	"/queue/confirm":                 {{"queue-drop", "/queue/confirm?do=drop&all=1"}},
	"/logs":                          {{"logs", "/logs"}, {"logs-line", "/logs?line=host-2~analyzer-ab12-0"}},
	"/logs/line":                     {{"", "/logs/line?fragment=line&line=host-2~analyzer-ab12-0"}},
	"/logs/files":                    {{"logs-files", "/logs/files"}},
	"/logs/download":                 {{"", "/logs/download"}},
	"/api":                           {{"api", "/api"}},
	"/api/:id":                       {{"api-operation", "/api/getImage"}},
	"/status":                        {{"", "/status"}},
	"/search":                        {{"search", "/search"}, {"search-found", "/search?q=pi"}, {"search-none", "/search?q=zebra"}},
	"/healthz":                       {{"", "/healthz"}},
	"/accounts/:name/users":          {{"", "/accounts/payments/users"}},

	// Addresses of pages that show a fault, should somebody load them again.
	"/account/password":                    {{"", "/account/password"}},
	"/account/tokens":                      {{"", "/account/tokens"}},
	"/account/sessions/end":                {{"", "/account/sessions/end"}},
	"/accounts/:name/users/:user/password": {{"", "/accounts/payments/users/rita/password"}},
	"/policies/vex/upload":                 {{"", "/policies/vex/upload"}},
	"/subscriptions/webhooks/:id":          {{"", "/subscriptions/webhooks/4f1d"}},
	"/subscriptions/webhooks/:id/test":     {{"", "/subscriptions/webhooks/4f1d/test"}},

	"/accounts/:name/users/:user": {{"user", "/accounts/payments/users/rita"}},
}

// notWalked are the routes that are no pages.
var notWalked = []string{"/ws/live", "/ws/logs", "/static/:name", "/login", "/v1", "/v1/*", "/logs/files/:host/:name", "/feeds/uploads/:id"}

var widths = []int64{1440, 1024, 390}

// TestWalk looks at every page in both themes and at three widths (all six with
// WINDLASS_LOOKS=all): nothing moves by itself, nothing is refused, misnamed or raw, axe finds nothing, and every
// address that a page leads to answers. The pictures are in artifacts/.
func TestWalk(t *testing.T) {
	e := fullEngine()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "{}") }))
	t.Cleanup(api.Close)
	c := start(t, bff.Options{Engine: e, API: api.URL})
	c.fake = e.fake
	c.login()
	cleared, err := e.ClearEvents(t.Context(), "admin", engine.EventFilter{ResourceID: "docker.io/team/api:v2"}, "admin")
	if err != nil || cleared.Done == 0 {
		t.Fatalf("%+v, %v", cleared, err)
	}
	event := engine.NewEvent(engine.EvAnalysisFailed, "admin", "docker.io/team/api:v3", map[string]any{"cause": "manifest unknown"}, engine.Source{Service: engine.Analyzer, Host: "host-2"})
	e.fake.AddEvent(event)
	srv, err := bff.New(bff.Options{Engine: e})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range srv.App().GetRoutes(true) {
		if r.Method == http.MethodGet && len(pages[r.Path]) == 0 && !slices.Contains(notWalked, r.Path) {
			t.Errorf("GET %s is not on the walk", r.Path)
		}
	}

	only := strings.Split(os.Getenv("WALK"), ",") // parts of the names of the pages to look at
	var mu sync.Mutex
	var stops []stop
	seen := map[string]bool{}
	for _, route := range slices.Sorted(maps.Keys(pages)) {
		for _, s := range pages[route] {
			s.path = strings.ReplaceAll(s.path, "EVENT", event.ID)
			if s.name != "" && slices.ContainsFunc(only, func(part string) bool { return strings.Contains(s.name, part) }) {
				stops = append(stops, s)
			}
			seen[s.path] = true
		}
	}
	t.Run("pages", func(t *testing.T) {
		for some := range slices.Chunk(stops, 8) { // what a tab can look at before its life ends, on a slow machine too
			t.Run(some[0].name, func(t *testing.T) {
				t.Parallel()
				p := browsertest.Open(t)
				p.Login(c.url, "admin", enginetest.Password)
				for _, s := range some {
					links := walk(p, c.url, s)
					mu.Lock()
					for _, l := range links {
						seen[l] = true
					}
					mu.Unlock()
				}
			})
		}
	})
	for path := range seen {
		c.answers(path)
	}
	t.Logf("%d addresses", len(seen))
}

// answers fails the test if an address does not. Of a file that goes on and
// on only the beginning is read.
func (c *console) answers(path string) {
	c.t.Helper()
	resp, err := c.http.Get(c.url + path)
	if err != nil {
		c.t.Errorf("%s: %v", path, err)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 400 {
		head, _ := io.ReadAll(io.LimitReader(resp.Body, 200))
		c.t.Errorf("%s answers %d: %s", path, resp.StatusCode, head)
	}
}

// walk looks at one page in every way, and lists where it leads to.
func walk(p *browsertest.Page, base string, s stop) []string {
	for _, width := range widths {
		p.Size(width, 900)
		p.Theme("light")
		p.Goto(base + s.path)
		p.Live()
		at := fmt.Sprintf("%s, %d wide", s.name, width)
		p.Still(at)
		p.Fits(at)
		for _, theme := range []string{"light", "dark"} {
			if !browsertest.IsLooked(theme, width) {
				continue
			}
			p.Theme(theme)
			p.Shot(fmt.Sprintf("walk/%s-%s-%d", s.name, theme, width))
			if width != 1024 {
				p.Axe(at + ", " + theme)
			}
		}
		if width == 390 {
			p.Plain(at)
			p.Sound(at)
		}
	}
	return p.Links()
}
