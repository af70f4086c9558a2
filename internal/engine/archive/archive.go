// Package archive is the form in which the analysis of an image is kept when
// it leaves the working set, and in which it moves to another engine: a tar.gz
// file of these members, in this order.
//
//	archive_manifest      JSON: version, account, image_digest, and more for people
//	image.json            the record with its tags
//	packages.json         what was found in it
//	matches.json          what affects that, and since when it is known
//	rows/<name>.json      rows of further tables that speak of the image
//	documents/<name>      SBOM, manifest, configuration, files, ... each as it is
//
// It holds what an analysis learned and never the image's own bytes. Everything
// an image needs to come back is in it; the matches are made anew against the
// data then in use, and the old ones only say since when each is known.
//
// A file may come from anybody. Members, their names and sizes, the bytes they
// unpack to and the degree of compression are bounded while they are read, and
// names are looked up, never opened.
//
// This package knows nothing of the database, the network or syft.
package archive

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"windlass/internal/engine"
)

// version of the form that is written, and the newest that is read.
const version = 1

// Names of members.
const (
	manifestName = "archive_manifest"
	imageName    = "image.json"
	packagesName = "packages.json"
	matchesName  = "matches.json"
	rowsDir      = "rows/"
	documentsDir = "documents/"
)

// ManifestName is the member that tells an archive from other tar files: it is
// the first.
const ManifestName = manifestName

// Manifest says what an archive is.
type Manifest struct {
	Version      int       `json:"version"`
	Account      string    `json:"account"`
	ImageDigest  string    `json:"image_digest"`
	ParentDigest string    `json:"parent_digest"`
	ArchivedAt   time.Time `json:"archived_at"`
}

// Contents is all that an archive holds.
type Contents struct {
	Manifest  Manifest
	Image     Image
	Packages  []engine.Package
	Matches   []Match
	Rows      map[string]json.RawMessage
	Documents map[string][]byte
}

// Image is the record of an image.
type Image struct {
	Digest       string             `json:"digest"`
	ParentDigest string             `json:"parent_digest"`
	ID           string             `json:"id"`
	Source       engine.ImageSource `json:"source"`
	Sample       bool               `json:"sample,omitempty"`
	Task         engine.AnalyzeTask `json:"task"`
	Host         string             `json:"host,omitempty"`
	Annotations  map[string]any     `json:"annotations"`
	Meta         engine.ImageMeta   `json:"meta"`
	MatchedWith  string             `json:"matched_with,omitempty"`
	CreatedAt    time.Time          `json:"created_at"`
	AnalyzedAt   time.Time          `json:"analyzed_at"`
	Tags         []engine.ImageTag  `json:"tags"`
}

// Match is a stored match with the time at which it was first seen.
type Match struct {
	engine.Match
	FirstSeen time.Time
}

var (
	digestText = regexp.MustCompile(`^sha256:[0-9a-fA-F]{64}$`)
	memberName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,63}$`)
)

// errManifest says that a file is not an archive of an analysis.
var errManifest = errors.New("archive manifest cannot be read")

// check holds what was read against what must be there for the image to come
// back.
func (c *Contents) check() error {
	i := c.Image
	switch {
	case i.Digest != c.Manifest.ImageDigest:
		return fmt.Errorf("%s is of another image", imageName)
	case !digestText.MatchString(i.ParentDigest):
		return fmt.Errorf("%s names no parent digest", imageName)
	case i.ID == "" || len(i.ID) > 256:
		return fmt.Errorf("%s names no image id", imageName)
	case len(i.Tags) > 10_000:
		return fmt.Errorf("%s has %d tags", imageName, len(i.Tags))
	case !slices.Contains([]engine.ImageSource{engine.FromRegistry, engine.FromUpload, engine.FromSample, engine.FromImport}, i.Source):
		return fmt.Errorf("%s has the source %q", imageName, i.Source)
	case len(c.Documents[engine.DocSBOM]) == 0:
		return errors.New("there is no SBOM in it")
	}
	for _, t := range i.Tags {
		if t.Registry == "" || t.Repository == "" || t.Tag == "" || len(t.Full()) > 512 {
			return fmt.Errorf("%s has an incomplete tag", imageName)
		}
	}
	return nil
}

// Disown drops from an archive of unknown origin what only this engine can say:
// what it once decided, and where bytes lie. Nobody vouches for the first, and
// with the name of an upload or an import anybody could have the bytes analyzed
// that another account has sent. Where a registry holds the image may stay: it
// is asked with the credentials of the account, as for any other image.
func (c *Contents) Disown() {
	i := &c.Image
	c.Rows, i.Host, i.MatchedWith = nil, "", ""
	i.Task = engine.AnalyzeTask{Source: i.Source, Pull: i.Task.Pull}
}
