package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
)

func BenchmarkWrite(b *testing.B) {
	s := open(b, Options{})
	log := s.Logger(engine.Catalog).With("digest", "sha256:0be667e0")
	b.ReportAllocs()
	for i := range b.N {
		log.Info("layer fetched", "n", i, "bytes", 29127341, "took", 412*time.Millisecond)
	}
}

// BenchmarkFollow writes 50,000 lines a second for some seconds, over
// rotations at the real limits, and reports what a follower lost and how long
// after its writing a line reached it.
func BenchmarkFollow(b *testing.B) {
	const rate, seconds = 50_000, 4
	for range b.N {
		s := open(b, Options{})
		end, err := s.Tail(b.Context(), engine.LogQuery{})
		if err != nil {
			b.Fatal(err)
		}
		go pace(b.Context(), s.Logger(engine.Catalog), rate, rate*seconds)
		var late []time.Duration
		next, wrong, skipped := 0, 0, 0
		err = s.Follow(b.Context(), engine.LogQuery{}, end.Last, func(f engine.LogFrame) error {
			now := time.Now().UnixNano()
			skipped += f.Skipped
			next += f.Skipped
			for _, l := range f.Lines {
				if number(l) != next {
					wrong++
				}
				next++
				sent, _ := strconv.ParseInt(l.Text[strings.LastIndex(l.Text, "t=")+2:], 10, 64)
				late = append(late, time.Duration(now-sent))
			}
			if next >= rate*seconds {
				return errEnough
			}
			return nil
		})
		if !errors.Is(err, errEnough) {
			b.Fatal(err)
		}
		slices.Sort(late)
		files, err := s.Files()
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(wrong), "lost")
		b.ReportMetric(float64(skipped), "skipped")
		b.ReportMetric(float64(len(files)-len(engine.ServiceNames)), "rotations")
		b.ReportMetric(float64(late[len(late)/2].Microseconds())/1000, "p50-ms")
		b.ReportMetric(float64(late[len(late)*99/100].Microseconds())/1000, "p99-ms")
	}
}

// pace writes n lines, rate a second.
func pace(ctx context.Context, log *slog.Logger, rate, n int) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	for i := 0; i < n; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for due := int(time.Since(began).Seconds() * float64(rate)); i < due && i < n; i++ {
			log.Info("something happened to a thing", "digest", "sha256:0be667e0", "n", i, "t", time.Now().UnixNano())
		}
	}
}

// BenchmarkTail opens a file of 1 GiB at its end, in its middle by time, and
// through a search that finds nothing.
func BenchmarkTail(b *testing.B) {
	s := open(b, Options{})
	f, err := os.Create(s.path(engine.LogFileNames[engine.Catalog]))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	var lines bytes.Buffer
	at := began
	for written := 0; written < 1<<30; written += lines.Len() {
		for lines.Reset(); lines.Len() < 1<<20; at = at.Add(time.Millisecond) {
			fmt.Fprintf(&lines, "%s [-] [catalog] [catalog/Run()] [INFO] something happened to a thing digest=sha256:0be667e0 n=%d\n", at.Format(timeLayout), written)
		}
		if _, err := f.Write(lines.Bytes()); err != nil {
			b.Fatal(err)
		}
	}
	tests := map[string]engine.LogQuery{
		"last 1000":           {Limit: 1000},
		"1000 before a time":  {Limit: 1000, Before: began.Add(at.Sub(began) / 2)},
		"1000 after a time":   {Limit: 1000, Since: began.Add(at.Sub(began) / 2), Oldest: true},
		"search a whole stop": {Text: "not there"},
	}
	for name, q := range tests {
		q.Services = []string{engine.Catalog}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				if _, err := s.Tail(b.Context(), q); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
