package present

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// Sizes of the charts, in units of their drawing.
const (
	chartWidth  = 600
	chartHeight = 64
	deltaHeight = 48
)

// feedChart draws how long each sync of a page of the history took and, under
// it, by how many records it changed the data; the oldest comes first.
func feedChart(list []engine.FeedSync) *view.FeedChart {
	var longest time.Duration
	var largest int64
	var ended []engine.FeedSync
	for _, s := range list {
		if s.EndedAt.IsZero() {
			continue
		}
		ended = append(ended, s)
		longest = max(longest, s.EndedAt.Sub(s.StartedAt))
		largest = max(largest, shownDelta(s), -shownDelta(s))
	}
	if len(ended) < 2 {
		return nil
	}
	v := &view.FeedChart{Longest: Span(longest)}
	if largest > 0 {
		v.Largest = Count(largest)
	}
	step := chartWidth / max(len(ended), 8)
	for i := range ended {
		s := ended[len(ended)-1-i]
		took := s.EndedAt.Sub(s.StartedAt)
		title := fmt.Sprintf("%s UTC, %s: %s", s.StartedAt.UTC().Format(exactLayout), syncPill(s).Text, Span(took))
		if steps := stepsText(s.Steps); steps != "" {
			title += " (" + steps + ")"
		}
		h := max(3, int(float64(chartHeight)*float64(took)/float64(max(longest, 1))))
		bar := view.FeedBar{X: strconv.Itoa(i * step), Y: strconv.Itoa(chartHeight - h), W: strconv.Itoa(max(step-4, 2)), H: strconv.Itoa(h), Class: barClass(s), Title: title}
		v.Bars = append(v.Bars, bar)
		if d := shownDelta(s); d != 0 && largest > 0 {
			h := max(2, int(float64(deltaHeight/2)*float64(max(d, -d))/float64(largest)))
			y, class := deltaHeight/2-h, "f-ok"
			if d < 0 {
				y, class = deltaHeight/2, "f-h"
			}
			v.Deltas = append(v.Deltas, view.FeedBar{X: bar.X, Y: strconv.Itoa(y), W: bar.W, H: strconv.Itoa(h), Class: class,
				Title: fmt.Sprintf("%s UTC: %s records", s.StartedAt.UTC().Format(exactLayout), change(d).Text)})
		}
	}
	return v
}

// shownDelta leaves out the first data there was: all of it would be new.
func shownDelta(s engine.FeedSync) int64 {
	if s.Status != "success" || s.Delta == s.Records {
		return 0
	}
	return s.Delta
}

func barClass(s engine.FeedSync) string {
	switch s.Status {
	case "failure":
		return "f-c"
	case "unchanged":
		return "f-n"
	case "cancelled":
		return "f-none"
	}
	return "f-info"
}

// stepsText says how long each stage took that took any time.
func stepsText(list []engine.FeedStep) string {
	var parts []string
	for _, s := range list {
		if s.Took >= 50*time.Millisecond {
			parts = append(parts, strings.ToLower(stageNames[s.Stage])+" "+Span(s.Took))
		}
	}
	return strings.Join(parts, ", ")
}
