package present

import "windlass/internal/engine"

// remedy is what to try about a cause of failure.
type remedy struct{ title, try, href, text string }

// remedies by the cause of a failed analysis. Each cause has one.
var remedies = map[string]remedy{
	engine.CauseRegistryAuth:        {"The registry refused the credential", "Check the user and password stored for this registry, or store one, then retry.", "/registries", "Registries"},
	engine.CauseRegistryUnreachable: {"The registry could not be reached", "Check that the registry is up and that this machine may connect to it; a mirror can be set with CONSOLE_REGISTRY_MIRRORS. Then retry.", "/logs", "Logs"},
	engine.CauseRegistryHost:        {"The registry's host name is not known", "Check the image's name and this machine's name resolution, then retry.", "/logs", "Logs"},
	engine.CauseRegistrySlow:        {"The registry was too slow", "Look at the network between here and the registry; a mirror can be set with CONSOLE_REGISTRY_MIRRORS. Then retry.", "/logs", "Logs"},
	engine.CauseRegistryTLS:         {"The registry's certificate is not trusted", "Store the registry with verification switched off, or install its certificate on this machine, then retry.", "/registries", "Registries"},
	engine.CauseRegistryUnavailable: {"The registry answered with an error", "Retry; if it goes on, look at the registry's own log.", "/logs", "Logs"},
	engine.CauseRegistryRateLimit:   {"The registry's limit is reached", "Wait, or store a user and password for this registry: most allow more to those who log in. Then retry.", "/registries", "Registries"},
	engine.CauseRegistryRedirect:    {"The registry points elsewhere", "The address that it sends to is not followed, or leads back to where it began. Look at the registry's and its proxies' settings.", "/registries", "Registries"},
	engine.CauseRegistryUnsupported: {"The host does not answer as a registry", "Check the registry's name and port: it must speak the registry API, version 2.", "/registries", "Registries"},

	engine.CauseManifestUnknown: {"The image is not in the registry", "Its tag or digest was removed or never pushed, or some of its layers were. Push it again, or delete this image.", "", ""},
	engine.CauseManifestInvalid: {"The image's manifest makes no sense", "Build the image again and push it; a usual builder writes no such manifest.", "", ""},
	engine.CauseConfigInvalid:   {"The image's configuration makes no sense", "Build the image again and push it; a usual builder writes no such configuration.", "", ""},
	engine.CauseMediaType:       {"This is not a container image", "What is stored under this name is an artifact of another kind, or has layers that cannot be read, like encrypted ones. Only images of the docker and OCI formats can be analyzed.", "", ""},
	engine.CausePlatform:        {"The image is not for Linux on amd64", "Add it by the digest of the variant that you want analyzed. Images of other systems, like Windows, cannot be analyzed.", "/images?add=1#add", "Add an image"},
	engine.CauseUnsupported:     {"The image is of a form that cannot be analyzed", "Only Linux images of the docker and OCI formats can be analyzed. Push it again with a builder of today.", "", ""},

	engine.CauseDigest:         {"The bytes received are not those of the digest", "Something between here and the registry alters what it sends, or the registry's storage is damaged. Look at proxies and mirrors, or push the image again; then retry.", "", ""},
	engine.CauseSize:           {"A part of the image has another size than its manifest says", "The registry's storage is damaged, or the manifest is wrong. Push the image again, then retry.", "", ""},
	engine.CauseLayerInvalid:   {"A layer of the image is damaged", "Build the image again and push it: a layer must be a tar archive, compressed with gzip or zstd or not at all.", "", ""},
	engine.CauseLayerTruncated: {"A layer of the image ends in the middle", "It was cut when it was built or pushed. Build the image again and push it.", "", ""},
	engine.CauseBomb:           {"The image looks like a decompression bomb", "A layer unpacks to hundreds of times its size. If the image is what you expect, store less that is empty in it.", "", ""},
	engine.CauseTooLarge:       {"The image is larger than is allowed", "Raise CONSOLE_MAX_IMAGE_SIZE_MB, or make the image smaller.", "", ""},
	engine.CauseTooManyEntries: {"The image has more in it than is allowed", "Make it smaller: fewer files or fewer layers.", "", ""},

	engine.CauseArchive: {"The archive cannot be read", "Upload an archive made by docker save, or an OCI archive made by skopeo or buildah.", "/images?add=1#add", "Upload again"},
	engine.CauseUpload:  {"The uploaded archive is no longer here", "Upload it again.", "/images?add=1#add", "Upload again"},
	engine.CauseImport:  {"The imported analysis cannot be used", "Import it again: its packages must be an SBOM in syft's JSON form, with the image's manifest and configuration.", "", ""},

	engine.CauseParser:     {"A parser fell over this image", "A file in the image is not as such files are; the log below names the parser. Analyzing it again will end the same way.", "/logs", "Logs"},
	engine.CauseMemory:     {"The analysis needed too much memory", "The image holds files that take more memory to read than an analysis is given. Give the analyzer more, or take such files out of the image.", "/services", "Services"},
	engine.CauseCrash:      {"The analysis ended before it was done", "Its process fell over; the log below and the analyzer's own say more. Retry once.", "/logs", "Logs"},
	engine.CauseKilled:     {"The analysis was ended from outside", "Mostly that is a host that is short of memory: give it more, or run fewer analyses at once (CONSOLE_ANALYZERS). Then retry.", "/services", "Services"},
	engine.CauseTimeout:    {"The analysis took too long", "Retry when the machine is less busy.", "", ""},
	engine.CauseDisk:       {"There is not enough room on the disk", "Free space in the data folder of the analyzer: an image needs room for all its layers, unpacked. Then retry.", "/services", "Services"},
	engine.CauseDatabase:   {"The database did not answer", "Check that PostgreSQL is up, then retry.", "/services", "Services"},
	engine.CauseSave:       {"The result could not be stored", "The log below and the analyzer's own say why. Retry once.", "/logs", "Logs"},
	engine.CauseWorkerLost: {"The analyzer went away while it worked", "Look at the analyzer's state and at this host's memory, then retry.", "/services", "Services"},
	engine.CauseCancelled:  {"The analysis was cancelled", "Retry when you want it.", "", ""},
	engine.CauseInternal:   {"The analysis failed", "The log below says more. Retry; if it fails again, the analyzer's log has the whole of it.", "/logs", "Logs"},
}
