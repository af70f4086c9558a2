//go:build bench

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"windlass/internal/engine/enginetest"
)

// crowd is how many images wait when the workers' throughput is measured.
const crowd = 10

// TestBenchAnalyses measures what analyses take beside their time: the memory
// of their processes and of the program, and what a second worker is worth.
func TestBenchAnalyses(t *testing.T) {
	bin, err := filepath.Abs("../../bin/console")
	if err != nil {
		t.Fatal(err)
	}
	feed := httptest.NewServer(http.FileServer(http.Dir(enginetest.Shared(t, "data/feed"))))
	defer feed.Close()
	reg := enginetest.Registry(t)
	archive := enginetest.Shared(t, "data/images/debian12-app.oci.tar")
	app := reg.PushArchive(t, "debian12-app:latest", archive)
	large := reg.Push(t, "large:latest", largeImage(t))
	images := similar(t, reg, archive)

	dir := dataDir(t)
	c := startChild(t, bin, dir, feed.URL, "--analyzers=1")
	c.awaitUp(t)
	c.awaitFeeds(t)
	c.settle(t)
	for _, image := range []struct{ name, ref string }{
		{"debian12-app", app}, {"100,000 files, 7,000 packages", large},
	} {
		c.forgetPeak(t)
		before := c.peaks(t)
		took := c.analyze(t, image.ref, false)
		fmt.Printf("%-52s %9s  peak of its process %4.0f MB (limit 600 MB), of the program %4.0f MB\n", "analysis of "+image.name,
			took.Round(time.Millisecond), (c.peaks(t)-before)/1e6, float64(c.highWater(t))/1e6)
	}
	one := c.crowd(t, images, false)
	c.stop()

	c = startChild(t, bin, dir, feed.URL, "--analyzers=2")
	c.awaitUp(t)
	c.settle(t)
	two := c.crowd(t, images, true)
	c.stop()
	fmt.Printf("%-52s %9s  two %9s  %.2f times the throughput\n", fmt.Sprintf("%d images, one worker", crowd),
		one.Round(time.Millisecond), two.Round(time.Millisecond), one.Seconds()/two.Seconds())
}

// crowd adds images at once and waits until all are analyzed.
func (c *child) crowd(t *testing.T, images []string, force bool) time.Duration {
	t.Helper()
	began := time.Now()
	var digests []string
	var list []struct {
		Digest string `json:"imageDigest"`
		State  string `json:"analysis_status"`
	}
	for _, image := range images {
		if code := c.call(t, http.MethodPost, "/images?force="+strconv.FormatBool(force), fmt.Sprintf(`{"tag":%q}`, image), &list); code != http.StatusOK {
			t.Fatalf("POST /images = %d", code)
		}
		digests = append(digests, list[0].Digest)
	}
	for _, d := range digests {
		for {
			c.call(t, http.MethodGet, "/images/"+d, "", &list)
			if list[0].State == "analysis_failed" {
				t.Fatal("the analysis failed")
			}
			if list[0].State == "analyzed" {
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
	return time.Since(began)
}

var rePeaks = regexp.MustCompile(`anchore_analysis_peak_memory_bytes_sum\{status="success"\} (\S+)`)

// peaks is the sum of the peaks of all analyses so far.
func (c *child) peaks(t *testing.T) float64 {
	t.Helper()
	resp, err := http.Get(c.console + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := strconv.ParseFloat(find(rePeaks, string(text)), 64)
	return n
}

// forgetPeak has the kernel begin anew with the program's peak.
func (c *child) forgetPeak(t *testing.T) {
	t.Helper()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", c.cmd.Process.Pid), []byte("5"), 0); err != nil {
		t.Log(err)
	}
}

func (c *child) highWater(t *testing.T) int64 {
	t.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	kb, _ := strconv.ParseInt(find(regexp.MustCompile(`VmHWM:\s+(\d+) kB`), string(raw)), 10, 64)
	return kb << 10
}

// similar are images of the same content, each a little different.
func similar(t *testing.T, reg *enginetest.TestRegistry, archive string) (refs []string) {
	t.Helper()
	index, err := layout.ImageIndexFromPath(enginetest.Untar(t, archive))
	if err != nil {
		t.Fatal(err)
	}
	m, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	img, err := index.Image(m.Manifests[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	for n := range crowd {
		layers, err := enginetest.Image(t, enginetest.Files{"srv/number": strconv.Itoa(n)}).Layers()
		if err != nil {
			t.Fatal(err)
		}
		one, err := mutate.AppendLayers(img, layers...)
		if err != nil {
			t.Fatal(err)
		}
		refs = append(refs, reg.Push(t, fmt.Sprintf("crowd/%d:1", n), one))
	}
	return refs
}

// largeImage is larger than what people build: 100,000 files, 5,000 packages of
// a distribution, 2,000 of an application.
func largeImage(t *testing.T) v1.Image {
	t.Helper()
	var status strings.Builder
	base := enginetest.Files{"etc/os-release": "ID=debian\nVERSION_ID=\"12\"\n"}
	for n := range 5000 {
		fmt.Fprintf(&status, "Package: lib%d\nStatus: install ok installed\nArchitecture: amd64\nMaintainer: Some One <one@example.org>\nInstalled-Size: 42\nVersion: 1.%d-1\nDescription: a library\n\n", n, n)
		base[fmt.Sprintf("var/lib/dpkg/info/lib%d.list", n)] = fmt.Sprintf("/.\n/usr\n/usr/lib/lib%d.so\n", n)
		base[fmt.Sprintf("var/lib/dpkg/info/lib%d.md5sums", n)] = fmt.Sprintf("%032x  usr/lib/lib%d.so\n", n, n)
		base[fmt.Sprintf("usr/lib/lib%d.so", n)] = strings.Repeat(strconv.Itoa(n), 500)
	}
	base["var/lib/dpkg/status"] = status.String()
	app := enginetest.Files{}
	for n := range 2000 {
		dir := fmt.Sprintf("app/node_modules/module%d/", n)
		app[dir+"package.json"] = fmt.Sprintf(`{"name":"module%d","version":"1.%d.0","license":"MIT","author":"somebody"}`, n, n)
		for f := range 40 {
			app[dir+fmt.Sprintf("lib/file%d.js", f)] = fmt.Sprintf("exports.n = %d;\n", n*f)
		}
	}
	return enginetest.Image(t, base, app)
}
