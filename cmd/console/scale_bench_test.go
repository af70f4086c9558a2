//go:build bench

package main

import (
	"bufio"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// How much the tables hold; WINDLASS_BENCH_SCALE=0.1 makes it a tenth for a
// quick look.
const (
	scaleImages = 100_000
	scaleEvents = 10_000_000
)

// TestBenchAtScale measures lists, queries and single images of the built
// program over tables of the size that the limits are set for, filled by SQL.
func TestBenchAtScale(t *testing.T) {
	bin, err := filepath.Abs("../../bin/console")
	if err != nil {
		t.Fatal(err)
	}
	c := startChild(t, bin, dataDir(t), "http://127.0.0.1:9")
	defer c.stop()
	c.awaitUp(t)
	images, events := scaled(t)
	c.fill(t, images, events)

	c.throughput(t, 8)
	c.percentiles(t, fmt.Sprintf("images of %d: a page of the console", images), 50, c.signIn(t), "/images", "/images?fragment=images-list",
		"/images?state=analyzed", "/images?severity=critical", "/images?repository=team/app-7", "/images?vuln=CVE-2026-0007",
		"/images?fixable=1", "/images?exploited=1", "/images?distro=debian+12", "/images?cause=registry_auth")
	api := c.basic()
	first, whole, bytes := c.wholeList(t)
	report(fmt.Sprintf("images of %d: all by the API, first byte, p99", images), first)
	fmt.Printf("%-60s %9s  %d MB\n", "the same, to the last", whole.Round(time.Millisecond), bytes>>20)
	c.percentiles(t, "images by tag, the newest and all that had it", 50, api, "/v1/images?fulltag=registry.test/team/app-7:v7", "/v1/images?fulltag=registry.test/team/app-7:v7&history=true")
	c.percentiles(t, "images by package, a page of 100", 0, api, "/v1/query/images/by_package?name=bash&limit=100", "/v1/query/images/by_package?name=bash&limit=100&page=500")
	c.percentiles(t, "images by vulnerability (1 in 100), a page of 100", 0, api, "/v1/query/images/by_vulnerability?vulnerability_id=CVE-2026-0007&limit=100")
	c.percentiles(t, fmt.Sprintf("events of %d: a page of 100", events), 50, api, "/v1/events", "/v1/events?level=error",
		"/v1/events?source_servicename=catalog", "/v1/events?source_hostid=host-2", "/v1/events?event_type=user.image.analysis.failed",
		"/v1/events?event_type=*.failed", "/v1/events?resource_id=docker.io/team/app:77", "/v1/events?since=2026-01-05&before=2026-01-06", "/v1/events?page=50",
		"/v1/events?source_servicename=analyzer&level=error")
}

func scaled(t *testing.T) (images, events int) {
	t.Helper()
	f := 1.0
	if text := os.Getenv("WINDLASS_BENCH_SCALE"); text != "" {
		var err error
		if f, err = strconv.ParseFloat(text, 64); err != nil || f <= 0 {
			t.Fatalf("WINDLASS_BENCH_SCALE=%q", text)
		}
	}
	return int(f * scaleImages), int(f * scaleEvents)
}

// fill stores analyzed images with a tag, a few packages and matches each, and
// a log as it grows in use.
func (c *child) fill(t *testing.T, images, events int) {
	t.Helper()
	began := time.Now()
	raw, err := os.ReadFile(filepath.Join(c.dir, "pgdata", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	socket := strings.Split(string(raw), "\n")[4]
	db, err := pgx.Connect(t.Context(), "host="+socket+" user=windlass dbname=postgres")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(context.Background())
	run := func(sql string, args ...any) {
		if _, err := db.Exec(t.Context(), sql, args...); err != nil {
			t.Fatalf("%.60s: %v", sql, err)
		}
	}
	// The log's indexes are made afterwards: that halves the time.
	rows, err := db.Query(t.Context(), `SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'events' AND indexname <> 'events_pkey'`)
	if err != nil {
		t.Fatal(err)
	}
	indexes, err := pgx.CollectRows(rows, pgx.RowToStructByPos[struct{ Name, Definition string }])
	if err != nil {
		t.Fatal(err)
	}
	run(`SET maintenance_work_mem = '512MB'`)
	for _, i := range indexes {
		run(`DROP INDEX ` + i.Name)
	}
	for _, q := range []struct {
		sql  string
		args []any
	}{
		{`INSERT INTO images (account, digest, parent_digest, image_id, state, arch, distro, distro_version, dockerfile_mode, image_size, layer_count,
			packages, sev_critical, sev_high, annotations, created_at, updated_at, analyzed_at)
		SELECT 'admin', 'sha256:' || lpad(to_hex(k), 64, '0'), 'sha256:' || lpad(to_hex(k + 1000000), 64, '0'), lpad(to_hex(k + 2000000), 64, '0'),
		       'analyzed', 'amd64', 'debian', '12', 'Guessed', 120000000, 5, 3, (k % 50 = 0)::int, k % 17, '{"team": "one"}',
		       now() - k * interval '1 minute', now(), now() FROM generate_series(1, $1::int) k`, []any{images}},
		{`INSERT INTO image_tags (image, account, registry, repository, tag, dockerfile, detected_at, created_at)
		SELECT pk, account, 'registry.test', 'team/app-' || (pk % 997), 'v' || (pk % 100), encode(convert_to(repeat('RUN something; ', 10), 'utf8'), 'base64'),
		       created_at, created_at FROM images`, nil},
		{`INSERT INTO packages (image, key, name, version, type, class) SELECT pk, n, n, '5.2-' || pk % 9, 'dpkg', 'os' FROM images, unnest(ARRAY['bash', 'curl', 'only-' || pk]) n`, nil},
		{`INSERT INTO matches (image, package_key, package, version, package_type, path, vuln, severity, feed, feed_group, namespace)
		SELECT pk, 'curl', 'curl', '5.2-' || pk % 9, 'dpkg', 'pkgdb', 'CVE-2026-' || lpad((pk % 100)::text, 4, '0'), 'High', 'vulnerabilities', 'debian:12', 'debian:distro:debian:12' FROM images`, nil},
		{`INSERT INTO events (id, account, type, level, message, details, at, resource_type, resource_id, service, host, base_url)
		SELECT md5(i::text), CASE WHEN i % 50 = 0 THEN 'team' ELSE 'admin' END,
		       CASE WHEN i % 100 = 0 THEN 'user.image.analysis.failed' WHEN i % 3 = 0 THEN 'user.image.analysis.completed'
		            WHEN i % 3 = 1 THEN 'system.feeds.sync.feed_started' ELSE 'system.feeds.sync.feed_completed' END,
		       CASE WHEN i % 100 = 0 THEN 'error' ELSE 'info' END, 'A message of usual length, with nothing special', '{"cause": "nothing to tell"}',
		       '2026-01-01T00:00:00Z'::timestamptz + i * interval '100 ms', CASE WHEN i % 3 = 0 THEN 'image_tag' ELSE 'feed' END,
		       'docker.io/team/app:' || i % 100000, CASE WHEN i % 200001 = 7 THEN 'catalog' WHEN i % 3 = 0 THEN 'analyzer' ELSE 'policy_engine' END,
		       'host-' || i % 3, 'http://127.0.0.1:8084' FROM generate_series(1, $1::int) i`, []any{events}},
	} {
		run(q.sql, q.args...)
	}
	for _, i := range indexes {
		run(i.Definition)
	}
	run(`VACUUM ANALYZE`)
	run(`CHECKPOINT`)
	report(fmt.Sprintf("(filling tables: %d images, %d events)", images, events), time.Since(began))
}

func (c *child) basic() http.Header {
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("admin:"+c.password))}}
}

