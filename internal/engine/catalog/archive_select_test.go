package catalog

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/store"
)

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, text string
		plain, full   bool
	}{
		{"*", "anything/at:all", true, true},
		{"*", "", true, true},
		{"", "", false, false},
		{"", "x", false, false},
		{"docker.io", "docker.io", true, true},
		{"docker.io", "docker-io", false, false},
		{"team/*", "team/a/b", true, true},
		{"team/*", "teams/a", false, false},
		{"*/app", "team/x/app", true, true},
		{"a*b*c", "axxbxxc", true, true},
		{"a*b*c", "axxcxxb", false, false},
		{"v?", "v1", false, true},
		{"v?", "v", false, false},
		{"v?", "v?", true, true},
		{"v[0-9]", "v7", false, true},
		{"v[0-9]", "vx", false, false},
		{"v[!0-9]", "vx", false, true},
		{"v[!0-9]", "v7", false, false},
		{"[]]", "]", false, true},
		{"[a", "[a", true, true},
		{"[a-]", "-", false, true},
		{"v[0-9]", "v[0-9]", true, false},
		{"*[0-9]*", "rc1-x", false, true},
	}
	for _, tc := range tests {
		if got := wild(tc.pattern, tc.text); got != tc.plain {
			t.Errorf("wild(%q, %q) = %v", tc.pattern, tc.text, got)
		}
		if got := glob(tc.pattern, tc.text, true); got != tc.full {
			t.Errorf("glob(%q, %q) = %v", tc.pattern, tc.text, got)
		}
	}
}

func FuzzGlob(f *testing.F) {
	f.Add("a*[!b-d]?", "axxz")
	f.Add(strings.Repeat("*a", 50), strings.Repeat("a", 200)+"b")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		got := glob(pattern, text, true)
		// Where both speak of the same patterns they agree.
		if strings.ContainsAny(pattern, `[\/`) || strings.Contains(text, "/") || pattern == "" || strings.ContainsFunc(pattern+text, func(r rune) bool { return r > 126 }) {
			return
		}
		if want, err := path.Match(pattern, text); err == nil && got != want {
			t.Errorf("glob(%q, %q) = %v", pattern, text, got)
		}
	})
}

var (
	selectNow = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	everyName = engine.ImageSelector{Registry: "*", Repository: "*", Tag: "*"}
)

// aged is an image's tag; the image was analyzed so many days ago and has so
// many tags. Days below 0: never analyzed.
func aged(image int64, name string, daysAgo, tags int) store.TagRecord {
	repository, tag, _ := strings.Cut(name, ":")
	t := store.TagRecord{Image: image, Digest: fmt.Sprint("i", image), Registry: "docker.io", Repository: repository, Tag: tag, Tags: tags}
	if daysAgo >= 0 {
		// A minute more: older than so many days.
		t.Since = selectNow.Add(-time.Duration(daysAgo)*24*time.Hour - time.Minute)
		t.AnalyzedAt = t.Since
	}
	return t
}

func ruleOf(age, newer int, change ...func(*engine.ArchiveRule)) engine.ArchiveRule {
	r := engine.ArchiveRule{Transition: engine.ToArchive, Selector: everyName, AgeDays: age, VersionsNewer: newer, ExcludeDays: -1}
	for _, f := range change {
		f(&r)
	}
	return r
}

func selector(repository, tag string) func(*engine.ArchiveRule) {
	return func(r *engine.ArchiveRule) { r.Selector.Repository, r.Selector.Tag = repository, tag }
}

func exclude(repository, tag string, days int) func(*engine.ArchiveRule) {
	return func(r *engine.ArchiveRule) {
		r.Exclude, r.ExcludeDays = engine.ImageSelector{Registry: "*", Repository: repository, Tag: tag}, days
	}
}

