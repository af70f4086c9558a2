package bff

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"windlass/internal/bff/session"
	"windlass/internal/engine"
	"windlass/internal/engine/compare"
	"windlass/internal/engine/report"
)

// imageEngine answers what the images pages ask; nothing else may be asked.
type imageEngine struct {
	Engine   // signs in, where there is one
	mu       sync.Mutex
	images   []engine.Image
	matches  []engine.Match
	samples  engine.SampleStatus
	addErr   error
	filter   engine.ImageFilter
	added    engine.AddImage
	deleted  []string
	again    []string
	uploaded string
	tag      string

	bundles   []engine.PolicyBundle
	files     []engine.FileQuery
	evaluated []string // tag and bundle of what was to be stored
}

func (e *imageEngine) Session(ctx context.Context, hash []byte, idle time.Duration, seen bool) (engine.Session, error) {
	if e.Engine != nil {
		return e.Engine.Session(ctx, hash, idle, seen)
	}
	return engine.Session{Identity: engine.Identity{User: "admin", Account: "admin", Admin: true}, CSRF: "token"}, nil
}
func (e *imageEngine) Services(ctx context.Context) ([]engine.Service, error) {
	if e.Engine != nil {
		return e.Engine.Services(ctx)
	}
	return nil, nil
}

// Alter changes an image while it is being shown.
func (e *imageEngine) Alter(n int, change func(*engine.Image)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	list := slices.Clone(e.images)
	change(&list[n])
	e.images = list
}

func (e *imageEngine) list() []engine.Image {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.images
}

// Put adds an image, newest first.
func (e *imageEngine) Put(i engine.Image) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.images = append([]engine.Image{i}, e.images...)
}

// ImageEngine lets the browser's tests have this engine over one that signs in.
func ImageEngine(under Engine) *imageEngine {
	return &imageEngine{Engine: under, images: someImages(), matches: someMatches(), samples: engine.SampleStatus{Images: 1, Starter: true}, bundles: someBundles()}
}

// Fill makes what is listed agree with what is counted, for those who look at
// the pages: as many matches as the first image is said to have.
func (e *imageEngine) Fill() {
	names := []string{"openssl", "libc6", "perl-base", "libgnutls30", "zlib1g", "tar", "coreutils", "libsystemd0", "login", "util-linux", "apt", "gpgv"}
	n := 0
	for _, s := range []struct {
		severity string
		count    int
	}{{"High", 4}, {"Medium", 12}, {"Low", 3}, {"Negligible", 59}} {
		for range s.count {
			n++
			m := engine.Match{PackageKey: "f" + strconv.Itoa(n), Package: names[n%len(names)], Version: "2." + strconv.Itoa(n%9) + "-1", PackageType: "dpkg", Path: "pkgdb", Vuln: fmt.Sprintf("CVE-2024-%d", 10000+n*37),
				Severity: s.severity, URL: "https://security-tracker.debian.org/", EPSS: 0.001 * float64(n)}
			if n <= 4 {
				m.Fixes = []string{"2." + strconv.Itoa(n%9) + "-1+deb12u1"}
			}
			e.matches = append(e.matches, m)
		}
	}
	e.Alter(0, func(i *engine.Image) {
		i.Severities = engine.Severities{Critical: 1, High: 4, Medium: 12, Low: 3, Negligible: 60, Unknown: 1}
	})
	e.Alter(2, func(i *engine.Image) {
		f := *i.Failure
		f.Message = "GET https://registry-1.docker.io/v2/team/web/manifests/v9: 401 Unauthorized for <admin>"
		i.Failure = &f
	})
	e.Alter(3, func(i *engine.Image) {
		f := *i.Failure
		f.Message, f.NextAt = "GET https://registry-1.docker.io/v2/team/db/manifests/v1: 503 Service Unavailable", time.Now().Add(4*time.Minute)
		i.Failure = &f
	})
	e.Alter(4, func(i *engine.Image) {
		i.Severities, i.Packages, i.MatchedAt = engine.Severities{Critical: 1, Negligible: 1, Unknown: 1}, 15, imageTime
		i.Meta = &engine.ImageMeta{Arch: "amd64", Distro: "alpine", DistroVersion: "3.19", Size: 7_377_000, LayerCount: 1}
	})
}