// signIn is the header of a browser that is signed in to the console.
func (c *child) signIn(t *testing.T) http.Header {
	t.Helper()
	form := strings.NewReader(url.Values{"user": {"admin"}, "password": {c.password}}.Encode())
	req, err := http.NewRequest(http.MethodPost, c.console+"/login", form)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", c.console)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	h := http.Header{}
	for _, k := range resp.Cookies() {
		h.Add("Cookie", k.Name+"="+k.Value)
	}
	return h
}

// percentiles asks for each address two hundred times (thirty where there is no
// limit), in turn, and prints the worst address's.
func (c *child) percentiles(t *testing.T, what string, limit int, header http.Header, paths ...string) {
	t.Helper()
	type figure struct {
		path     string
		p50, p99 time.Duration
	}
	var worst figure
	rounds := 210
	if limit == 0 {
		rounds = 40
	}
	for _, p := range paths {
		base := c.api
		if !strings.HasPrefix(p, "/v1/") {
			base = c.console
		}
		var took []time.Duration
		for n := range rounds {
			began := time.Now()
			c.read(t, base+p, header)
			if n >= 10 { // plans and caches are warm in a server that runs
				took = append(took, time.Since(began))
			}
		}
		slices.Sort(took)
		f := figure{p, took[len(took)/2], took[len(took)*99/100]}
		if os.Getenv("WINDLASS_BENCH_VERBOSE") != "" {
			fmt.Printf("    %-60s p50 %8s p99 %8s\n", p, f.p50.Round(100*time.Microsecond), f.p99.Round(100*time.Microsecond))
		}
		if f.p99 > worst.p99 {
			worst = f
		}
	}
	bound := ""
	if limit > 0 {
		bound = fmt.Sprintf(" (limit %d ms)", limit)
	}
	fmt.Printf("%-60s p50 %8s  p99 %8s%s  worst: %s\n", what, worst.p50.Round(100*time.Microsecond), worst.p99.Round(100*time.Microsecond), bound, worst.path)
}