func TestSelection(t *testing.T) {
	// The newest first within a name, as the store gives them.
	latest := []store.TagRecord{aged(3, "app:latest", 1, 1), aged(2, "app:latest", 20, 1), aged(1, "app:latest", 40, 1)}
	tests := map[string]struct {
		rules  []engine.ArchiveRule
		tags   []store.TagRecord
		beyond []int64
		gone   []int64
		want   []int64
	}{
		"everything at once":                      {[]engine.ArchiveRule{ruleOf(-1, -1)}, latest, nil, nil, []int64{3, 2, 1}},
		"what is old":                             {[]engine.ArchiveRule{ruleOf(30, -1)}, latest, nil, nil, []int64{1}},
		"what is older than today":                {[]engine.ArchiveRule{ruleOf(0, -1)}, latest, nil, nil, []int64{3, 2, 1}},
		"what has newer ones":                     {[]engine.ArchiveRule{ruleOf(-1, 1)}, latest, nil, nil, []int64{2, 1}},
		"no newer ones asked for":                 {[]engine.ArchiveRule{ruleOf(-1, 0)}, latest, nil, nil, []int64{3, 2, 1}},
		"more newer ones than there are":          {[]engine.ArchiveRule{ruleOf(-1, 3)}, latest, nil, nil, nil},
		"young ones count as newer":               {[]engine.ArchiveRule{ruleOf(30, 2)}, latest, nil, nil, []int64{1}},
		"old and with newer ones":                 {[]engine.ArchiveRule{ruleOf(10, 1)}, latest, nil, nil, []int64{2, 1}},
		"never analyzed is not old":               {[]engine.ArchiveRule{ruleOf(0, -1)}, []store.TagRecord{aged(1, "app:1", -1, 1)}, nil, nil, nil},
		"never analyzed of any age":               {[]engine.ArchiveRule{ruleOf(-1, -1)}, []store.TagRecord{aged(1, "app:1", -1, 1)}, nil, nil, []int64{1}},
		"another repository":                      {[]engine.ArchiveRule{ruleOf(-1, -1, selector("team/*", "*"))}, latest, nil, nil, nil},
		"its own repository":                      {[]engine.ArchiveRule{ruleOf(-1, -1, selector("a*", "l*t"))}, latest, nil, nil, []int64{3, 2, 1}},
		"? is no wildcard of selectors":           {[]engine.ArchiveRule{ruleOf(-1, -1, selector("ap?", "*"))}, latest, nil, nil, nil},
		"one tag stays, so the image does":        {[]engine.ArchiveRule{ruleOf(-1, -1, selector("*", "old"))}, []store.TagRecord{aged(1, "app:latest", 9, 2), aged(1, "app:old", 9, 2)}, nil, nil, nil},
		"each tag by a rule of its own":           {[]engine.ArchiveRule{ruleOf(-1, -1, selector("*", "old")), ruleOf(5, -1, selector("*", "latest"))}, []store.TagRecord{aged(1, "app:latest", 9, 2), aged(1, "app:old", 9, 2)}, nil, nil, []int64{1}},
		"versions are counted by name":            {[]engine.ArchiveRule{ruleOf(-1, 1)}, []store.TagRecord{aged(2, "app:1", 1, 1), aged(1, "app:1", 2, 1), aged(3, "app:2", 3, 1)}, nil, nil, []int64{1}},
		"newest of one name, older of another":    {[]engine.ArchiveRule{ruleOf(-1, 1)}, []store.TagRecord{aged(1, "app:1", 2, 2), aged(2, "app:latest", 1, 1), aged(1, "app:latest", 2, 2)}, nil, nil, nil},
		"excluded":                                {[]engine.ArchiveRule{ruleOf(-1, -1, exclude("app", "*", -1))}, latest, nil, nil, nil},
		"excluded by a set":                       {[]engine.ArchiveRule{ruleOf(-1, -1, exclude("ap?", "[!a-k]atest", -1))}, latest, nil, nil, nil},
		"excluded elsewhere":                      {[]engine.ArchiveRule{ruleOf(-1, -1, exclude("team/*", "*", -1))}, latest, nil, nil, []int64{3, 2, 1}},
		"an exclusion that ended for some":        {[]engine.ArchiveRule{ruleOf(-1, -1, exclude("app", "*", 20))}, latest, nil, nil, []int64{2, 1}},
		"an exclusion of no days":                 {[]engine.ArchiveRule{ruleOf(-1, -1, exclude("app", "*", 0))}, latest, nil, nil, []int64{3, 2, 1}},
		"the excluded do not count as newer":      {[]engine.ArchiveRule{ruleOf(-1, 1, exclude("app", "*", 20))}, latest, nil, nil, []int64{1}},
		"excluded by one rule, taken by another":  {[]engine.ArchiveRule{ruleOf(-1, -1, exclude("app", "*", -1)), ruleOf(30, -1)}, latest, nil, nil, []int64{1}},
		"too many images":                         {[]engine.ArchiveRule{{MaxImages: 2}}, latest, []int64{1}, nil, []int64{1}},
		"too many, whatever their tags":           {[]engine.ArchiveRule{{MaxImages: 1}}, []store.TagRecord{aged(1, "app:1", 1, 2), aged(1, "b:1", 1, 2)}, []int64{1}, nil, []int64{1}},
		"what an earlier group took is not there": {[]engine.ArchiveRule{ruleOf(-1, 1)}, latest, nil, []int64{3}, []int64{1}},
		"no rules": {nil, latest, nil, nil, nil},
		"a tag of an image that another rule left": {[]engine.ArchiveRule{ruleOf(-1, -1), {MaxImages: 5}}, latest[:1], nil, nil, []int64{3}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			set := func(list []int64) map[int64]bool {
				m := map[int64]bool{}
				for _, i := range list {
					m[i] = true
				}
				return m
			}
			list, err := newSelection(tc.rules, set(tc.beyond), set(tc.gone), selectNow).choose(func(yield func(store.TagRecord, error) bool) {
				for _, r := range tc.tags {
					if !yield(r, nil) {
						return
					}
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			var got []int64
			for _, r := range list {
				got = append(got, r.Image)
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("selected %v, want %v", got, tc.want)
			}
		})
	}
}

func TestGroups(t *testing.T) {
	rule := func(account string, to engine.Transition, global bool) engine.ArchiveRule {
		return engine.ArchiveRule{ID: account + string(to) + fmt.Sprint(global), Account: account, Transition: to, SystemGlobal: global}
	}
	global, own, out := groups([]engine.ArchiveRule{
		rule("admin", engine.ToArchive, true), rule("admin", engine.FromArchive, true), rule("bob", engine.ToArchive, false),
		rule("bob", engine.FromArchive, false), rule("bob", engine.FromArchive, true),
	}, "bob")
	ids := func(list []engine.ArchiveRule) (s []string) {
		for _, r := range list {
			s = append(s, r.ID)
		}
		return s
	}
	if got := fmt.Sprint(ids(global), ids(own), ids(out)); got != "[adminarchivetrue] [bobarchivefalse] [bobdeletefalse bobdeletetrue]" {
		t.Error(got)
	}
}
