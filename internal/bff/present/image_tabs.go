package present

import (
	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// imageTab is one tab of an image's page. Who adds one adds a line here and
// one to the openers of package bff.
type imageTab struct {
	key, text string
	kinds     string                                             // of changes that alter it
	analyzed  bool                                               // it has nothing to show before the analysis
	count     func(engine.Image) string                          // of an analyzed image; nil: none
	same      func(name, digest string, curl curlTo) view.SameBy // name is quoted for the shell
}

// curlTo writes a call of the API path.
type curlTo func(path string) string

const analysisKinds = "image feeds.rematch"

// imageTabs lists the tabs in their order; the first is shown when none is named.
var imageTabs = []imageTab{
	{key: "overview", text: "Overview", kinds: analysisKinds + " evaluation job",
		same: func(name, d string, curl curlTo) view.SameBy {
			return view.SameBy{API: curl("/images/" + d), CLI: "anchore-cli image get " + name}
		}},
	{key: "vulnerabilities", text: "Vulnerabilities", kinds: analysisKinds + " vex", analyzed: true,
		count: func(i engine.Image) string { return Count(i.Severities.Total()) },
		same: func(name, d string, curl curlTo) view.SameBy {
			return view.SameBy{API: curl("/images/" + d + "/vuln/all"), CLI: "anchore-cli image vuln " + name + " all"}
		}},
	{key: "content", text: "Content", kinds: analysisKinds, analyzed: true,
		count: func(i engine.Image) string { return Count(i.Packages) },
		same: func(name, d string, curl curlTo) view.SameBy {
			return view.SameBy{API: curl("/images/" + d + "/content/os"), CLI: "anchore-cli image content " + name + " os"}
		}},
	{key: "policy", text: "Policy", kinds: analysisKinds + " evaluation policy", analyzed: true,
		same: func(name, d string, curl curlTo) view.SameBy {
			return view.SameBy{API: curl("/images/" + d + "/check?tag=" + name + "&detail=true"), CLI: "anchore-cli evaluate check " + name + " --detail"}
		}},
	{key: "sbom", text: "SBOM", kinds: analysisKinds, analyzed: true,
		same: func(name, d string, curl curlTo) view.SameBy {
			return view.SameBy{API: curl("/console/images/" + d + "/sboms/cyclonedx-json")}
		}},
	{key: "compare", text: "Compare", kinds: analysisKinds + " evaluation", analyzed: true,
		same: func(name, d string, curl curlTo) view.SameBy {
			return view.SameBy{API: curl("/console/images/" + d + "/compare/sha256:OTHER")}
		}},
	{key: "events", text: "Events", kinds: "event event.deleted events.cleared",
		same: func(name, d string, curl curlTo) view.SameBy {
			return view.SameBy{API: curl("/events?resource_id=" + d), CLI: "anchore-cli event list " + name}
		}},
}

// Image shapes the head of an image's page and its tabs; tab is as the address
// has it.
func Image(i engine.Image, tab, api, user string) view.Image {
	path := ImageHref(i.Digest)
	v := view.Image{
		Title: imageName(i), Digest: string(i.Digest), Short: i.Digest.Short(), State: imageState(i), Path: path, Tab: imageTabs[0].key,
		Sample: i.Source == engine.FromSample, Starter: i.Starter && i.MatchedWith != "",
		Crumbs:    []view.Crumb{{Text: "Images", Href: "/images"}, {Text: imageName(i)}},
		CanRetry:  i.Status == engine.ImageActive && (i.State == engine.Analyzed || i.State == engine.Failed),
		CanCancel: i.State == engine.Analyzing || i.State == engine.NotAnalyzed,
	}
	at := imageTabs[0]
	for _, t := range imageTabs {
		if t.key == tab {
			at, v.Tab = t, t.key
		}
	}
	for n, t := range imageTabs {
		vt := view.Tab{Key: t.key, Text: t.text, Href: path, Current: t.key == v.Tab}
		if n > 0 {
			vt.Href += "?tab=" + t.key
		}
		if t.count != nil && i.State == engine.Analyzed {
			vt.Count = t.count(i)
		}
		v.Tabs = append(v.Tabs, vt)
	}
	v.Kinds = at.kinds
	v.Same = at.same(shellWord(imageName(i)), string(i.Digest), func(path string) string { return curl(user, api, path) })
	if at.analyzed && i.State != engine.Analyzed {
		v.Waiting = waiting(i)
	}
	return v
}

func waiting(i engine.Image) string {
	switch i.State {
	case engine.Failed:
		return "The analysis failed, so there is nothing to show. The overview says why, and what to try."
	case engine.Analyzing:
		return "The image is being analyzed. This fills itself in when that is done."
	}
	return "The image waits for an analyzer. This fills itself in when it is analyzed."
}
