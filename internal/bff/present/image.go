package present

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// OverviewIn is what the overview of an image is made of; documents that are
// not there are nil.
type OverviewIn struct {
	Image      engine.Image
	Verdicts   []engine.ImageVerdict // what the active bundle said last
	Timeline   []engine.StateEntry
	Config     []byte // the image's configuration
	History    []byte // as the v1 API has it
	Dockerfile []byte
}

// ImageOverview shapes the first tab.
func ImageOverview(in OverviewIn, c Clock) *view.ImageOverview {
	i := in.Image
	v := &view.ImageOverview{Timeline: timeline(in.Timeline, c), Docker: strings.TrimRight(printable(in.Dockerfile, maxText), "\n")}
	if i.Progress != nil && i.State == engine.Analyzing {
		v.Progress = imageProgress(*i.Progress, c)
	}
	if i.Failure != nil && (i.State == engine.Failed || i.State == engine.NotAnalyzed) {
		v.Failure = imageFailure(i, c)
	}
	if i.State == engine.Analyzed && i.MatchedWith != "" {
		path := ImageHref(i.Digest) + "?tab=vulnerabilities"
		bar := SevBar(i.Severities, func(name string) string { return path + "&severity=" + name })
		v.Sevs = &bar
		v.Summary = []view.Fact{
			{Name: "Vulnerabilities", Text: Count(i.Severities.Total()), Href: path},
			{Name: "With a fix", Text: Count(i.Fixable), Href: path + "&fixable=1"},
			{Name: "Known exploited", Text: Count(i.Exploited), Href: path + "&known=1"},
			{Name: "Not affected (VEX)", Text: Count(i.Cleared), Href: path + "&vex=cleared"},
			{Name: "Packages", Text: Count(i.Packages), Href: ImageHref(i.Digest) + "?tab=content"},
		}
	}
	if i.State == engine.Analyzed {
		v.Policy = imageVerdict(i, in.Verdicts)
	}
	v.Facts = imageFacts(i, c)
	v.Given = i.Meta != nil && i.Meta.DockerfileMode == "Actual"
	v.Elapsed = elapsed(in.Timeline)
	v.Guessed = i.Meta != nil && i.Meta.DockerfileMode != "Actual"
	cfg := parseConfig(in.Config)
	v.Config, v.Env, v.Labels = cfg.facts(c)
	for _, t := range i.Tags {
		v.Tags = append(v.Tags, view.ImageTag{
			Full: t.Full(), Detected: c.Ago(t.DetectedAt), Href: "/images?" + url.Values{"q": {t.Full()}}.Encode(),
		})
	}
	v.Notes = sortedFacts(i.Annotations)
	v.Layers, v.Layered = layers(in.History, c)
	return v
}

func imageFacts(i engine.Image, c Clock) []view.Fact {
	exact := func(t time.Time) *view.Time {
		vt := c.Exact(t)
		return &vt
	}
	facts := []view.Fact{{Name: "Digest", Text: string(i.Digest), Copy: string(i.Digest), Mono: true}}
	if i.ParentDigest != "" && i.ParentDigest != i.Digest {
		facts = append(facts, view.Fact{Name: "Of the index", Text: string(i.ParentDigest), Copy: string(i.ParentDigest), Mono: true})
	}
	facts = append(facts, view.Fact{Name: "Image id", Text: i.ID, Copy: i.ID, Mono: true})
	if m := i.Meta; m != nil {
		facts = append(facts,
			view.Fact{Name: "Distribution", Text: distro(*m)},
			view.Fact{Name: "Architecture", Text: orDash(known(m.Arch))},
			view.Fact{Name: "Size", Text: Bytes(m.Size)},
			view.Fact{Name: "Layers", Text: Count(m.LayerCount)})
	}
	facts = append(facts, view.Fact{Name: "From", Text: sourceText(i.Source)}, view.Fact{Name: "Added", Time: exact(i.CreatedAt)})
	if !i.AnalyzedAt.IsZero() {
		facts = append(facts, view.Fact{Name: "Analyzed", Time: exact(i.AnalyzedAt)})
	}
	if took := runText(i.Run); took != "" && i.State == engine.Analyzed {
		facts = append(facts, view.Fact{Name: "Analysis", Text: took})
	}
	if !i.MatchedAt.IsZero() {
		facts = append(facts, view.Fact{Name: "Matched", Time: exact(i.MatchedAt)})
	}
	return facts
}

