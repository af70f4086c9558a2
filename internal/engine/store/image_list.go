package store

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
)

// defaultPage and maxPage bound the pages of lists.
const (
	defaultPage = 100
	maxPage     = 1000
)

// Images lists one page of an account's images, newest first, and the cursor
// of the next page; empty when there is none.
func (s *Store) Images(ctx context.Context, account string, f engine.ImageFilter) (list []engine.Image, next string, err error) {
	where, args, err := imageWhere(account, f)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(f)
	q := `SELECT ` + imageColumns + ` FROM images i WHERE ` + where +
		` ORDER BY i.created_at DESC, i.pk DESC LIMIT ` + strconv.Itoa(limit+1)
	rows, more, err := s.images(ctx, limit, q, args...)
	if err != nil {
		return nil, "", fmt.Errorf("images: %w", err)
	}
	if more {
		last := rows[len(rows)-1]
		next = imageCursor(last.CreatedAt, last.pk)
	}
	return plain(rows), next, nil
}

// CountImages counts the images that a filter selects, exactly; its cursor
// and limit are not looked at.
func (s *Store) CountImages(ctx context.Context, account string, f engine.ImageFilter) (int, error) {
	f.After, f.Limit = "", 0
	if known := (engine.ImageFilter{State: f.State, Status: f.Status, AnyStatus: f.AnyStatus}); f == known {
		return s.countByState(ctx, account, f)
	}
	where, args, err := imageWhere(account, f)
	if err != nil {
		return 0, err
	}
	var n int
	if err := s.pool.QueryRow(ctx, `SELECT count(*) FROM images i WHERE `+where, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count images: %w", domain(err))
	}
	return n, nil
}

// imageWhere is the condition of a filter. It is put together from those parts
// that are asked for, and not one statement with ($2 = ” OR ...) for each:
// the planner sees through a semi-join only when no OR stands before it, and
// with 100,000 images that is the difference between an index and a walk.
func imageWhere(account string, f engine.ImageFilter) (string, []any, error) {
	args := []any{account}
	conds := []string{"i.account = $1"}
	// add appends a condition whose ? stand for the numbers of its values.
	add := func(cond string, values ...any) {
		for _, v := range values {
			args = append(args, v)
			cond = strings.Replace(cond, "?", "$"+strconv.Itoa(len(args)), 1)
		}
		conds = append(conds, cond)
	}

	if st := statusOf(f); st != "" {
		add("i.status = ?", st)
	}
	if f.State != "" {
		add("i.state = ?", string(f.State))
	}
	switch {
	case f.Registry != "" && f.Repository != "":
		add(`i.pk IN (SELECT image FROM image_tags WHERE account = ? AND registry = ? AND repository = ?)`, account, f.Registry, f.Repository)
	case f.Registry != "":
		add(`i.pk IN (SELECT image FROM image_tags WHERE account = ? AND registry = ?)`, account, f.Registry)
	case f.Repository != "":
		add(`i.pk IN (SELECT image FROM image_tags WHERE account = ? AND repository = ?)`, account, f.Repository)
	}
	if f.Severity != "" {
		column, ok := severityColumns[strings.ToLower(f.Severity)]
		if !ok {
			return "", nil, engine.Invalidf("severity %q is none of %s", f.Severity, strings.Join(engine.SeverityNames, ", "))
		}
		conds = append(conds, "i."+column+" > 0")
	}
	if f.Package != "" {
		add(`i.pk IN (SELECT image FROM packages WHERE name = ?)`, f.Package)
	}
	if f.Vuln != "" {
		add(`i.pk IN (SELECT image FROM matches WHERE vuln = ?)`, f.Vuln)
	}
	if f.Verdict != "" {
		verdictWhere(account, f.Verdict, add)
	}
	if f.Fixable {
		conds = append(conds, "i.fixable > 0")
	}
	if f.Exploited {
		conds = append(conds, "i.known_exploited > 0")
	}
	if f.Cause != "" {
		add("i.failure IS NOT NULL AND i.failure->>'Cause' = ?", f.Cause)
	}
	if f.Distro != "" {
		distroWhere(f.Distro, add)
	}
	if f.Sample != nil {
		// In so many words: behind a parameter the planner does not see the few
		// that have an index of their own.
		conds = append(conds, map[bool]string{true: "i.sample", false: "NOT i.sample"}[*f.Sample])
	}
	switch t := strings.TrimSpace(f.Text); {
	case wholeDigest.MatchString(t):
		add("(i.digest = ? OR i.parent_digest = ?)", t, t)
	case wholeID.MatchString(t):
		add("(i.image_id = ? OR i.digest = 'sha256:' || ?)", t, t)
	case t != "":
		like := "%" + escapeLike(t) + "%"
		add(`(i.digest LIKE ? OR i.image_id LIKE ?
			OR i.pk IN (SELECT image FROM image_tags WHERE account = ? AND registry || '/' || repository || ':' || tag ILIKE ?))`,
			like, like, account, like)
	}
	if f.After != "" {
		at, pk, err := parseImageCursor(f.After)
		if err != nil {
			return "", nil, err
		}
		add("(i.created_at, i.pk) < (?, ?)", at, pk)
	}
	return strings.Join(conds, " AND "), args, nil
}

var (
	wholeDigest = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	wholeID     = regexp.MustCompile(`^[0-9a-f]{64}$`)
)

var severityColumns = map[string]string{
	"critical": "sev_critical", "high": "sev_high", "medium": "sev_medium",
	"low": "sev_low", "negligible": "sev_negligible", "unknown": "sev_unknown",
	engine.AnySeverity: "sev_critical + i.sev_high + i.sev_medium + i.sev_low + i.sev_negligible + i.sev_unknown",
}

// noDistros is what stands in an image without a distribution.
var noDistros = []string{"", "N/A", "Unknown", "unknown", "none"}

// knownDistro is the name of a distribution as filters have it.
func knownDistro(name string) string {
	if slices.Contains(noDistros, name) {
		return engine.NoDistro
	}
	return name
}

// distroWhere selects images by a distribution, or by a version of it, which
// names the versions below it too: "debian 12" are "12" and "12.5".
func distroWhere(text string, add func(cond string, values ...any)) {
	name, version, _ := strings.Cut(strings.Join(strings.Fields(text), " "), " ")
	switch {
	case name == engine.NoDistro:
		add("i.distro = ANY (?::text[])", noDistros)
	case version == "":
		add("i.distro = ?", name)
	default:
		add("i.distro = ? AND (i.distro_version = ? OR i.distro_version LIKE ?)", name, version, escapeLike(version)+".%")
	}
}

// escapeLike makes a text match itself in LIKE.
func escapeLike(s string) string { return likeEscaper.Replace(s) }

// pageLimit is how many images a page has.
func pageLimit(f engine.ImageFilter) int {
	if f.Limit <= 0 {
		return defaultPage
	}
	return min(f.Limit, maxPage)
}

// imageCursor names an image by its place in a list.
func imageCursor(at time.Time, pk int64) string { return fmt.Sprintf("%d-%d", at.UnixMicro(), pk) }

func parseImageCursor(c string) (time.Time, int64, error) {
	micro, pk, ok := strings.Cut(c, "-")
	at, err1 := strconv.ParseInt(micro, 10, 64)
	key, err2 := strconv.ParseInt(pk, 10, 64)
	if !ok || err1 != nil || err2 != nil {
		return time.Time{}, 0, engine.Invalidf("page %q is not one of this list", c)
	}
	return time.UnixMicro(at).UTC(), key, nil
}
