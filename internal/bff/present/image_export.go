package present

import (
	"net/url"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// Filter is what the query selects, in the engine's words.
func (v VulnQuery) Filter() engine.MatchFilter {
	return engine.MatchFilter{Text: v.Text, Severity: v.Severity, Fixable: v.Fixable, Known: v.Known, VEX: v.VEX}
}

// VulnExports are the downloads of what a query selects of an image's
// vulnerabilities.
func VulnExports(i engine.Image, q VulnQuery) []view.Download {
	vals := q.Values()
	for _, k := range []string{"group", "sort"} { // they say how a page looks
		vals.Del(k)
	}
	return downloads(engine.MatchFormats, ImageHref(i.Digest)+"/vulnerabilities/", "-vulnerabilities", i, vals)
}

func downloads(formats []engine.ExportFormat, path, infix string, i engine.Image, q url.Values) []view.Download {
	list := make([]view.Download, len(formats))
	for n, f := range formats {
		list[n] = view.Download{
			Title: f.Title, For: f.For, Href: path + f.Name + encode(q), File: engine.ExportFile(i, infix+f.Suffix),
		}
	}
	return list
}
