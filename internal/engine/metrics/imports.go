package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// importSet counts images that were analyzed elsewhere. They count as analyses
// too.
type importSet struct {
	took *prometheus.HistogramVec
	done prometheus.Counter
}

func newImportSet(r prometheus.Registerer) *importSet {
	s := &importSet{
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "anchore_import_time_seconds", Help: "Time an image's import took.", Buckets: analysisBuckets,
		}, []string{"status"}),
		done: prometheus.NewCounter(prometheus.CounterOpts{Name: "anchore_import_success_total", Help: "Imports that succeeded."}),
	}
	r.MustRegister(s.took, s.done)
	return s
}

// Import counts one import that ended.
func (s *Set) Import(took time.Duration, ok bool) {
	if ok {
		s.imports.done.Inc()
		s.imports.took.WithLabelValues("success").Observe(took.Seconds())
		return
	}
	s.imports.took.WithLabelValues("fail").Observe(took.Seconds())
}