func (e *imageEngine) Images(_ context.Context, account string, f engine.ImageFilter) ([]engine.Image, string, error) {
	e.filter = f
	if account != "admin" || f.Text == "nothing-here" {
		return nil, "", nil
	}
	if len(e.list()) > f.Limit {
		return e.list()[:f.Limit], "cursor-1", nil
	}
	return e.list(), "", nil
}
func (e *imageEngine) CountImages(_ context.Context, _ string, f engine.ImageFilter) (int, error) {
	if f.Text == "nothing-here" {
		return 0, nil
	}
	return len(e.list()), nil
}
func (e *imageEngine) ImageStates(context.Context, string) (map[engine.AnalysisState]int, error) {
	m := map[engine.AnalysisState]int{}
	for _, i := range e.list() {
		m[i.State]++
	}
	return m, nil
}
func (e *imageEngine) ImageNames(context.Context, string, int) ([]string, []string, error) {
	return []string{"docker.io"}, []string{"library/debian"}, nil
}
func (e *imageEngine) ImageDistros(context.Context, string, int) ([]string, error) {
	return []string{"debian", "debian 12"}, nil
}
func (e *imageEngine) SampleStatus(context.Context, string) (engine.SampleStatus, error) {
	return e.samples, nil
}
func (e *imageEngine) Image(_ context.Context, account, digest string) (engine.Image, error) {
	for _, i := range e.list() {
		if string(i.Digest) == digest && account == "admin" {
			return i, nil
		}
	}
	return engine.Image{}, engine.ErrNotFound
}
func (e *imageEngine) AddImage(_ context.Context, a engine.AddImage) (engine.Image, error) {
	e.added = a
	return e.list()[0], e.addErr
}
func (e *imageEngine) UploadImage(_ context.Context, _, tag string, _ int64, r io.Reader) (engine.Image, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return engine.Image{}, err
	}
	e.tag, e.uploaded = tag, string(b)
	return e.list()[0], e.addErr
}
func (e *imageEngine) DeleteImages(_ context.Context, _ string, digests []string, _ bool) ([]engine.DeleteResult, error) {
	e.deleted = append(e.deleted, digests...)
	var out []engine.DeleteResult
	for n, d := range digests {
		r := engine.DeleteResult{Digest: d, Status: "deleting"}
		if n == 1 {
			r.Status, r.Detail = "delete_failed", "image is being analyzed"
		}
		out = append(out, r)
	}
	return out, nil
}
func (e *imageEngine) Reanalyze(_ context.Context, _, digest string) error {
	e.again = append(e.again, digest)
	return nil
}
func (e *imageEngine) Timeline(_ context.Context, _, digest string) ([]engine.StateEntry, error) {
	waited, began := engine.StateEntry{State: engine.NotAnalyzed, At: imageTime}, engine.StateEntry{State: engine.Analyzing, At: imageTime.Add(2 * time.Second), Note: "attempt 1"}
	switch digest {
	case string(imageDigest(2)):
		return []engine.StateEntry{waited, began}, nil
	case string(imageDigest(3)):
		return []engine.StateEntry{waited, began, {State: engine.Failed, At: imageTime.Add(5 * time.Second)}}, nil
	case string(imageDigest(4)):
		return []engine.StateEntry{waited, began, {State: engine.NotAnalyzed, At: imageTime.Add(5 * time.Second)}}, nil
	}
	return []engine.StateEntry{{State: engine.NotAnalyzed, At: imageTime}, {State: engine.Analyzing, At: imageTime.Add(2 * time.Second), Note: "attempt 1"}, {State: engine.Analyzed, At: imageTime.Add(14 * time.Second)}}, nil
}
func (e *imageEngine) Matches(_ context.Context, _, digest string) ([]engine.Match, string, error) {
	if digest == string(imageDigest(5)) {
		return someMatches(), "data", nil
	}
	return e.matches, "data", nil
}
func (e *imageEngine) PackagePage(_ context.Context, _, _ string, f engine.PackageFilter) ([]engine.Package, int, error) {
	if f.Key == "gone" || f.Offset > 0 {
		return nil, 0, nil
	}
	return []engine.Package{
		{Key: "1", Name: "openssl", CPEs: []string{"cpe:2.3:a:openssl:openssl:3.0.11:*:*:*:*:*:*:*"}, PURL: "pkg:deb/debian/openssl@3.0.11", Version: "3.0.11-1~deb12u2", Type: "dpkg", Class: f.Class, Path: "pkgdb", Licenses: []string{"Apache-2.0"}, Size: 2310144, Source: "openssl", Origin: "Debian OpenSSL Team <x@example.test>"},
		{Name: "zlib1g", Version: "1:1.2.13.dfsg-1", Type: "dpkg", Class: f.Class, Path: "pkgdb"},
	}, 2, nil
}
func (e *imageEngine) PackageClasses(context.Context, string, string) (map[string]int, error) {
	return map[string]int{"os": 85, "npm": 3}, nil
}
func (e *imageEngine) CompareImages(_ context.Context, before, after engine.Image, withFiles bool) (engine.Comparison, error) {
	return compare.Images(beforeSide(before), afterSide(after, e.matches[:min(3, len(e.matches))]), withFiles), nil
}
func (e *imageEngine) ImagesByName(_ context.Context, account, name string, f engine.ImageFilter) ([]engine.Image, string, error) {
	var out []engine.Image
	for _, i := range e.list() {
		for _, t := range i.Tags {
			if t.Full() == name && account == "admin" && (f.State == "" || f.State == i.State) {
				out = append(out, i)
				break
			}
		}
	}
	return out, "", nil
}
func (e *imageEngine) SBOMInfo(context.Context, string, string) (engine.DocumentInfo, error) {
	return engine.DocumentInfo{Size: 3014941, Tag: "t"}, nil
}
func (e *imageEngine) PackageSummary(context.Context, string, string) (engine.PackageSummary, error) {
	return engine.PackageSummary{
		Total: 88, Types: []engine.NamedCount{{Name: "dpkg", Count: 85}, {Name: "npm", Count: 3}},
		Licenses: []engine.NamedCount{{Name: "GPL-2.0-or-later", Count: 41}, {Name: "Apache-2.0", Count: 9}}, LicenseNames: 2, Unlicensed: 5,
	}, nil
}
func (e *imageEngine) ExportSBOM(_ context.Context, i engine.Image, format string) (engine.Export, error) {
	f, ok := engine.FormatOf(engine.SBOMFormats, format)
	if !ok {
		return engine.Export{}, engine.NotFoundf("There is no format %q.", format)
	}
	return exportOf(f, i, []byte("as "+format)), nil
}
func (e *imageEngine) ExportMatches(_ context.Context, i engine.Image, format string, filter engine.MatchFilter) (engine.Export, error) {
	f, ok := engine.FormatOf(engine.MatchFormats, format)
	if !ok {
		return engine.Export{}, engine.NotFoundf("There is no format %q.", format)
	}
	var b bytes.Buffer
	err := report.Report{Image: i, Matches: filter.Select(e.matches)}.Write(&b, format)
	return exportOf(f, i, b.Bytes()), err
}
func exportOf(f engine.ExportFormat, i engine.Image, text []byte) engine.Export {
	return engine.Export{ExportFormat: f, File: engine.ExportFile(i, f.Suffix), Tag: "tag", Open: func(context.Context) (io.ReadCloser, int64, error) {
		var b bytes.Buffer
		z := gzip.NewWriter(&b)
		z.Write(text)
		err := z.Close()
		return io.NopCloser(&b), int64(b.Len()), err
	}}
}
func (e *imageEngine) FilePage(_ context.Context, _, _ string, q engine.FileQuery) (engine.FilePage, error) {
	list := []engine.FileEntry{
		{File: engine.File{Path: "/etc", Type: "dir", Mode: "00755"}, Folder: true, Files: 3, Bytes: 12_000},
		{File: engine.File{Path: "/etc/passwd", Size: 12, Mode: "00644", Type: "file", SHA256: strings.Repeat("ab", 32)}, Owner: engine.FileOwner{Key: "k1", Name: "base-passwd", Version: "3.6"}},
		{File: engine.File{Path: "/bin", Link: "usr/bin", Mode: "00777", Type: "slink"}}, {File: engine.File{Path: "/usr/bin/su", Mode: "04755", Type: "file"}},
	}
	if strings.Contains(q.Text, "SHADOW") || q.Offset > 0 {
		list = nil
	}
	e.files = append(e.files, q)
	return engine.FilePage{Entries: list, Total: len(list)}, nil
}
func (e *imageEngine) Document(_ context.Context, _, name, _ string) ([]byte, error) {
	switch name {
	case engine.DocConfig:
		return []byte(`{"created":"2026-01-02T03:04:05Z","os":"linux","architecture":"amd64","config":{"Entrypoint":["/bin/sh","-c","exec app"],"Env":["PATH=/usr/bin:/bin","EMPTY="],"Labels":{"org.opencontainers.image.title":"App"},"ExposedPorts":{"8080/tcp":{}}}}`), nil
	case engine.DocHistory:
		return []byte(`[{"Created":"1970-01-01T00:00:00Z","CreatedBy":"/bin/sh -c #(nop) ADD file:1 in / ","Comment":"","Id":"sha256:` + strings.Repeat("1", 64) + `","Size":29124608,"Tags":[]},{"Created":"","CreatedBy":"/bin/sh -c apt-get update","Id":"<missing>","Size":0}]`), nil
	case engine.DocDockerfile:
		return []byte("FROM scratch\nADD file:1 in /\n"), nil
	case engine.DocSBOM:
		return []byte(`{"artifacts":[]}`), nil
	case engine.DocSecrets:
		return []byte(`[{"path":"/app/.env","matches":[{"name":"AWS_KEY","regex":"(?i)aws.*","lines":[0,6]}]}]`), nil
	case engine.DocRetrieved:
		return []byte(`[{"path":"/etc/passwd","b64_content":"cm9vdDp4OjA6MDo8cm9vdD46Lwo="},{"path":"/bin/x","b64_content":"AAEC"}]`), nil
	case engine.DocMalware:
		return []byte(`[{"scanner":"clamav","findings":[{"path":"/tmp/eicar.com","signature":"Eicar-Test-Signature"}],"metadata":{"db_version":{"daily":"27000"},"incomplete":"two files were too large"}}]`), nil
	}
	return nil, engine.ErrNotFound
}
func (e *imageEngine) Events(_ context.Context, _ string, f engine.EventFilter, _ engine.EventPage) (engine.EventList, error) {
	return engine.EventList{Events: []engine.Event{{ID: "e-" + f.ResourceID[len(f.ResourceID)-4:], Type: engine.EvAnalysisCompleted, Level: "info", Message: "Image analysis available", At: imageTime, ResourceID: f.ResourceID, Service: "analyzer"}}}, nil
}

