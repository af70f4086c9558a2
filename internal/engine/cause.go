package engine

import (
	"errors"
	"slices"
	"time"
)

// Cause is a kind of failure of an analysis. Its code never changes: failures
// are kept, counted and looked up by it.
type Cause struct {
	Code string
	// Temporary causes can pass by themselves, so that another try is made
	// after a pause. The others fail the image at once.
	Temporary bool
	Means     string // in a sentence
}

// The codes of the causes.
const (
	CauseRegistryAuth        = "registry_auth"
	CauseRegistryUnreachable = "registry_unreachable"
	CauseRegistryHost        = "registry_host_unknown"
	CauseRegistrySlow        = "registry_slow"
	CauseRegistryTLS         = "registry_tls"
	CauseRegistryUnavailable = "registry_unavailable"
	CauseRegistryRateLimit   = "registry_rate_limit"
	CauseRegistryRedirect    = "registry_redirect"
	CauseRegistryUnsupported = "registry_unsupported"

	CauseManifestUnknown = "manifest_unknown"
	CauseManifestInvalid = "manifest_invalid"
	CauseConfigInvalid   = "config_invalid"
	CauseMediaType       = "media_type"
	CausePlatform        = "platform_unsupported"
	CauseUnsupported     = "unsupported"

	CauseDigest         = "digest_mismatch"
	CauseSize           = "size_mismatch"
	CauseLayerInvalid   = "layer_invalid"
	CauseLayerTruncated = "layer_truncated"
	CauseBomb           = "bomb"
	CauseTooLarge       = "too_large"
	CauseTooManyEntries = "too_many_entries"

	CauseArchive = "archive_invalid"
	CauseUpload  = "upload_lost"
	CauseImport  = "import_invalid"

	CauseParser     = "parser_panic"
	CauseMemory     = "out_of_memory"
	CauseCrash      = "analyzer_crashed"
	CauseKilled     = "analyzer_killed"
	CauseTimeout    = "timeout"
	CauseDisk       = "disk"
	CauseDatabase   = "database_unavailable"
	CauseSave       = "save"
	CauseWorkerLost = "worker_lost"
	CauseCancelled  = "cancelled"
	CauseInternal   = "internal"
)

// Causes lists every cause, in the order of an analysis.
func Causes() []Cause { return slices.Clone(causes) }

var causes = []Cause{
	{CauseRegistryAuth, false, "The registry refused access with the credential that is stored for it, or without one."},
	{CauseRegistryUnreachable, true, "No connection to the registry could be made, or it broke."},
	{CauseRegistryHost, false, "The registry's host name is not known."},
	{CauseRegistrySlow, true, "The registry did not answer, or did not send on, in time."},
	{CauseRegistryTLS, false, "The registry's certificate is not trusted, or it speaks plain HTTP."},
	{CauseRegistryUnavailable, true, "The registry answered with an error of its own (5xx)."},
	{CauseRegistryRateLimit, true, "The registry allows no more requests for now (429)."},
	{CauseRegistryRedirect, false, "The registry points to an address that is not followed, or in circles."},
	{CauseRegistryUnsupported, false, "What answers is not a registry, or not in a way that can be used."},

	{CauseManifestUnknown, false, "The registry has no such image, or not all of it."},
	{CauseManifestInvalid, false, "The manifest or the index is not readable, or says what cannot be."},
	{CauseConfigInvalid, false, "The image configuration is missing, not readable or absurd."},
	{CauseMediaType, false, "The manifest is not of a container image, or its layers are encrypted, foreign or of an unknown kind."},
	{CausePlatform, false, "The image is not for Linux, or has no variant for amd64."},
	{CauseUnsupported, false, "The image is of a form that is not analyzed, like manifests of schema 1."},

	{CauseDigest, false, "The bytes received are not those that the digest promises."},
	{CauseSize, false, "There are more or fewer bytes than the manifest announces."},
	{CauseLayerInvalid, false, "A layer is damaged, or not a tar archive."},
	{CauseLayerTruncated, false, "A layer ends in the middle."},
	{CauseBomb, false, "A layer unpacks to far more than its size."},
	{CauseTooLarge, false, "The image has more bytes than is allowed."},
	{CauseTooManyEntries, false, "The image has more files, layers or names than is allowed."},

	{CauseArchive, false, "The uploaded archive cannot be used."},
	{CauseUpload, false, "The uploaded archive is no longer there."},
	{CauseImport, false, "What was imported is not an analysis that can be used."},

	{CauseParser, false, "A parser fell over what the image holds."},
	{CauseMemory, false, "The analysis needed more memory than it is given."},
	{CauseCrash, false, "The process of the analysis ended before it was done."},
	{CauseKilled, true, "The process of the analysis was ended from outside, as by a host that is short of memory."},
	{CauseTimeout, false, "The analysis took longer than it is given."},
	{CauseDisk, true, "There is not enough room on the disk of the analyzer."},
	{CauseDatabase, true, "The database did not answer."},
	{CauseSave, false, "The result could not be stored."},
	{CauseWorkerLost, false, "The analyzer went away in every attempt."},
	{CauseCancelled, false, "Somebody cancelled the analysis."},
	{CauseInternal, false, "An error of this program."},
}

// CauseByCode finds a cause; one that is not known counts as this program's
// own error, under the code given.
func CauseByCode(code string) (Cause, bool) {
	if i := slices.IndexFunc(causes, func(c Cause) bool { return c.Code == code }); i >= 0 {
		return causes[i], true
	}
	return Cause{Code: code, Means: "An error of this program."}, false
}

// Unanswered reports whether the registry said nothing at all.
func (c Cause) Unanswered() bool {
	return c.Code == CauseRegistryUnreachable || c.Code == CauseRegistryHost || c.Code == CauseRegistrySlow
}

// WholeRegistry reports whether the registry itself is to blame: what else is
// asked of it will fail too.
func (c Cause) WholeRegistry() bool {
	return c.Unanswered() || c.Code == CauseRegistryTLS || c.Code == CauseRegistryUnavailable || c.Code == CauseRegistryRateLimit
}

// Problem gives an error its cause.
type Problem struct {
	Cause string // a code
	Err   error
	After time.Duration // when whoever refused wants to be asked again; 0: not said
}

func (p *Problem) Error() string { return p.Err.Error() }
func (p *Problem) Unwrap() error { return p.Err }

// CauseOf finds the cause of an error that was given one.
func CauseOf(err error) (Cause, bool) {
	var p *Problem
	if !errors.As(err, &p) {
		return Cause{}, false
	}
	c, _ := CauseByCode(p.Cause)
	return c, true
}

// AskedPause is the time that whoever refused asked to be left alone for; 0:
// none.
func AskedPause(err error) time.Duration {
	var p *Problem
	if errors.As(err, &p) {
		return p.After
	}
	return 0
}
