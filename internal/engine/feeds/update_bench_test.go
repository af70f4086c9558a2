package feeds_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/anchore/clio"
	"github.com/anchore/grype/grype/db/v6/distribution"
	"github.com/anchore/grype/grype/db/v6/installation"

	"windlass/internal/engine/enginetest"
	"windlass/internal/engine/feeds"
)

// BenchmarkUpdate installs a real feed, as the reference tool's own library
// does and as this package does. Beside the wall clock it tells the processor
// time, which other work on the machine does not move.
func BenchmarkUpdate(b *testing.B) {
	src := httptest.NewServer(http.FileServer(http.Dir(enginetest.Shared(b, "data/feed"))))
	defer src.Close()
	b.Run("reference", func(b *testing.B) {
		for b.Loop() {
			began := cpu()
			id := clio.Identification{Name: "bench", Version: "1"}
			dc := distribution.DefaultConfig()
			dc.ID, dc.LatestURL, dc.RequireUpdateCheck = id, src.URL, true
			cl, err := distribution.NewClient(dc)
			if err != nil {
				b.Fatal(err)
			}
			ic := installation.DefaultConfig(id)
			ic.DBRootDir, ic.ValidateAge, ic.UpdateCheckMaxFrequency = b.TempDir(), false, 0
			cur, err := installation.NewCurator(ic, cl)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := cur.Update(); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric((cpu() - began).Seconds(), "cpu-s/op")
		}
	})
	b.Run("here", func(b *testing.B) {
		s := enginetest.Store(b)
		for b.Loop() {
			began := cpu()
			svc := feeds.New(feeds.Config{Dir: b.TempDir(), URL: src.URL}, s, slog.New(slog.DiscardHandler))
			if _, err := svc.Sync(b.Context(), feeds.Manual, false); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric((cpu() - began).Seconds(), "cpu-s/op")
		}
	})
}

func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