// runText says what an analysis took; empty when nobody has measured.
func runText(r engine.Run) string {
	var parts []string
	switch {
	case r.Took >= time.Minute:
		parts = append(parts, "took "+Span(r.Took))
	case r.Took > 0:
		parts = append(parts, "took "+strconv.FormatFloat(r.Took.Seconds(), 'f', 1, 64)+" s")
	}
	if r.Peak > 0 {
		parts = append(parts, "peak memory "+Bytes(r.Peak))
	}
	return strings.Join(parts, ", ")
}

func sourceText(s engine.ImageSource) string {
	switch s {
	case engine.FromUpload:
		return "an uploaded archive"
	case engine.FromSample:
		return "the built-in sample"
	case engine.FromImport:
		return "an imported analysis"
	}
	return "its registry"
}

func imageProgress(p engine.Progress, c Clock) *view.ImageProgress {
	v := &view.ImageProgress{Meter: progressMeter(p), Worker: p.Worker, Since: c.Ago(p.Since)}
	if p.Attempt > 1 {
		v.Attempt = "attempt " + Count(p.Attempt)
	}
	at := slices.Index(engine.Stages, p.Stage)
	for n, s := range engine.Stages {
		state := "todo"
		switch {
		case n < at:
			state = "done"
		case n == at:
			state = "now"
		}
		v.Stages = append(v.Stages, view.StageStep{Text: stageText[s], State: state})
	}
	return v
}

func timeline(list []engine.StateEntry, c Clock) []view.TimelineStep {
	var out []view.TimelineStep
	for n, e := range list {
		step := view.TimelineStep{State: statePill(e.State), At: c.Exact(e.At), Note: e.Note}
		switch {
		case n+1 < len(list):
			step.Took = Span(max(list[n+1].At.Sub(e.At), 0))
		case e.State == engine.Analyzing || e.State == engine.NotAnalyzed:
			step.Took = "for " + Span(max(c.Now.Sub(e.At), 0)) // and going on
		}
		out = append(out, step)
	}
	return out
}

// elapsed is how long the newest analysis took, from when the image began to
// wait; nothing while there is none that ended.
func elapsed(list []engine.StateEntry) string {
	last := len(list) - 1
	if last < 0 || list[last].State != engine.Analyzed && list[last].State != engine.Failed {
		return ""
	}
	for n := last - 1; n >= 0; n-- {
		if s := list[n].State; s == engine.NotAnalyzed && (n == 0 || list[n-1].State == engine.Analyzed || list[n-1].State == engine.Failed) {
			return Span(max(list[last].At.Sub(list[n].At), 0)) + " in all"
		}
	}
	return ""
}

// maxText bounds what of a document is shown on a page.
const maxText = 64 << 10

// coloured is what programs write to terminals to change the colour of a text.
var coloured = regexp.MustCompile("\x1b\\[[0-9;?]*[ -/]*[@-~]")

// printable is a text as it may be shown: cut at max bytes, without control
// characters.
func printable(b []byte, limit int) string {
	if len(b) > limit {
		b = append(bytes.Clone(b[:limit]), "\n..."...)
	}
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || r >= ' ' && r != 0x7f {
			return r
		}
		return -1
	}, strings.ToValidUTF8(string(coloured.ReplaceAll(b, nil)), "\uFFFD"))
}

// imageConfig is what is shown of an image's configuration.
type imageConfig struct {
	Created      time.Time `json:"created"`
	Author       string    `json:"author"`
	OS           string    `json:"os"`
	Architecture string    `json:"architecture"`
	Config       struct {
		User         string
		ExposedPorts map[string]any
		Env          []string
		Entrypoint   []string
		Cmd          []string
		Volumes      map[string]any
		WorkingDir   string
		Labels       map[string]string
		StopSignal   string
		Healthcheck  *struct{ Test []string }
	} `json:"config"`
}

// parseConfig reads a configuration; one that does not parse is an empty one,
// for an image's author can write anything into it.
func parseConfig(raw []byte) imageConfig {
	var cfg imageConfig
	if len(raw) > 0 {
		_ = json.Unmarshal(raw, &cfg) //nolint:errcheck // what could be read is shown
	}
	return cfg
}