var imageTime = time.Date(2026, 11, 22, 13, 4, 5, 0, time.UTC)

// imageDigest is one of those whose first digits differ, as those of real ones do.
func imageDigest(n int) engine.Digest { return engine.Digest(fmt.Sprintf("sha256:%012x%052x", n, n)) }

// ImageDigest is imageDigest for the browser's tests.
func ImageDigest(n int) engine.Digest { return imageDigest(n) }

func tagOf(i engine.Digest, repo, tag string) []engine.ImageTag {
	return []engine.ImageTag{{Registry: "docker.io", Repository: repo, Tag: tag, Digest: i, DetectedAt: imageTime, CreatedAt: imageTime, UpdatedAt: imageTime}}
}

// someImages is one image of each state, with a name that wants escaping.
func someImages() []engine.Image {
	base := engine.Image{Account: "admin", Status: engine.ImageActive, Source: engine.FromRegistry, CreatedAt: imageTime, UpdatedAt: imageTime}
	made := func(n int, state engine.AnalysisState, repo, tag string) engine.Image {
		i := base
		i.Digest, i.ParentDigest, i.ID, i.State = imageDigest(n), imageDigest(n), strings.Repeat("c", 64), state
		i.Tags = tagOf(i.Digest, repo, tag)
		return i
	}
	done := made(1, engine.Analyzed, "library/debian", "12")
	done.AnalyzedAt, done.MatchedAt, done.MatchedWith, done.Packages = imageTime, imageTime, "f00", 88
	done.Severities = engine.Severities{Critical: 1, High: 4, Medium: 12, Low: 3, Negligible: 61}
	done.Fixable, done.Exploited = 5, 1
	done.Meta = &engine.ImageMeta{Arch: "amd64", Distro: "debian", DistroVersion: "12", DockerfileMode: "Guessed", Size: 117440512, LayerCount: 1}
	done.Annotations = map[string]any{"owner": "<b>team</b>", "n": 1.0}
	done.Tags = append(done.Tags, tagOf(done.Digest, "library/debian", "bookworm")...)
	running := made(2, engine.Analyzing, "team/api", "v2")
	running.Progress = &engine.Progress{Stage: engine.StagePull, Done: 12 << 20, Total: 28 << 20, Since: imageTime, Attempt: 2, Worker: "host-2"}
	failed := made(3, engine.Failed, "team/web", "v9")
	failed.Failure = &engine.Failure{Stage: engine.StagePull, Cause: "registry_auth", Message: "The registry refused the credential <admin>", Log: []string{"pull start", "401 \x1b[31mUnauthorized"}, At: imageTime, Attempt: 1}
	again := &engine.Failure{Stage: engine.StagePull, Cause: engine.CauseRegistryUnavailable, Message: "The registry answered 503", Log: []string{"pull start", "503 error"},
		At: imageTime, Attempt: 2, Attempts: 5, Host: "host-2", NextAt: imageTime.AddDate(10, 0, 0)}
	waits := made(4, engine.NotAnalyzed, "team/db", "v1")
	waits.Failure = again
	sample := made(5, engine.Analyzed, "windlass/sample-alpine", "3.19")
	sample.Source, sample.Starter, sample.MatchedWith, sample.AnalyzedAt = engine.FromSample, true, "starter", imageTime
	sample.Meta = &engine.ImageMeta{Arch: "N/A", Distro: "N/A", DistroVersion: "N/A"}
	return []engine.Image{done, running, failed, waits, sample}
}

