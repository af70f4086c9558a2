package present

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

var stageNames = map[engine.FeedStage]string{
	engine.FeedCheck: "Check", engine.FeedDownload: "Download", engine.FeedVerify: "Verify", engine.FeedUnpack: "Unpack",
	engine.FeedIndex: "Index", engine.FeedActivate: "Activate", engine.FeedRematch: "Rematch images",
}

// feedRun shows a sync under way: its step, how far it is and how fast, and
// when all images will be matched if it goes as the last time.
func feedRun(s engine.FeedSync, st engine.FeedStatus, c Clock) *view.FeedRun {
	v := &view.FeedRun{Title: triggerName(s.Trigger), Source: s.Source, Stages: stages(s.Trigger, s.Stage), Cancel: true, Host: s.Host}
	v.Meter = view.Meter{Label: stageNames[s.Stage], Value: s.Done, Max: s.Total, Text: stageNames[s.Stage]}
	facts := []string{Span(c.Now.Sub(s.StartedAt)) + " so far"}
	spent := c.Now.Sub(s.StageAt)
	var rest time.Duration
	if s.Total > 0 {
		v.Meter.Text = fmt.Sprintf("%s of %s", Bytes(s.Done), Bytes(s.Total))
		if s.Done > 0 && spent > 300*time.Millisecond {
			rate := float64(s.Done) / spent.Seconds()
			facts = append(facts, Bytes(int64(rate))+"/s")
			if s.Done < s.Total {
				rest = time.Duration(float64(s.Total-s.Done) / rate * float64(time.Second))
				facts = append(facts, "about "+Span(max(rest, time.Second))+" left in this step")
			}
		}
	}
	if left := leftAfter(s, st, spent, rest); left > 0 {
		facts = append(facts, "about "+Span(max(left, time.Second))+" until all images are matched, judging by the last time")
	}
	v.Facts = strings.Join(facts, ", ")
	return v
}

// stages marks what is done and what is going on. What a sync of that kind
// does not do is left out: an upload downloads nothing, and the data that is
// gone back to is installed unless it has to be brought from elsewhere.
func stages(trigger string, now engine.FeedStage) []view.FeedStage {
	first := engine.FeedCheck
	switch {
	case trigger == "upload", trigger == "starter":
		first = engine.FeedVerify
	case trigger == "rollback":
		first = engine.FeedActivate
	}
	at := slices.Index(engine.FeedStages, first)
	if i := slices.Index(engine.FeedStages, now); i >= 0 {
		at = min(at, i)
	}
	var list []view.FeedStage
	passed := true
	for _, st := range engine.FeedStages[at:] {
		step := view.FeedStage{Name: stageNames[st]}
		switch {
		case st == now:
			step.State, passed = "now", false
		case passed:
			step.State = "done"
		}
		list = append(list, step)
	}
	return list
}

// leftAfter estimates how long it is until a sync's images are matched: the
// rest of its step by the step's own rate, what comes after it as the newest
// complete sync took. 0: nobody knows.
func leftAfter(s engine.FeedSync, st engine.FeedStatus, spent, rest time.Duration) time.Duration {
	for _, old := range st.Syncs {
		if old.Status != "success" || len(old.Steps) == 0 || old.ID == s.ID {
			continue
		}
		took := map[engine.FeedStage]time.Duration{}
		for _, step := range old.Steps {
			took[step.Stage] += step.Took
		}
		if !old.MatchedAt.IsZero() {
			took[engine.FeedRematch] = old.MatchedAt.Sub(old.EndedAt)
		}
		if rest == 0 {
			rest = max(took[s.Stage]-spent, 0)
		}
		after := false
		for _, stage := range engine.FeedStages {
			if after {
				rest += took[stage]
			}
			after = after || stage == s.Stage
		}
		return rest
	}
	return 0
}

// rematchRun shows the images being matched, as the last step of the sync that
// brought the data, or on its own when a feed or group was switched.
func rematchRun(st engine.FeedStatus, c Clock) *view.FeedRun {
	r := st.Rematch
	v := &view.FeedRun{Title: "Matching images again", Queue: "/queue?queue=image_vulnerabilities", Pace: "Until its turn comes, an image shows the matches of before."}
	for _, s := range st.Syncs {
		// Both times are those of one transaction.
		if s.Status == "success" && s.Data == r.Data && s.EndedAt.Equal(r.StartedAt) {
			v.Title, v.Source, v.Host, v.Stages = triggerName(s.Trigger), s.Source, s.Host, stages(s.Trigger, engine.FeedRematch)
		}
	}
	v.Meter = view.Meter{Label: "Images matched", Value: r.Done, Max: r.Total, Text: Count(r.Done) + " of " + Plural(r.Total, "image", "images")}
	took := c.Now.Sub(r.StartedAt)
	facts := []string{Span(took) + " so far"}
	if r.Done > 0 && took > time.Second {
		rate := float64(r.Done) / took.Seconds()
		facts = append(facts, ratePerSecond(rate), "about "+Span(max(time.Duration(float64(r.Total-r.Done)/rate*float64(time.Second)), time.Second))+" left")
	}
	if r.Changed > 0 {
		facts = append(facts, Plural(r.Changed, "image has", "images have")+" changed")
	}
	v.Facts = strings.Join(facts, ", ")
	return v
}

func ratePerSecond(rate float64) string {
	if rate < 10 {
		return fmt.Sprintf("%.1f images/s", rate)
	}
	return Count(int64(rate)) + " images/s"
}

// rematch says what the last one came to.
func rematch(r engine.Rematch) string {
	if r.Data == "" || r.Total == 0 || r.EndedAt.IsZero() {
		return ""
	}
	return Plural(r.Total, "image", "images") + " matched again in " + Span(r.EndedAt.Sub(r.StartedAt)) + "; " + Plural(r.Changed, "image has", "images have") + " changed."
}
