package present

import (
	"fmt"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// The chart of a queue shows a day in half hours.
const (
	ChartSpan  = 30 * time.Minute
	chartSpans = 48
)

// ChartSince is where the chart begins.
func ChartSince(now time.Time) time.Time {
	return now.UTC().Truncate(ChartSpan).Add(-(chartSpans - 1) * ChartSpan)
}

// queueChart draws how deep a queue was and what ended in it. Both have their
// own scale: how many wait says nothing of how many are done.
func queueChart(in QueueIn, c Clock) view.QueueChart {
	by := map[int64]engine.QueueSample{}
	var deepest, busiest, done, failed int64
	for _, s := range in.History {
		by[s.At.Unix()] = s
		deepest, busiest = max(deepest, s.Waiting), max(busiest, s.Done+s.Failed)
		done, failed = done+s.Done, failed+s.Failed
	}
	v := view.QueueChart{Name: QueueName(in.Charted()), Max: Count(deepest), Done: Count(done), Failed: Count(failed), Empty: deepest == 0 && busiest == 0}
	first := ChartSince(c.Now)
	for i := range chartSpans {
		at := first.Add(time.Duration(i) * ChartSpan)
		s := by[at.Unix()]
		b := view.QueueBar{Title: fmt.Sprintf("%s: at most %s waiting, %s done, %s failed", at.In(c.zone()).Format("15:04"), Count(s.Waiting), Count(s.Done), Count(s.Failed))}
		if deepest > 0 {
			b.Depth = length(s.Waiting, deepest)
		}
		if busiest > 0 {
			b.Done, b.Failed = length(s.Done, busiest), length(s.Failed, busiest)
		}
		v.Bars = append(v.Bars, b)
	}
	v.Text = fmt.Sprintf("The last 24 hours of the queue %s: at most %s waiting, %s done, %s failed", v.Name, v.Max, v.Done, v.Failed)
	return v
}
