package feeds_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/feeds"
	"windlass/internal/engine/feeds/build"
)

// entry is one member of an archive.
type entry struct {
	name string
	kind byte
	link string
	body io.Reader
	size int64
}

func archive(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	w := tar.NewWriter(z)
	for _, e := range entries {
		if e.kind == 0 {
			e.kind = tar.TypeReg
		}
		if err := w.WriteHeader(&tar.Header{Name: e.name, Typeflag: e.kind, Linkname: e.link, Size: e.size, Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if e.body != nil {
			if _, err := io.Copy(w, e.body); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.Close()
	z.Close()
	return out.Bytes()
}

func text(name, body string) entry {
	return entry{name: name, body: strings.NewReader(body), size: int64(len(body))}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// Whatever a source sends, the data in use stays, nothing is left lying, and
// the record says why in a word.
func TestHostileSources(t *testing.T) {
	good, err := build.Serve(t.TempDir(), first)
	if err != nil {
		t.Fatal(err)
	}
	const listing = "/v6/latest.json"
	bomb := func(t *testing.T) []byte {
		const size = 200 << 20
		return archive(t, entry{name: "vulnerability.db", body: io.LimitReader(zeros{}, size), size: size})
	}
	// serve puts an archive behind a listing that announces it truly.
	serve := func(body []byte) func(http.ResponseWriter, *http.Request) {
		sum := sha256.Sum256(body)
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == listing {
				io.WriteString(w, `{"schemaVersion":"v6.1.0","built":"2027-01-01T00:00:00Z","path":"a.tar.zst","checksum":"sha256:`+hex.EncodeToString(sum[:])+`"}`)
				return
			}
			w.Write(body)
		}
	}
	answer := func(code int, body string) func(http.ResponseWriter, *http.Request) {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code); io.WriteString(w, body) }
	}
	whole := archive(t, text("vulnerability.db", strings.Repeat("SQLite format 3\x00", 9999)))
	for name, tc := range map[string]struct {
		handler func(http.ResponseWriter, *http.Request)
		cause   string
	}{
		"no such listing":        {answer(404, "no"), feeds.CauseHTTP4xx},
		"source in trouble":      {answer(503, "no"), feeds.CauseHTTP5xx},
		"proxy asks":             {answer(407, "no"), feeds.CauseProxy},
		"a page for a listing":   {answer(200, "<html>"), feeds.CauseFormat},
		"an endless listing":     {answer(200, strings.Repeat(" ", 2<<20)), feeds.CauseFormat},
		"no checksum":            {answer(200, `{"schemaVersion":"v6.1.0","path":"a"}`), feeds.CauseFormat},
		"another schema":         {answer(200, `{"schemaVersion":"v7.0.0","path":"a","checksum":"`+good.Checksum+`"}`), feeds.CauseFormat},
		"archive is not there":   {func(w http.ResponseWriter, r *http.Request) { only(w, r, listing, good) }, feeds.CauseHTTP4xx},
		"another archive":        {mixed(good, "something else"), feeds.CauseChecksum},
		"not an archive":         {serve([]byte("something else entirely")), feeds.CauseFormat},
		"an empty archive":       {serve(nil), feeds.CauseFormat},
		"cut short":              {serve(whole[:len(whole)/2]), feeds.CauseFormat},
		"no database in it":      {serve(archive(t, text("readme", "hello"))), feeds.CauseFormat},
		"not a database":         {serve(whole), feeds.CauseFormat},
		"a way out":              {serve(archive(t, text("../../vulnerability.db", "x"))), feeds.CauseFormat},
		"an absolute name":       {serve(archive(t, text("/tmp/vulnerability.db", "x"))), feeds.CauseFormat},
		"a link for a database":  {serve(archive(t, entry{name: "vulnerability.db", kind: tar.TypeSymlink, link: "/etc/passwd"})), feeds.CauseFormat},
		"very many entries":      {serve(archive(t, slicesOf(40, text("other", ""))...)), feeds.CauseFormat},
		"a small archive, large": {serve(bomb(t)), feeds.CauseFormat},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.serve(t, first)
			w.sync(t, false)
			src := httptest.NewServer(http.HandlerFunc(tc.handler))
			defer src.Close()
			svc := feeds.New(feeds.Config{Dir: w.data, URL: src.URL}, w.s, enginetest.Logger(t))
			before := w.active(t)
			out, err := svc.Sync(t.Context(), feeds.Manual, false)
			if err == nil || out.Status != "failure" || out.Cause != tc.cause || out.Message == "" {
				t.Errorf("sync = %s, cause %q (%s), %v; want cause %q", out.Status, out.Cause, out.Message, err, tc.cause)
			}
			if after := w.active(t); after != before || !feeds.Installed(w.data, before.ID) {
				t.Errorf("the data in use is %+v, was %+v", after, before)
			}
			if names := w.left(t); len(names) != 1 {
				t.Errorf("the folder holds %v, want the data in use alone", names)
			}
		})
	}
}

