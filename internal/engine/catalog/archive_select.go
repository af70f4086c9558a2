package catalog

import (
	"iter"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/store"
)

// selection weighs the tags of one account against a group of rules. An image
// is selected only when every one of its tags is, by any rule of the group:
// one tag that is to stay keeps the image.
//
// Tags come those of one name together, newest first. For each rule a tag
//
//   - must match its selector;
//   - is passed over, and not counted, while it is excluded;
//   - counts as a newer version for those after it;
//   - is a candidate when it is old enough and enough newer ones were counted.
//
// A rule that bounds the number of images selects all tags of those beyond the
// bound, and nothing else of it counts.
type selection struct {
	rules  []engine.ArchiveRule
	now    time.Time
	beyond map[int64]bool // images beyond the bound of the rule that has one
	gone   map[int64]bool // images that an earlier group took

	name   [3]string
	newer  []int         // by rule, of the name at hand
	chosen map[int64]int // candidate tags by image
	tags   map[int64]store.TagRecord
	order  []int64
}

func newSelection(rules []engine.ArchiveRule, beyond, gone map[int64]bool, now time.Time) *selection {
	return &selection{
		rules: rules, now: now, beyond: beyond, gone: gone, newer: make([]int, len(rules)),
		chosen: map[int64]int{}, tags: map[int64]store.TagRecord{},
	}
}

// add weighs the next tag.
func (s *selection) add(t store.TagRecord) {
	if s.gone[t.Image] {
		return
	}
	if name := [3]string{t.Registry, t.Repository, t.Tag}; name != s.name {
		s.name = name
		clear(s.newer)
	}
	chosen := false
	for i, r := range s.rules {
		chosen = s.weigh(i, r, t) || chosen // every rule keeps its own count
	}
	if !chosen {
		return
	}
	if s.chosen[t.Image]++; s.chosen[t.Image] == 1 {
		s.tags[t.Image] = t
		s.order = append(s.order, t.Image)
	}
}

func (s *selection) weigh(i int, r engine.ArchiveRule, t store.TagRecord) bool {
	if r.MaxImages > 0 {
		return s.beyond[t.Image]
	}
	if !wild(r.Selector.Registry, t.Registry) || !wild(r.Selector.Repository, t.Repository) || !wild(r.Selector.Tag, t.Tag) {
		return false
	}
	if s.excluded(r, t) {
		return false
	}
	newer := s.newer[i]
	s.newer[i]++
	if r.VersionsNewer >= 0 && newer < r.VersionsNewer {
		return false
	}
	return r.AgeDays < 0 || !t.Since.IsZero() && t.Since.Before(s.now.Add(-days(r.AgeDays)))
}

func (s *selection) excluded(r engine.ArchiveRule, t store.TagRecord) bool {
	x := r.Exclude
	if !glob(x.Registry, t.Registry, true) || !glob(x.Repository, t.Repository, true) || !glob(x.Tag, t.Tag, true) {
		return false
	}
	if r.ExcludeDays < 0 || t.AnalyzedAt.IsZero() {
		return true
	}
	return int(s.now.Sub(t.AnalyzedAt)/(24*time.Hour)) < r.ExcludeDays
}

// selected lists the images of which every tag is a candidate.
func (s *selection) selected() []store.TagRecord {
	var list []store.TagRecord
	for _, image := range s.order {
		if t := s.tags[image]; s.chosen[image] == t.Tags {
			list = append(list, t)
		}
	}
	return list
}

// days is a number of days, without running over.
func days(n int) time.Duration {
	const most = 36500
	return time.Duration(min(n, most)) * 24 * time.Hour
}

// choose weighs all tags of a walk.
func (s *selection) choose(tags iter.Seq2[store.TagRecord, error]) ([]store.TagRecord, error) {
	for t, err := range tags {
		if err != nil {
			return nil, err
		}
		s.add(t)
	}
	return s.selected(), nil
}