func (c *child) read(t *testing.T, address string, header http.Header) int64 {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = header
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s = %d, %v", address, resp.StatusCode, err)
	}
	return n
}

// wholeList reads the list of all images, which v1 does not page: the time to
// the first byte of twenty, and one of them to the end.
func (c *child) wholeList(t *testing.T) (first, whole time.Duration, size int64) {
	t.Helper()
	var took []time.Duration
	for range 20 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.api+"/v1/images", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = c.basic()
		began := time.Now()
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		took = append(took, time.Since(began))
		resp.Body.Close() // enough seen
	}
	slices.Sort(took)
	began := time.Now()
	size = c.read(t, c.api+"/v1/images", c.basic())
	return took[len(took)*99/100], time.Since(began), size
}

// throughput reads single images over so many connections for five seconds.
// The client is bare: what it spends is taken from the server's two cores.
func (c *child) throughput(t *testing.T, conns int) {
	t.Helper()
	const length = 5 * time.Second
	var mu sync.Mutex
	var took []time.Duration
	var all sync.WaitGroup
	stop := time.Now().Add(length)
	for n := range conns {
		all.Go(func() {
			conn, err := net.Dial("tcp", strings.TrimPrefix(c.api, "http://"))
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			r := bufio.NewReader(conn)
			var mine []time.Duration
			for k := n; time.Now().Before(stop); k += conns {
				began := time.Now()
				fmt.Fprintf(conn, "GET /v1/images/sha256:%064x HTTP/1.1\r\nHost: bench\r\nAuthorization: %s\r\n\r\n", 1+k*37%1000, c.basic().Get("Authorization"))
				resp, err := http.ReadResponse(r, nil)
				if err != nil || resp.StatusCode != http.StatusOK {
					t.Errorf("%v, %v", resp, err)
					return
				}
				io.Copy(io.Discard, resp.Body)
				mine = append(mine, time.Since(began))
			}
			mu.Lock()
			defer mu.Unlock()
			took = append(took, mine...)
		})
	}
	all.Wait()
	slices.Sort(took)
	if len(took) == 0 {
		t.Fatal("no answers")
	}
	fmt.Printf("%-60s %6.0f a second (limit 2000)  p50 %s  p99 %s\n", fmt.Sprintf("GET /v1/images/{digest}, %d connections", conns),
		float64(len(took))/length.Seconds(), took[len(took)/2].Round(100*time.Microsecond), took[len(took)*99/100].Round(100*time.Microsecond))
}
