package present

import (
	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// remedy is what to try about a cause of failure.
type remedy struct{ title, try, href, text string }

// remedies by the stable cause of a failed analysis.
var remedies = map[string]remedy{
	"registry_auth":        {"The registry refused the credential", "Check the user and password stored for this registry, or store one, then retry.", "/registries", "Registries"},
	"registry_unreachable": {"The registry could not be reached", "Check that the host name resolves and that this machine may connect to it; a mirror can be set with CONSOLE_REGISTRY_MIRRORS. Then retry.", "/logs", "Logs"},
	"registry_tls":         {"The registry's certificate is not trusted", "Store the registry with verification switched off, or install its certificate on this machine, then retry.", "/registries", "Registries"},
	"registry_unavailable": {"The registry answered with an error", "Retry; if it goes on, look at the registry's own log.", "/logs", "Logs"},
	"registry_unsupported": {"The host does not answer as a registry", "Check the registry's name and port: it must speak the registry API, version 2.", "", ""},
	"platform_unsupported": {"The image has no variant for Linux on amd64", "Add it by the digest of the variant that you want analyzed.", "/images?add=1#add", "Add an image"},
	"manifest_unknown":     {"The image is not in the registry", "Its tag or digest was removed or never pushed. Push it again, or delete this image.", "", ""},
	"digest_mismatch":      {"The bytes received are not those of the digest", "Something between here and the registry alters or cuts what it sends. Retry, and look at proxies and mirrors.", "", ""},
	"too_large":            {"The image is larger than is allowed", "Raise CONSOLE_MAX_IMAGE_SIZE_MB, or make the image smaller.", "", ""},
	"unsupported":          {"The image is of a kind that cannot be analyzed", "Only Linux images of the docker and OCI formats can be analyzed.", "", ""},
	"archive_invalid":      {"The archive cannot be read", "Upload an archive made by docker save, or an OCI archive made by skopeo or buildah.", "/images?add=1#add", "Upload again"},
	"upload_lost":          {"The uploaded archive is no longer here", "Upload it again.", "/images?add=1#add", "Upload again"},
	"import_invalid":       {"The imported analysis cannot be used", "Import it again: its packages must be an SBOM in syft's JSON form, with the image's manifest and configuration.", "", ""},
	"no_feed_data":         {"There is no vulnerability data yet", "Sync the feeds, then retry.", "/feeds", "Feeds"},
	"disk":                 {"The disk is full", "Free space in the data folder, then retry.", "/services", "Services"},
	"timeout":              {"The analysis took too long", "Retry when the machine is less busy.", "", ""},
	"cancelled":            {"The analysis was cancelled", "Retry when you want it.", "", ""},
	"lease_lost":           {"The analyzer went away while it worked", "Look at the analyzer's state, then retry.", "/services", "Services"},
}

func imageFailure(f engine.Failure, c Clock) *view.ImageFailure {
	r, ok := remedies[f.Cause]
	if !ok {
		r = remedy{"The analysis failed", "The log below says more. Retry; if it fails again, the analyzer's log has the whole of it.", "/logs", "Logs"}
	}
	v := &view.ImageFailure{
		Title: r.title, Message: f.Message, Cause: f.Cause, Stage: stageText[f.Stage], Try: r.try, TryHref: r.href, TryText: r.text, At: c.Ago(f.At),
	}
	if v.Message == "" {
		v.Message = r.title + "."
	}
	if f.Attempt > 1 {
		v.Attempt = "after " + Plural(f.Attempt, "attempt", "attempts")
	}
	for _, line := range f.Log {
		v.Log = append(v.Log, printable([]byte(line), 2000))
	}
	return v
}