func (cfg imageConfig) facts(c Clock) (facts, env, labels []view.Fact) {
	add := func(name, text string) {
		if text != "" {
			facts = append(facts, view.Fact{Name: name, Text: text, Mono: true})
		}
	}
	add("Entrypoint", words(cfg.Config.Entrypoint))
	add("Command", words(cfg.Config.Cmd))
	add("User", cfg.Config.User)
	add("Working directory", cfg.Config.WorkingDir)
	add("Ports", strings.Join(sortedKeys(cfg.Config.ExposedPorts), ", "))
	add("Volumes", strings.Join(sortedKeys(cfg.Config.Volumes), ", "))
	add("Stop signal", cfg.Config.StopSignal)
	if h := cfg.Config.Healthcheck; h != nil {
		add("Health check", words(h.Test))
	}
	add("Author", cfg.Author)
	if cfg.OS != "" || cfg.Architecture != "" {
		add("Platform", strings.Trim(cfg.OS+"/"+cfg.Architecture, "/"))
	}
	if !cfg.Created.IsZero() {
		at := c.Exact(cfg.Created)
		facts = append(facts, view.Fact{Name: "Built", Time: &at})
	}
	for _, e := range cfg.Config.Env {
		k, v, _ := strings.Cut(e, "=")
		if v == "" {
			env = append(env, view.Fact{Name: k, Text: "(empty)"})
			continue
		}
		env = append(env, view.Fact{Name: k, Text: v, Mono: true})
	}
	for _, k := range sortedKeys(cfg.Config.Labels) {
		labels = append(labels, view.Fact{Name: k, Text: cfg.Config.Labels[k], Mono: true})
	}
	return facts, env, labels
}

// words is a command as a person would type it.
func words(list []string) string {
	quoted := make([]string, len(list))
	for n, w := range list {
		quoted[n] = shellWord(w)
	}
	return strings.Join(quoted, " ")
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func sortedFacts(m map[string]any) []view.Fact {
	var facts []view.Fact
	for _, k := range sortedKeys(m) {
		text, ok := m[k].(string)
		if !ok {
			raw, _ := json.Marshal(m[k]) // it came out of JSON
			text = string(raw)
		}
		facts = append(facts, view.Fact{Name: k, Text: text})
	}
	return facts
}

type historyEntry struct {
	ID        string `json:"Id"`
	Created   string
	CreatedBy string
	Size      int64
}

// layers shapes the history, oldest first, as it is stored.
func layers(raw []byte, c Clock) ([]view.ImageLayer, string) {
	var list []historyEntry
	if len(raw) == 0 || json.Unmarshal(raw, &list) != nil {
		return nil, ""
	}
	var out []view.ImageLayer
	var size int64
	real := 0
	for n, h := range list {
		l := view.ImageLayer{N: Count(n + 1), Command: command(h.CreatedBy), Size: Bytes(h.Size)}
		if at, err := time.Parse(time.RFC3339Nano, h.Created); err == nil && at.Year() > 1970 {
			l.Created = c.Ago(at)
		} else {
			l.Created = view.Time{Text: "-"} // reproducible builds say 1970 or nothing
		}
		if h.ID == "" || h.ID == "<missing>" {
			l.Empty, l.Size = true, "-"
		} else {
			l.Digest, l.Short = h.ID, engine.Digest(h.ID).Short()
			size += h.Size
			real++
		}
		out = append(out, l)
	}
	return out, Plural(real, "layer", "layers") + ", " + Bytes(size) + " compressed"
}

// command is a line of the history without the shell's wrapping.
func command(by string) string {
	by = strings.TrimSpace(by)
	if rest, ok := strings.CutPrefix(by, "/bin/sh -c #(nop)"); ok {
		return strings.TrimSpace(rest)
	}
	if rest, ok := strings.CutPrefix(by, "/bin/sh -c "); ok {
		return "RUN " + strings.TrimSpace(rest)
	}
	return by
}

// ImageEvents shapes the events of an image.
func ImageEvents(list []engine.Event, c Clock) []view.ImageEvent {
	var out []view.ImageEvent
	for _, e := range list {
		out = append(out, view.ImageEvent{
			DOMID: "event-" + e.ID, Href: "/events/" + url.PathEscape(e.ID), At: c.Exact(e.At), Level: e.Level,
			Type: engine.ShortEventName(e.Type), Title: e.Type, Service: e.Service, Message: e.Message, Resource: e.ResourceID,
		})
	}
	return out
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
