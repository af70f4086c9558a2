package metrics_test

import (
	"context"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/metrics"
)

func scrape(s *metrics.Set) string {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

func TestFigures(t *testing.T) {
	queues := func(context.Context) ([]engine.QueueStat, error) {
		return []engine.QueueStat{{Queue: engine.QueueAnalyze, Waiting: 7}}, nil
	}
	s := metrics.New(queues, engine.APIExt, engine.Analyzer)
	s.Analysis(engine.Run{Took: 12 * time.Second, Peak: 250e6}, true)
	s.Analysis(engine.Run{Took: time.Second}, false)
	s.Request("GET", "/images/{imageDigest}", 200, time.Millisecond)
	text := scrape(s)
	for _, want := range []string{
		`anchore_queue_length{queuename="images_to_analyze"} 7`,
		`anchore_analysis_success_total 1`,
		`anchore_analysis_error_total 1`,
		`anchore_analysis_time_seconds_bucket{status="success",le="30"} 1`,
		`anchore_analysis_peak_memory_bytes_bucket{status="success",le="3e+08"} 1`,
		`anchore_service_info{servicename="analyzer",version="1.1.0"} 1`,
		`flask_http_request_total{method="GET",status="200"} 1`,
		`flask_http_request_duration_seconds_count{method="GET",path="/images/{imageDigest}",status="200"} 1`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
}

func TestOtherFiguresStayWithoutDatabase(t *testing.T) {
	s := metrics.New(func(context.Context) ([]engine.QueueStat, error) { return nil, errors.New("away") }, engine.APIExt)
	if text := scrape(s); !strings.Contains(text, "anchore_service_info") {
		t.Errorf("nothing left:\n%.300s", text)
	}
}
