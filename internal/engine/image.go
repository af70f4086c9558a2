package engine

import (
	"slices"
	"time"
)

// Digest is an algorithm-prefixed content digest, "sha256:<64 hex>".
type Digest string

// Short is the digest cut for reading: twelve hex digits, no algorithm.
func (d Digest) Short() string {
	s := string(d)
	if len(s) > 7 && s[:7] == "sha256:" {
		s = s[7:]
	}
	return s[:min(12, len(s))]
}

// AnalysisState is where an image stands in the analysis pipeline.
type AnalysisState string

const (
	NotAnalyzed AnalysisState = "not_analyzed"
	Analyzing   AnalysisState = "analyzing"
	Analyzed    AnalysisState = "analyzed"
	Failed      AnalysisState = "analysis_failed"
)

// AnalysisStates lists the states in the order an image passes them.
var AnalysisStates = []AnalysisState{NotAnalyzed, Analyzing, Analyzed, Failed}

var nextStates = map[AnalysisState][]AnalysisState{
	NotAnalyzed: {Analyzing, Failed},             // Failed: cancelled while it waited
	Analyzing:   {Analyzed, Failed, NotAnalyzed}, // back when a lease lapses or the image is requeued
	Analyzed:    {NotAnalyzed},                   // forced re-analysis
	Failed:      {NotAnalyzed},
}

// CanBecome reports whether an image may move from s to t.
func (s AnalysisState) CanBecome(t AnalysisState) bool {
	return slices.Contains(nextStates[s], t)
}

// Before lists the states from which an image may move to s, for the guard
// clause of the statement that writes it.
func (s AnalysisState) Before() []AnalysisState {
	var from []AnalysisState
	for _, f := range AnalysisStates {
		if f.CanBecome(s) {
			from = append(from, f)
		}
	}
	return from
}

// ImageStatus is whether an image record is in use or on its way out.
type ImageStatus string

const (
	ImageActive   ImageStatus = "active"
	ImageDeleting ImageStatus = "deleting"
)

// ImageSource says where the bytes of an image come from.
type ImageSource string

const (
	FromRegistry ImageSource = "registry"
	FromUpload   ImageSource = "upload" // an OCI or docker archive in this host's spool
	FromSample   ImageSource = "sample" // the in-process sample registry
	FromImport   ImageSource = "import" // an analysis made elsewhere; there are no bytes
)

// Image is one image of one account, as listed.
type Image struct {
	Account      string
	Digest       Digest // of the platform manifest
	ParentDigest Digest // of the index it was reached through, else Digest
	ID           string // config digest without algorithm, 64 hex
	State        AnalysisState
	Status       ImageStatus
	Source       ImageSource
	CreatedAt    time.Time
	UpdatedAt    time.Time
	AnalyzedAt   time.Time // zero until analyzed
	Annotations  map[string]any
	Meta         *ImageMeta // nil until analyzed
	Run          Run        // what the last analysis took
	Tags         []ImageTag // newest detection first
	Progress     *Progress  // while analyzing
	Failure      *Failure   // of the last attempt: when analysis_failed, or not_analyzed and to be tried again
	Packages     int
	Severities   Severities
	Fixable      int    // matches that have a fixed version
	Exploited    int    // matches known to be exploited
	Cleared      int    // matches that VEX documents set aside; all other counts have them too
	MatchedWith  string // id of the feed data the matches were made with; empty: never matched
	MatchedAt    time.Time
	Starter      bool // that data is the built-in starter database
}

// ImageMeta is what an analysis learns of the image as a whole.
type ImageMeta struct {
	Arch, Distro, DistroVersion string // "N/A" where unknown
	DockerfileMode              string // Actual or Guessed
	Size                        int64  // bytes of the squashed file system
	LayerCount                  int
}

// ImageTag is one name under which an image was seen.
type ImageTag struct {
	Registry, Repository, Tag string
	Digest                    Digest
	Dockerfile                string // base64, as submitted; guessed after analysis
	DetectedAt, CreatedAt     time.Time
	UpdatedAt                 time.Time
}

// Full is registry/repository:tag.
func (t ImageTag) Full() string { return t.Registry + "/" + t.Repository + ":" + t.Tag }

// FullDigest is registry/repository@digest.
func (t ImageTag) FullDigest() string {
	return t.Registry + "/" + t.Repository + "@" + string(t.Digest)
}

