package apiv1

import (
	"cmp"
	"net/http"

	"windlass/internal/engine"
)

type comparisonReply struct {
	Before        comparedJSON       `json:"before"`
	After         comparedJSON       `json:"after"`
	SharedLayers  int                `json:"shared_layers"`
	Packages      changed[packageD]  `json:"packages"`
	Matches       changed[matchD]    `json:"vulnerabilities"`
	Configuration changed[configD]   `json:"configuration"`
	Files         *changed[fileDiff] `json:"files"`
}

// changed is the changes of one kind of thing.
type changed[T any] struct {
	Added   int `json:"added"`
	Removed int `json:"removed"`
	Changed int `json:"changed"`
	Same    int `json:"same"`
	List    []T `json:"changes"`
}

func changedOf[T, F any](n engine.Differences, list []F, wire func(F) (T, bool)) changed[T] {
	c := changed[T]{n.Added, n.Removed, n.Changed, n.Same, make([]T, 0, len(list))}
	for _, f := range list {
		if v, ok := wire(f); ok {
			c.List = append(c.List, v)
		}
	}
	return c
}

type comparedJSON struct {
	Digest      string          `json:"digest"`
	Tags        []string        `json:"tags"`
	AnalyzedAt  *string         `json:"analyzed_at"`
	Distro      string          `json:"distro"`
	Arch        string          `json:"arch"`
	Size        int64           `json:"size"`
	Layers      int             `json:"layers"`
	Packages    int             `json:"packages"`
	MatchedWith string          `json:"matched_with"`
	Severities  map[string]int  `json:"severities"`
	Policy      *comparedPolicy `json:"policy"`
}

type comparedPolicy struct {
	Tag     string `json:"tag"`
	Action  string `json:"final_action"`
	At      string `json:"evaluated_at"`
	Current bool   `json:"current"`
}

type packageD struct {
	Change engine.Difference `json:"change"`
	Name   string            `json:"name"`
	Type   string            `json:"type"`
	Before []string          `json:"before"`
	After  []string          `json:"after"`
	Paths  []string          `json:"paths"`
}

type matchD struct {
	Change   engine.Difference `json:"change"`
	ID       string            `json:"id"`
	Severity string            `json:"severity"`
	Was      string            `json:"severity_before,omitempty"`
	Package  string            `json:"package"`
	Type     string            `json:"type"`
	Version  string            `json:"version"`
	Fixes    []string          `json:"fixes"`
	Known    bool              `json:"known_exploited"`
	Reason   string            `json:"reason,omitempty"`
	Other    string            `json:"other_version,omitempty"`
	VEX      string            `json:"vex_status,omitempty"`
	URL      string            `json:"url,omitempty"`
}

type configD struct {
	Change engine.Difference `json:"change"`
	Field  string            `json:"field"`
	Key    string            `json:"key,omitempty"`
	Before string            `json:"before"`
	After  string            `json:"after"`
}

type fileDiff struct {
	Change engine.Difference `json:"change"`
	Path   string            `json:"path"`
	What   []string          `json:"what"`
	Before *fileState        `json:"before"`
	After  *fileState        `json:"after"`
}

type fileState struct {
	Type   string  `json:"type"`
	Size   int64   `json:"size"`
	Mode   string  `json:"mode"`
	SHA256 *string `json:"sha256"`
	Link   *string `json:"link"`
	UID    int     `json:"uid"`
	GID    int     `json:"gid"`
}

// compareImages tells what changed from the other image to the first.
func (s *Server) compareImages(w http.ResponseWriter, r *request) error {
	after, err := s.analyzedImage(r)
	if err != nil {
		return err
	}
	before, err := s.backend.Image(r.Context(), r.Account, r.param("otherDigest"))
	if err != nil {
		return missing(err, "image not found in DB")
	}
	if before.State != engine.Analyzed {
		return notAnalyzed(before)
	}
	c, err := s.backend.CompareImages(r.Context(), before, after, r.queryBool("files", false))
	if err != nil {
		return err
	}
	return reply(w, wireComparison(c, r.queryBool("unchanged", false)))
}

// wireComparison leaves out the vulnerabilities that both images have, unless
// they are asked for.
func wireComparison(c engine.Comparison, unchanged bool) comparisonReply {
	body := comparisonReply{
		Before: wireCompared(c.Before), After: wireCompared(c.After), SharedLayers: c.SharedLayers,
		Packages: changedOf(c.PackageCount, c.Packages, func(p engine.PackageChange) (packageD, bool) {
			return packageD{p.Difference, p.Name, p.Type, noNil(p.Before), noNil(p.After), noNil(p.Paths)}, true
		}),
		Matches: changedOf(c.MatchCount, c.Matches, func(m engine.MatchChange) (matchD, bool) {
			return wireMatchChange(m), unchanged || m.Difference != engine.Same
		}),
		Configuration: changedOf(c.ConfigCount, c.Config, func(v engine.ConfigChange) (configD, bool) {
			return configD{v.Difference, v.Field, v.Key, v.Before, v.After}, true
		}),
	}
	if c.WithFiles {
		list := changedOf(c.FileCount, c.Files, func(f engine.FileChange) (fileDiff, bool) {
			d := fileDiff{Change: f.Difference, Path: f.Path, What: noNil(f.What)}
			if f.Difference != engine.Added {
				d.Before = wireFileState(f.Before)
			}
			if f.Difference != engine.Removed {
				d.After = wireFileState(f.After)
			}
			return d, true
		})
		body.Files = &list
	}
	return body
}

func wireCompared(i engine.ComparedImage) comparedJSON {
	v := comparedJSON{
		Digest: string(i.Digest), Tags: []string{}, AnalyzedAt: stampOrNil(i.AnalyzedAt), Layers: i.Layers, Packages: i.Packages, MatchedWith: i.MatchedWith,
		Severities: map[string]int{
			"Critical": i.Severities.Critical, "High": i.Severities.High, "Medium": i.Severities.Medium,
			"Low": i.Severities.Low, "Negligible": i.Severities.Negligible, "Unknown": i.Severities.Unknown,
		},
	}
	for _, t := range i.Tags {
		v.Tags = append(v.Tags, t.Full())
	}
	if m := i.Meta; m != nil {
		v.Distro, v.Arch, v.Size = m.Distro+":"+m.DistroVersion, m.Arch, m.Size
	}
	if p := i.Verdict; p != nil {
		v.Policy = &comparedPolicy{p.Tag, p.Action, stamp(p.At), p.Current}
	}
	return v
}

func wireMatchChange(m engine.MatchChange) matchD {
	d := matchD{
		Change: m.Difference, ID: m.Vuln, Severity: engine.SeverityName(m.Severity), Was: m.Was, Package: m.Package, Type: m.PackageType,
		Version: m.Version, Fixes: noNil(m.Fixes), Known: m.KnownExploited, Reason: string(m.Reason), Other: m.Other, URL: m.URL,
	}
	if m.VEX != nil {
		d.VEX = string(m.VEX.Status)
	}
	return d
}

func wireFileState(f engine.File) *fileState {
	return &fileState{cmp.Or(f.Type, "file"), f.Size, f.Mode, orNil(f.SHA256), orNil(f.Link), f.UID, f.GID}
}

// noNil is a list that is [] and not null.
func noNil(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
