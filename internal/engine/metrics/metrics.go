// Package metrics holds the engine's figures under the names that dashboards
// for this API know. One set serves all services of a process; figures that
// stand in the database are read when they are asked for.
package metrics

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"windlass/internal/engine"
)

// analysisBuckets are the seconds of v1's histogram of analyses.
var analysisBuckets = []float64{1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600}

// peakBuckets are the bytes of the histogram of their memory.
var peakBuckets = []float64{100e6, 200e6, 300e6, 400e6, 600e6, 800e6, 1.2e9, 1.6e9, 2.4e9, 4.8e9}

// queueTimeout bounds how long a scrape waits for the database.
const queueTimeout = 2 * time.Second

// Queues tells the state of the queues.
type Queues func(ctx context.Context) ([]engine.QueueStat, error)

// Set is the figures of one process.
type Set struct {
	registry *prometheus.Registry
	analyses *prometheus.HistogramVec
	peaks    *prometheus.HistogramVec
	done     prometheus.Counter
	failed   prometheus.Counter
	requests *prometheus.HistogramVec
	replies  *prometheus.CounterVec
	policies *policySet
	imports  *importSet
}

// New makes the figures of a process that runs the named services.
func New(queues Queues, services ...string) *Set {
	s := &Set{
		registry: prometheus.NewRegistry(),
		analyses: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "anchore_analysis_time_seconds", Help: "Time an image's analysis took.", Buckets: analysisBuckets,
		}, []string{"status"}),
		peaks: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "anchore_analysis_peak_memory_bytes", Help: "Memory that the process of an analysis held at most.", Buckets: peakBuckets,
		}, []string{"status"}),
		done:   prometheus.NewCounter(prometheus.CounterOpts{Name: "anchore_analysis_success_total", Help: "Analyses that succeeded."}),
		failed: prometheus.NewCounter(prometheus.CounterOpts{Name: "anchore_analysis_error_total", Help: "Analyses that failed."}),
		requests: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "flask_http_request_duration_seconds", Help: "Time an API request took.", Buckets: prometheus.DefBuckets,
		}, []string{"method", "path", "status"}),
		replies: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flask_http_request_total", Help: "API requests.",
		}, []string{"method", "status"}),
	}
	s.policies = newPolicySet(s.registry)
	s.imports = newImportSet(s.registry)
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "anchore_service_info", Help: "Services of this process."},
		[]string{"version", "servicename"})
	for _, name := range services {
		info.WithLabelValues(engine.Version, name).Set(1)
	}
	s.registry.MustRegister(s.analyses, s.peaks, s.done, s.failed, s.requests, s.replies, info,
		queueCollector{queues}, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return s
}

// Handler shows the figures as Prometheus reads them.
func (s *Set) Handler() http.Handler {
	return promhttp.HandlerFor(s.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Gatherer gives the figures to others who show them.
func (s *Set) Gatherer() prometheus.Gatherer { return s.registry }

// Analysis counts one attempt at an analysis that ended.
func (s *Set) Analysis(run engine.Run, ok bool) {
	status := "success"
	if ok {
		s.done.Inc()
	} else {
		s.failed.Inc()
		status = "fail"
	}
	s.analyses.WithLabelValues(status).Observe(run.Took.Seconds())
	if run.Peak > 0 {
		s.peaks.WithLabelValues(status).Observe(float64(run.Peak))
	}
}

// Request counts one API request. Path is the operation's, not the request's,
// so that there are no more series than operations.
func (s *Set) Request(method, path string, code int, took time.Duration) {
	status := strconv.Itoa(code)
	s.requests.WithLabelValues(method, path, status).Observe(took.Seconds())
	s.replies.WithLabelValues(method, status).Inc()
}

// queueCollector reads the queues at each scrape.
type queueCollector struct{ queues Queues }

var queueLength = prometheus.NewDesc("anchore_queue_length", "Messages that wait in a queue.", []string{"queuename"}, nil)

func (queueCollector) Describe(ch chan<- *prometheus.Desc) { ch <- queueLength }

func (c queueCollector) Collect(ch chan<- prometheus.Metric) {
	if c.queues == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), queueTimeout)
	defer cancel()
	stats, err := c.queues(ctx)
	if err != nil {
		ch <- prometheus.NewInvalidMetric(queueLength, err)
		return
	}
	for _, q := range stats {
		ch <- prometheus.MustNewConstMetric(queueLength, prometheus.GaugeValue, float64(q.Waiting), q.Queue)
	}
}