// Stage is a step of an analysis, in order of Stages.
type Stage string

const (
	StagePull    Stage = "pull"
	StageSBOM    Stage = "sbom"
	StageContent Stage = "content"
	StageMatch   Stage = "match"
	StageSave    Stage = "save"
)

// Stages lists the steps of an analysis in order.
var Stages = []Stage{StagePull, StageSBOM, StageContent, StageMatch, StageSave}

// Progress is how far a running analysis has come.
type Progress struct {
	Stage       Stage
	Done, Total int64 // bytes while pulling, else steps; Total 0: unknown
	Since       time.Time
	Attempt     int
	Attempts    int    // how many may be made; 0: not known
	Worker      string // host id of the analyzer
}

// Failure is why an attempt at an analysis failed: the last, when the image is
// analysis_failed, or one that another follows at NextAt.
type Failure struct {
	Stage    Stage
	Cause    string // the code of a Cause
	Message  string // one sentence for a person
	Log      []string
	At       time.Time
	Attempt  int
	Attempts int       // how many may be made; 0: not known
	Host     string    // of the analyzer; empty: not known
	NextAt   time.Time // the next attempt is not before; zero: none follows by itself
	Run      Run
}

// Run is what an attempt at an analysis took.
type Run struct {
	Took time.Duration // 0: not known
	Peak int64         // bytes of memory that its process held at most; 0: not known, or there was none
}

// Severities counts matches by severity.
type Severities struct {
	Critical, High, Medium, Low, Negligible, Unknown int
}

// Total is the number of matches of any severity.
func (s Severities) Total() int {
	return s.Critical + s.High + s.Medium + s.Low + s.Negligible + s.Unknown
}

// Add counts one match of a severity; a word that is not one of the six counts
// as Unknown.
func (s Severities) Add(severity string) Severities {
	switch severity {
	case "Critical":
		s.Critical++
	case "High":
		s.High++
	case "Medium":
		s.Medium++
	case "Low":
		s.Low++
	case "Negligible":
		s.Negligible++
	default:
		s.Unknown++
	}
	return s
}

// ImageFilter selects images of one account. Zero fields select all.
type ImageFilter struct {
	State      AnalysisState
	Status     ImageStatus // empty: active
	AnyStatus  bool
	Registry   string
	Repository string
	Text       string // part of a tag, a digest or an image id
	Severity   string // has at least one match of it, or, with AnySeverity, of any
	Package    string // has a package of this exact name
	Vuln       string // has a match of this id
	Verdict    string // final action that the active bundle said last of it, under any tag; "none": was not asked
	Fixable    bool   // has a match that a newer version fixes
	Exploited  bool   // has a match that is known to be exploited
	Cause      string // code of the Cause of which its newest attempt failed
	Distro     string // "debian", or "debian 12"; NoDistro: without one
	Sample     *bool
	After      string // cursor of the previous page; empty: first
	Limit      int    // 1 to 1000; 0: 100
}

// AnySeverity selects the images that have a match at all.
const AnySeverity = "any"

// NoDistro selects the images in which no distribution was found.
const NoDistro = "none"

// AddImage asks for an image to be analyzed.
type AddImage struct {
	Account       string
	Tag           string // pull string by tag
	Digest        string // pull string by digest; Tag is then the tag to record
	CreatedAt     time.Time
	Dockerfile    string // base64
	Annotations   map[string]any
	Force         bool
	AutoSubscribe bool
	Source        ImageSource // empty: registry
}

// TagSummary is an image under one of its tags, as /summaries/imagetags has it.
type TagSummary struct {
	Digest, ParentDigest  Digest
	ImageID               string
	Registry, Repository  string
	Tag                   string
	State                 AnalysisState
	Status                ImageStatus
	CreatedAt, AnalyzedAt time.Time
	DetectedAt            time.Time
}

// StateEntry is one step of an image's state history.
type StateEntry struct {
	State AnalysisState
	At    time.Time
	Note  string // why, where the state alone does not say
}

// DeleteResult is the outcome of one requested image deletion.
type DeleteResult struct {
	Digest string
	Status string // deleting, not_found, delete_failed
	Detail string
	// Subscribed: refused for no more than the subscriptions of its tags.
	Subscribed bool
}

// MaxAnnotations bounds the annotations of an image, as JSON, in bytes: they
// stand in every list and event of it, and each add may bring more of them.
const MaxAnnotations = 64 << 10
