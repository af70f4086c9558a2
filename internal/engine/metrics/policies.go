package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// policySet is the figures of policy evaluations.
type policySet struct {
	took   *prometheus.HistogramVec
	looked *prometheus.HistogramVec
	counts map[string]prometheus.Counter // by outcome of a look at what is kept
	missed prometheus.Counter
}

func newPolicySet(r *prometheus.Registry) *policySet {
	p := &policySet{
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "anchore_policy_evaluation_time_seconds", Help: "Time a bundle took to judge an image.", Buckets: prometheus.DefBuckets,
		}, []string{"status"}),
		looked: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "anchore_policy_evaluation_cache_access_latency", Help: "Time it took to look for a kept evaluation.", Buckets: prometheus.DefBuckets,
		}, []string{"status"}),
		missed: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "anchore_policy_evaluation_cache_misses_total", Help: "Evaluations that had to be made.",
		}),
		counts: map[string]prometheus.Counter{},
	}
	r.MustRegister(p.took, p.looked, p.missed)
	for outcome, about := range map[string][2]string{
		"hit":      {"hits", "Evaluations that were kept and still hold."},
		"notfound": {"misses_notfound", "Evaluations that were never made before."},
		"stale":    {"misses_stale", "Kept evaluations of an image of which other things are known now."},
		"invalid":  {"misses_invalid", "Kept evaluations by another content of the bundle."},
	} {
		c := prometheus.NewCounter(prometheus.CounterOpts{Name: "anchore_policy_evaluation_cache_" + about[0] + "_total", Help: about[1]})
		r.MustRegister(c)
		p.counts[outcome] = c
	}
	return p
}

// Evaluation counts one evaluation of an image by a bundle.
func (s *Set) Evaluation(took time.Duration, ok bool) {
	status := "fail"
	if ok {
		status = "success"
	}
	s.policies.took.WithLabelValues(status).Observe(took.Seconds())
}

// EvaluationCache counts a look at what is kept of evaluations: hit, notfound,
// stale or invalid.
func (s *Set) EvaluationCache(outcome string, took time.Duration) {
	if c := s.policies.counts[outcome]; c != nil {
		c.Inc()
	}
	status := "hit"
	if outcome != "hit" {
		status = "miss"
		s.policies.missed.Inc()
	}
	s.policies.looked.WithLabelValues(status).Observe(took.Seconds())
}
