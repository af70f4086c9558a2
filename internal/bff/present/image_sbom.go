package present

import (
	"net/url"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// SBOMRows is how many packages the tab of the bill of materials shows: enough
// to see what is in it; the content tab has the rest.
const SBOMRows = 25

// SBOMIn is what the tab is made of.
type SBOMIn struct {
	Image    engine.Image
	Info     engine.DocumentInfo
	Summary  engine.PackageSummary
	Text     string
	Packages []engine.Package
	Total    int // packages that match
}

// ImageSBOM shapes the tab of the bill of materials.
func ImageSBOM(in SBOMIn) view.ImageSBOM {
	path := ImageHref(in.Image.Digest)
	sum := in.Summary
	v := view.ImageSBOM{
		Path: path, Packages: Plural(sum.Total, "package", "packages"), Text: strings.TrimSpace(in.Text),
		Formats: downloads(engine.SBOMFormats, path+"/sbom/", "", in.Image, url.Values{}),
		Types:   shares(sum.Types, sum.Total), Licenses: shares(sum.Licenses, sum.Total), All: path + "?tab=content",
	}
	if in.Info.Size > 0 {
		v.Formats[0].Size = Bytes(in.Info.Size) // the one that is stored
	}
	var below []string
	if more := sum.LicenseNames - len(sum.Licenses); more > 0 {
		below = append(below, "And "+Plural(more, "further licence", "further licences")+".")
	}
	if sum.Unlicensed > 0 && sum.LicenseNames > 0 {
		below = append(below, "Of "+Plural(sum.Unlicensed, "package", "packages")+" no licence is known.")
	}
	v.Below = strings.Join(below, " ")
	for _, p := range in.Packages {
		row := view.SBOMRow{Name: p.Name, Version: orDash(p.Version), Type: orDash(p.Type), License: orDash(strings.Join(p.Licenses, ", ")), PURL: orDash(p.PURL)}
		v.Rows = append(v.Rows, row)
	}
	found := Plural(in.Total, "package", "packages")
	switch {
	case sum.Total == 0:
		v.None = "The analysis found no packages in this image: it may hold nothing but files, or a program that tells nothing of its parts."
	case in.Total == 0:
		v.None = "No package has this in its name, version or path."
	case len(in.Packages) < in.Total:
		v.Showing = "the first " + Count(len(in.Packages)) + " of " + found
	default:
		v.Showing = found
	}
	return v
}

func shares(list []engine.NamedCount, total int) []view.Share {
	out := make([]view.Share, len(list))
	for n, c := range list {
		out[n] = view.Share{Name: c.Name, Count: Count(c.Count), N: int64(c.Count), Of: int64(max(total, 1))}
	}
	return out
}
