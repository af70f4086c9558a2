package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// maxDiff bounds each list of what has changed: what was left out is counted.
const maxDiff = 500

// vulnWatch is an image whose subscribers are to be told how its matches
// change. It is taken before they are replaced; nil when nobody has asked.
type vulnWatch struct {
	account, digest string
	tags            []string
	annotations     map[string]any
	before          []engine.Match
}

// watchVulns looks who subscribes to the vulnerabilities of an image: by a tag
// whose newest image it is, or by a tag it had and its digest in the
// subscription's value. An image that was never matched has no change to tell.
func watchVulns(ctx context.Context, tx pgx.Tx, image int64) (*vulnWatch, error) {
	// By the subscriptions' primary key, for each tag of the image: a rematch
	// of all images asks this for each.
	const tags = `
		SELECT s.key FROM (` + newestTags + `) n JOIN subscriptions s
		    ON s.account = n.account AND s.key = n.key AND s.type = 'vuln_update' AND s.active
		 UNION
		SELECT s.key FROM images i JOIN image_tags t ON t.image = i.pk JOIN subscriptions s
		    ON s.account = t.account AND s.key = t.registry || '/' || t.repository || ':' || t.tag
		   AND s.type = 'vuln_update' AND s.active AND strpos(s.value, '"' || i.digest || '"') > 0
		 WHERE i.pk = $1
		 ORDER BY 1`
	const facts = `SELECT account, digest, annotations FROM images WHERE pk = $1 AND matched_with <> ''`
	const matches = `
		SELECT package_key, package, version, package_type, path, vuln, severity, fixes, fix_state, url, feed, feed_group, namespace
		  FROM matches WHERE image = $1`

	rows, err := tx.Query(ctx, tags, image)
	if err != nil {
		return nil, fmt.Errorf("watched tags: %w", err)
	}
	var w vulnWatch
	if w.tags, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil || len(w.tags) == 0 {
		return nil, err
	}
	if rows, err = tx.Query(ctx, facts, image); err != nil {
		return nil, fmt.Errorf("watched image: %w", err)
	}
	known := false
	_, err = pgx.ForEachRow(rows, []any{&w.account, &w.digest, &w.annotations}, func() error { known = true; return nil })
	if err != nil || !known {
		return nil, err
	}
	if rows, err = tx.Query(ctx, matches, image); err != nil {
		return nil, fmt.Errorf("watched matches: %w", err)
	}
	w.before, err = pgx.CollectRows(rows, func(r pgx.CollectableRow) (m engine.Match, err error) {
		err = r.Scan(&m.PackageKey, &m.Package, &m.Version, &m.PackageType, &m.Path, &m.Vuln, &m.Severity, &m.Fixes, &m.FixState,
			&m.URL, &m.Feed, &m.Group, &m.Namespace)
		return m, err
	})
	if err != nil {
		return nil, fmt.Errorf("watched matches: %w", err)
	}
	return &w, nil
}

// tell emits what has changed since the watch was taken, once for each tag. It
// announces, so it belongs at the end of the transaction.
func (w *vulnWatch) tell(ctx context.Context, tx pgx.Tx, now []engine.Match, src engine.Source) error {
	if w == nil {
		return nil
	}
	added, updated, removed := diffMatches(w.before, now)
	if len(added)+len(updated)+len(removed) == 0 {
		return nil
	}
	omitted := map[string]any{}
	list := func(name string, of []engine.Match) []any {
		if n := len(of) - maxDiff; n > 0 {
			omitted[name], of = n, of[:maxDiff]
		}
		out := make([]any, len(of))
		for i, m := range of {
			out[i] = vulnElement(m)
		}
		return out
	}
	details := map[string]any{
		"diff_vulnerability_result": map[string]any{"added": list("added", added), "updated": list("updated", updated), "removed": list("removed", removed)},
		"imageDigest":               w.digest, "subscription_type": engine.NotifyVulns,
	}
	if len(omitted) > 0 {
		details["omitted"] = omitted
	}
	if len(w.annotations) > 0 {
		details["annotations"] = w.annotations
	}
	for _, tag := range w.tags {
		if err := emit(ctx, tx, engine.NewEvent(engine.EvVulnUpdate, w.account, tag, details, src)); err != nil {
			return err
		}
	}
	return nil
}

// vulnElement is a match in the words of v1's notification.
func vulnElement(m engine.Match) map[string]any {
	fix := strings.Join(m.Fixes, ", ")
	if fix == "" {
		fix = "None"
	}
	return map[string]any{
		"CVE_ID": m.Vuln, "Severity": m.Severity, "Vulnerable_Package": m.Package + "-" + m.Version, "Fix_Available": fix, "URL": m.URL,
		"Package_Name": m.Package, "Package_Version": m.Version, "Package_Type": m.PackageType, "Feed": m.Feed, "Feed_Group": m.Group,
	}
}

// told is the identity of a match for those who are told of it: the same
// package at two places is one.
type told struct{ vuln, name, version, kind string }

// diffMatches says what is new, what has another severity, fix or address, and
// what is gone: each worst first.
func diffMatches(before, now []engine.Match) (added, updated, removed []engine.Match) {
	old, fresh := byIdentity(before), byIdentity(now)
	for k, m := range fresh {
		was, ok := old[k]
		switch {
		case !ok:
			added = append(added, m)
		case was.Severity != m.Severity || !slices.Equal(was.Fixes, m.Fixes) || was.URL != m.URL:
			updated = append(updated, m)
		}
	}
	for k, m := range old {
		if _, ok := fresh[k]; !ok {
			removed = append(removed, m)
		}
	}
	for _, l := range [][]engine.Match{added, updated, removed} {
		slices.SortFunc(l, worseFirst)
	}
	return added, updated, removed
}

// byIdentity keeps of several records on one thing the one that sorts first, so
// that it is the same one every time.
func byIdentity(list []engine.Match) map[told]engine.Match {
	m := make(map[told]engine.Match, len(list))
	for _, v := range list {
		k := told{v.Vuln, v.Package, v.Version, v.PackageType}
		if was, ok := m[k]; !ok || strings.Compare(v.Namespace+"\x00"+v.PackageKey, was.Namespace+"\x00"+was.PackageKey) < 0 {
			m[k] = v
		}
	}
	return m
}

func worseFirst(a, b engine.Match) int {
	if c := slices.Index(engine.SeverityNames, a.Severity) - slices.Index(engine.SeverityNames, b.Severity); c != 0 {
		return c
	}
	return strings.Compare(a.Vuln+"\x00"+a.Package+"\x00"+a.Version+"\x00"+a.PackageType, b.Vuln+"\x00"+b.Package+"\x00"+b.Version+"\x00"+b.PackageType)
}