func someMatches() []engine.Match {
	return []engine.Match{
		{PackageKey: "1", Package: "openssl", Version: "3.0.11-1~deb12u2", PackageType: "dpkg", Path: "pkgdb", Vuln: "CVE-2024-5535", Severity: "Critical", Fixes: []string{"3.0.14-1~deb12u1"},
			URL: "https://security-tracker.debian.org/tracker/CVE-2024-5535", NVD: []engine.CVSSData{{ID: "CVE-2024-5535", V2: engine.NoCVSS, V3: engine.CVSS{Base: 9.1}}}, EPSS: 0.0432, KnownExploited: true, Description: "Calling <SSL_select_next_proto>"},
		{PackageKey: "2", Package: "=cmd|calc", Version: "1", PackageType: "npm", Path: "/app/package.json", Vuln: "GHSA-1", Severity: "odd", URL: "javascript:alert(1)", CVEs: []string{"CVE-2020-1"}, Sample: true},
		{PackageKey: "3", Package: "zlib1g", Version: "1:1.2.13", PackageType: "dpkg", Vuln: "CVE-2023-45853", Severity: "Negligible", WillNotFix: true},
	}
}

// send asks the console as a signed-in user. A form carries its own token.
func send(t *testing.T, e Engine, method, target, kind string, body io.Reader) (int, http.Header, string) {
	t.Helper()
	s, err := New(Options{Engine: e, UploadLimit: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(method, target, body)
	r.AddCookie(&http.Cookie{Name: session.Cookie, Value: "token"})
	if kind != "" {
		r.Header.Set("Content-Type", kind)
	}
	resp, err := s.App().Test(r, 10_000)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(b)
}

func post(t *testing.T, e Engine, target string, form url.Values) (int, http.Header, string) {
	t.Helper()
	form.Set("csrf", "token")
	return send(t, e, http.MethodPost, target, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// noNonsense looks for what must never be shown to a person.
func noNonsense(t *testing.T, body string) {
	t.Helper()
	for _, bad := range []string{"0001-01-01", "NaN", "<nil>", "%!", "null", "<b>team", "<admin>", "javascript:", "\x1b"} {
		if at := strings.Index(body, bad); at >= 0 {
			t.Errorf("%q is on the page: ...%s...", bad, body[max(0, at-80):min(len(body), at+40)])
		}
	}
}

func TestImagePages(t *testing.T) {
	first := "/images/" + url.PathEscape(string(imageDigest(1)))
	of := func(n int) string { return "/images/" + string(imageDigest(n)) }
	tests := map[string]struct {
		path string
		code int
		want []string
	}{
		"list": {"/images", 200, []string{"docker.io/library/debian:12", "+1", "SAMPLE", "starter data", "Pulling layers 12.6 MB of 29.4 MB",
			"refused the credential", `name="digest"`, "117.4 MB", "5 images", `value="delete"`}},
		"list, filtered":        {"/images?q=deb&severity=Critical&state=analyzed", 200, []string{`value="deb"`, "Clear"}},
		"fragment":              {"/images?fragment=images-list", 200, []string{`id="images-rows"`}},
		"odd state":             {"/images?state=odd", 400, []string{"no state"}},
		"add form":              {"/images?add=1", 200, []string{`id="add" open`}},
		"overview":              {first, 200, []string{"/bin/sh -c &#39;exec app&#39;", "ADD file:1 in /", "RUN apt-get update", "guessed", "owner", "12 s", "8080/tcp", "attempt 1", "Known exploited"}},
		"vulnerabilities":       {first + "?tab=vulnerabilities", 200, []string{"CVE-2024-5535", "9.1", "4.3 %", "exploited", "3.0.14-1~deb12u1", "won&#39;t be fixed", "starter data", "3 vulnerabilities"}},
		"with a fix":            {first + "?tab=vulnerabilities&fixable=1", 200, []string{"1 of 3 vulnerabilities"}},
		"by package":            {first + "?tab=vulnerabilities&group=package", 200, []string{"1 vulnerability", "3 groups"}},
		"no match":              {first + "?tab=vulnerabilities&q=nothing", 200, []string{"Nothing matches this filter"}},
		"content":               {first + "?tab=content", 200, []string{"openssl", "2.3 MB", "88"}},
		"files":                 {first + "?tab=content&class=files", 200, []string{"passwd", "usr/bin", "0:0", "12.0 kB", "3 files", "base-passwd 3.6", "setuid", "dir=%2Fetc"}},
		"files, in a folder":    {first + "?tab=content&class=files&dir=/etc/../etc/", 200, []string{`aria-current="location">etc`, `name="dir" value="/etc"`}},
		"files, one list":       {first + "?tab=content&class=files&view=flat", 200, []string{"/etc/passwd", "By folder", "Show its folder"}},
		"secrets":               {first + "?tab=content&class=secrets", 200, []string{"/app/.env", "AWS_KEY", "1, 7", "not kept"}},
		"secrets, searched":     {first + "?tab=content&class=secrets&q=nothing", 200, []string{"No findings of this kind match"}},
		"text findings":         {first + "?tab=content&class=findings", 200, []string{"content_search"}},
		"malware":               {first + "?tab=content&class=malware", 200, []string{"Eicar-Test-Signature", "Scanned by clamav, daily 27000.", "two files were too large"}},
		"kept files":            {first + "?tab=content&class=retrieved", 200, []string{"/etc/passwd", "20 B", "Show"}},
		"kept file":             {first + "?tab=content&class=retrieved&file=/etc/passwd", 200, []string{"root:x:0:0:&lt;root&gt;:/", "Download"}},
		"kept file, no text":    {first + "?tab=content&class=retrieved&file=/bin/x", 200, []string{"not a text"}},
		"kept file, as it is":   {first + "/kept?file=/etc/passwd", 200, []string{"root:x:0:0:<root>:/"}},
		"kept file, missing":    {first + "/kept?file=/etc/shadow", 404, []string{"kept no such file"}},
		"package":               {first + "?tab=content&class=all&pkg=1", 200, []string{"cpe:2.3:a:openssl", "pkg:deb/debian/openssl@3.0.11", "CVE-2024-5535", "4 files", "All packages"}},
		"package, gone":         {first + "?tab=content&pkg=gone", 404, []string{"no such package"}},
		"export packages":       {first + "/content.csv?class=os", 200, []string{"name,version", "openssl,3.0.11-1~deb12u2"}},
		"export files":          {first + "/content.csv?class=files", 200, []string{"/etc/passwd,file,00644", "base-passwd,3.6"}},
		"export secrets":        {first + "/content.csv?class=secrets", 200, []string{"/app/.env,AWS_KEY"}},
		"files, searched":       {first + "?tab=content&class=files&q=SHADOW", 200, []string{"No files of this kind match"}},
		"sbom":                  {first + "?tab=sbom", 200, []string{"/sbom/spdx-json", "3.0 MB", "CycloneDX XML", "dpkg", "Apache-2.0", "Of 5 packages no licence is known", "2 packages"}},
		"events":                {first + "?tab=events", 200, []string{"image_analysis_completed", "library/debian:12"}},
		"analyzing":             {of(2), 200, []string{"Pulling layers", "host-2", "attempt 2", "Cancel"}},
		"analyzing, vulns":      {of(2) + "?tab=vulnerabilities", 200, []string{"is being analyzed"}},
		"failed":                {of(3), 200, []string{"The registry refused the credential", "registry_auth", "Retry", "401 Unauthorized", "/registries"}},
		"waiting":               {of(4), 200, []string{"Waiting", "Try now", of(4) + "/try", "Tried again by itself", "attempt 2 of 5", "host-2", "service=analyzer"}},
		"sample":                {of(5), 200, []string{"SAMPLE", "Starter data", "none"}},
		"sample, vulns":         {of(5) + "?tab=vulnerabilities", 200, []string{"Starter data."}},
		"missing":               {of(9), 404, []string{"no image 000000000009"}},
		"confirm ticked":        {"/images/confirm?do=delete&digest=" + string(imageDigest(1)) + "&digest=" + string(imageDigest(2)) + "&digest=gone", 200, []string{"Delete 2 images", "cannot be undone", "docker.io/team/api:v2"}},
		"confirm all":           {"/images/confirm?do=reanalyze&all=1&q=x", 200, []string{"Analyze 5 images again", `value="q=x"`}},
		"confirm, odd":          {"/images/confirm?do=odd&digest=" + string(imageDigest(1)), 400, nil},
		"confirm, nothing":      {"/images/confirm?do=delete", 303, nil},
		"content csv, odd":      {first + "/content.csv?class=anything", 400, []string{"The classes are all, os, npm"}},
		"content, odd":          {first + "?tab=content&class=anything", 400, []string{"There is no class of content"}},
		"export csv":            {first + "/vulnerabilities.csv", 200, []string{"'=cmd|calc", "CVE-2024-5535,Critical"}},
		"export json, filtered": {first + "/vulnerabilities.json?severity=Critical", 200, []string{`"CVE-2024-5535"`, `"cvss": 9.1`}},
		"download sbom":         {first + "/sbom.json", 200, []string{"as syft-json"}},
		"download spdx":         {first + "/sbom/spdx-tag-value", 200, []string{"as spdx-tag-value"}},
		"download, odd":         {first + "/sbom/pdf", 404, []string{"no format"}},
		"download, too early":   {of(2) + "/sbom/spdx-json", 404, []string{"has not been analyzed"}},
		"export sarif":          {first + "/vulnerabilities/sarif?fixable=1", 200, []string{"sarif-2.1.0", "CVE-2024-5535"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			code, _, body := send(t, &imageEngine{images: someImages(), matches: someMatches(), samples: engine.SampleStatus{Images: 1, Starter: true}}, http.MethodGet, tc.path, "", nil)
			if code != tc.code {
				t.Fatalf("%d, want %d\n%s", code, tc.code, body)
			}
			wantParts(t, body, tc.want...)
			if !strings.Contains(tc.path, ".json") && !strings.Contains(tc.path, "/sarif") {
				noNonsense(t, body)
			}
			if dir := os.Getenv("WINDLASS_PAGES"); dir != "" { // for looking at
				os.WriteFile(dir+"/"+strings.NewReplacer(" ", "-", ",", "").Replace(name)+".html", []byte(body), 0o644)
			}
		})
	}
}

func TestImagesEmpty(t *testing.T) {
	_, _, body := send(t, &imageEngine{}, http.MethodGet, "/images", "", nil)
	wantParts(t, body, "No images yet", "Try it with a sample", `action="/sample"`)
	noNonsense(t, body)
	_, _, body = send(t, &imageEngine{}, http.MethodGet, "/images?q=x", "", nil)
	wantParts(t, body, "No image matches", "Clear the filter")
}

func TestImagesPaging(t *testing.T) {
	e := &imageEngine{}
	for n := range 60 {
		i := someImages()[0]
		i.Digest = imageDigest(n + 10)
		e.images = append(e.images, i)
	}
	_, _, body := send(t, e, http.MethodGet, "/images?q=deb", "", nil)
	wantParts(t, body, "50 of 60 images", "/images?after=cursor-1&amp;q=deb", "all 60 that match", "/images/confirm?all=1&amp;do=delete&amp;q=deb")
	if e.filter.Text != "deb" || e.filter.Limit != imagesPage || !e.filter.AnyStatus {
		t.Errorf("asked for %+v", e.filter)
	}
}

func TestAddImageForm(t *testing.T) {
	sum := "sha256:" + strings.Repeat("a", 64)
	tests := map[string]struct {
		form  url.Values
		want  engine.AddImage
		fault string
	}{
		"tag":         {url.Values{"tag": {" alpine:3 "}}, engine.AddImage{Account: "admin", Tag: "alpine:3"}, ""},
		"bare digest": {url.Values{"tag": {"localhost:5000/a/b:1"}, "digest": {sum}}, engine.AddImage{Account: "admin", Tag: "localhost:5000/a/b:1", Digest: "localhost:5000/a/b@" + sum}, ""},
		"everything": {url.Values{"tag": {"a:1"}, "force": {"1"}, "dockerfile": {"FROM x"}, "annotations": {"a=b=c\r\n\r\n d = e "}},
			engine.AddImage{Account: "admin", Tag: "a:1", Force: true, Dockerfile: "RlJPTSB4", Annotations: map[string]any{"a": "b=c", "d": "e"}}, ""},
		"nothing":            {url.Values{}, engine.AddImage{}, "Name the image"},
		"digest alone":       {url.Values{"digest": {sum}}, engine.AddImage{}, "needs the tag"},
		"annotation is none": {url.Values{"tag": {"a"}, "annotations": {"what"}}, engine.AddImage{}, "is not name=value"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			e := &imageEngine{images: someImages()}
			code, head, body := post(t, e, "/images", tc.form)
			if tc.fault != "" {
				wantParts(t, body, tc.fault, `id="add" open`)
				if code != 400 {
					t.Errorf("%d, want 400", code)
				}
				return
			}
			if code != 303 || head.Get("Location") != "/images/"+string(imageDigest(1)) || !reflect.DeepEqual(e.added, tc.want) {
				t.Errorf("%d to %s\n got %+v\nwant %+v", code, head.Get("Location"), e.added, tc.want)
			}
		})
	}
	e := &imageEngine{images: someImages(), addErr: &engine.Fault{Kind: engine.ErrInvalid, Message: "nowhere.test: no such host"}}
	code, _, body := post(t, e, "/images", url.Values{"tag": {"nowhere.test/x"}})
	if code != 400 {
		t.Errorf("%d, want 400", code)
	}
	wantParts(t, body, "no such host", `value="nowhere.test/x"`)
	if code, _, _ := send(t, e, http.MethodPost, "/images", "application/x-www-form-urlencoded", strings.NewReader("tag=a")); code != 403 {
		t.Errorf("without a token: %d", code)
	}
}

func uploadBody(t *testing.T, fields map[string]string, file string) (string, *bytes.Buffer) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for k, v := range fields {
		if err := w.WriteField(k, v); err != nil {
			t.Fatal(err)
		}
	}
	if file != "" {
		f, err := w.CreateFormFile("archive", "image.tar")
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(f, file)
	}
	w.Close()
	return w.FormDataContentType(), &b
}

func TestUploadImage(t *testing.T) {
	large := strings.Repeat("x", 900_000) // beyond what is read into memory
	e := &imageEngine{images: someImages()}
	kind, body := uploadBody(t, map[string]string{"tag": "local/app:1"}, large)
	code, head, text := send(t, e, http.MethodPost, "/images/upload?csrf=token", kind, body)
	if code != 303 || head.Get("Location") != "/images/"+string(imageDigest(1)) || e.tag != "local/app:1" || e.uploaded != large {
		t.Errorf("%d %s %s, %d bytes under %q", code, head.Get("Location"), text, len(e.uploaded), e.tag)
	}
	kind, body = uploadBody(t, nil, strings.Repeat("x", 2<<20))
	if code, _, text := send(t, e, http.MethodPost, "/images/upload?csrf=token", kind, body); code != 400 || !strings.Contains(text, "larger than") {
		t.Errorf("too large: %d", code)
	}
	kind, body = uploadBody(t, map[string]string{"tag": "x"}, "")
	if code, _, text := send(t, e, http.MethodPost, "/images/upload?csrf=token", kind, body); code != 400 || !strings.Contains(text, "Choose the archive") {
		t.Errorf("no file: %d", code)
	}
	kind, body = uploadBody(t, nil, "x")
	if code, _, _ := send(t, e, http.MethodPost, "/images/upload", kind, body); code != 403 {
		t.Errorf("without a token: %d", code)
	}
	e.addErr = engine.Invalidf("archive: no manifest in it")
	kind, body = uploadBody(t, map[string]string{"tag": "kept"}, "x")
	if code, _, text := send(t, e, http.MethodPost, "/images/upload?csrf=token", kind, body); code != 400 || !strings.Contains(text, "no manifest in it") || !strings.Contains(text, `value="kept"`) {
		t.Errorf("bad archive: %d", code)
	}
}

func FuzzUploadParts(f *testing.F) {
	f.Add("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"tag\"\r\n\r\na\r\n--x\r\nContent-Disposition: form-data; name=\"archive\"; filename=\"a\"\r\n\r\nbytes\r\n--x--\r\n")
	f.Add("multipart/form-data", "")
	f.Add("text/plain", "--x")
	f.Fuzz(func(t *testing.T, kind, body string) {
		_, file, err := uploadParts(kind, strings.NewReader(body))
		if (file == nil) == (err == nil) {
			t.Errorf("file %v with %v", file, err)
		}
	})
}

func TestBulkImages(t *testing.T) {
	e := &imageEngine{images: someImages()}
	one, two := string(imageDigest(1)), string(imageDigest(2))
	code, head, _ := post(t, e, "/images/bulk", url.Values{"do": {"delete"}, "digest": {one, two}})
	if code != 303 || head.Get("Location") != "/images" || !reflect.DeepEqual(e.deleted, []string{one, two}) {
		t.Errorf("%d %s deleted %v", code, head.Get("Location"), e.deleted)
	}
	code, head, _ = post(t, e, "/images/bulk", url.Values{"do": {"reanalyze"}, "query": {"q=deb&state=analyzed"}})
	if code != 303 || head.Get("Location") != "/images?q=deb&state=analyzed" || len(e.again) != 5 || e.filter.Text != "deb" || e.filter.State != engine.Analyzed {
		t.Errorf("%d %s again %v %+v", code, head.Get("Location"), e.again, e.filter)
	}
	// Each filter of the list is one of what is done to all that match: one
	// that got lost on the way would do it to others.
	filters := "cause=disk&distro=debian&exploited=1&fixable=1&package=p&policy=stop&q=deb&registry=r&repository=s&severity=High&state=analyzed&vuln=CVE-1"
	_, _, body := send(t, e, http.MethodGet, "/images/confirm?do=delete&all=1&"+filters, "", nil)
	wantParts(t, body, `value="`+strings.ReplaceAll(filters, "&", "&amp;")+`"`)
	want := engine.ImageFilter{Text: "deb", State: engine.Analyzed, Registry: "r", Repository: "s", Severity: "High", Package: "p", Vuln: "CVE-1",
		Verdict: "stop", Fixable: true, Exploited: true, Cause: "disk", Distro: "debian", Limit: 200}
	if post(t, e, "/images/bulk", url.Values{"do": {"reanalyze"}, "query": {filters}}); e.filter != want {
		t.Errorf("done to %+v", e.filter)
	}
	if code, _, _ := post(t, e, "/images/bulk", url.Values{"do": {"odd"}, "digest": {one}}); code != 400 {
		t.Errorf("odd: %d", code)
	}
	r := bulkResult{done: 1}.plus(bulkResult{refused: 1, reason: "image is being analyzed"})
	if got := r.text("delete"); got != "1 image deleted. 1 image left as it is: image is being analyzed." {
		t.Errorf("%q", got)
	}
}

// subscribedEngine refuses what is not forced for the subscriptions of its tag.
type subscribedEngine struct {
	imageEngine
	forced []string
}

func (e *subscribedEngine) DeleteImages(_ context.Context, _ string, digests []string, force bool) ([]engine.DeleteResult, error) {
	var out []engine.DeleteResult
	for n, d := range digests {
		switch {
		case force:
			e.forced = append(e.forced, d)
			out = append(out, engine.DeleteResult{Digest: d, Status: "deleting"})
		case n == 0:
			out = append(out, engine.DeleteResult{Digest: d, Status: "delete_failed", Detail: "being analyzed"})
		default:
			out = append(out, engine.DeleteResult{Digest: d, Status: "delete_failed", Detail: "subscribed", Subscribed: true})
		}
	}
	return out, nil
}

// Subscriptions alone, of which the page has warned, stop no deletion here; an
// analysis in hand still does.
func TestBulkDeleteOfSubscribedImages(t *testing.T) {
	e := &subscribedEngine{imageEngine: imageEngine{images: someImages()}}
	one, two := string(imageDigest(1)), string(imageDigest(2))
	code, _, _ := post(t, e, "/images/bulk", url.Values{"do": {"delete"}, "digest": {one, two}})
	if code != 303 || !reflect.DeepEqual(e.forced, []string{two}) {
		t.Errorf("%d, forced %v, want the second only", code, e.forced)
	}
	_, _, body := send(t, e, http.MethodGet, "/images/confirm?do=delete&digest="+one, "", nil)
	wantParts(t, body, "Subscriptions to tags whose newest image goes are switched off")
}

func TestImageActions(t *testing.T) {
	e := &imageEngine{images: someImages()}
	code, head, _ := post(t, e, "/images/"+string(imageDigest(3))+"/reanalyze", url.Values{})
	if code != 303 || head.Get("Location") != "/images/"+string(imageDigest(3)) || len(e.again) != 1 {
		t.Errorf("%d %s %v", code, head.Get("Location"), e.again)
	}
	if code, _, _ := post(t, e, "/images/sha256:0/reanalyze", url.Values{}); code != 404 {
		t.Errorf("missing: %d", code)
	}
}

func TestLimitReader(t *testing.T) {
	if _, err := io.ReadAll(&limitReader{r: strings.NewReader("12345"), left: 5}); err != nil {
		t.Errorf("just enough: %v", err)
	}
	if _, err := io.ReadAll(&limitReader{r: strings.NewReader("123456"), left: 5}); !errors.Is(err, errTooMuch) {
		t.Errorf("too much: %v", err)
	}
}