func slicesOf(n int, e entry) []entry {
	list := make([]entry, n)
	for i := range list {
		list[i] = e
	}
	return list
}

// only answers the listing and nothing else.
func only(w http.ResponseWriter, r *http.Request, listing string, l build.Listing) {
	if r.URL.Path != listing {
		http.NotFound(w, r)
		return
	}
	io.WriteString(w, `{"schemaVersion":"v6.1.0","built":"2027-01-01T00:00:00Z","path":"a.tar.zst","checksum":"`+flip(l.Checksum)+`"}`)
}

// mixed announces one archive and sends another.
func mixed(l build.Listing, body string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, ".json") {
			only(w, r, r.URL.Path, l)
			return
		}
		io.WriteString(w, body)
	}
}

// flip makes another checksum, so that the data in use is not the one announced.
func flip(sum string) string { return sum[:len(sum)-4] + "0000" }

func TestUnreachableSources(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	for name, tc := range map[string]struct{ url, cause string }{
		"nobody listens":        {"http://" + closed.Addr().String(), feeds.CauseConnection},
		"no such name":          {"http://nothing.invalid", feeds.CauseDNS},
		"a certificate unknown": {secure.URL, feeds.CauseTLS},
		"no TLS where expected": {strings.Replace(plain.URL, "http:", "https:", 1), feeds.CauseTLS},
	} {
		t.Run(name, func(t *testing.T) {
			svc := feeds.New(feeds.Config{Dir: t.TempDir(), URL: tc.url}, enginetest.Store(t), enginetest.Logger(t))
			if out, err := svc.Sync(t.Context(), feeds.Manual, false); err == nil || out.Cause != tc.cause {
				t.Errorf("sync = %+v, %v; want cause %s", out, err, tc.cause)
			}
		})
	}
}

func TestUnwritableFolder(t *testing.T) {
	w := newWorld(t)
	w.serve(t, first)
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	svc := feeds.New(feeds.Config{Dir: filepath.Join(file, "feeds"), URL: w.url}, w.s, enginetest.Logger(t))
	if out, err := svc.Sync(t.Context(), feeds.Manual, false); err == nil || out.Cause != feeds.CauseDisk {
		t.Errorf("sync = %+v, %v; want cause disk", out, err)
	}
}

// Far fewer records than before are a broken build of the feed, unless a
// person says otherwise.
func TestShrunkenDataIsRefused(t *testing.T) {
	w := newWorld(t)
	w.serve(t, first)
	w.sync(t, false)
	w.serve(t, build.Database{Built: day.AddDate(0, 0, 5), Records: first.Records[:1]})
	if out, err := w.svc.Sync(t.Context(), feeds.Manual, false); err == nil || out.Cause != feeds.CauseSanity {
		t.Errorf("sync = %+v, %v; want cause sanity", out, err)
	}
	if out := w.sync(t, true); out.Status != "success" || out.Records != 1 {
		t.Errorf("flush = %+v", out)
	}
}
