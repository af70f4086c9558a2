package remote

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
)

type wireImage struct {
	Digest       string         `json:"imageDigest"`
	ParentDigest string         `json:"parentDigest"`
	State        string         `json:"analysis_status"`
	Status       string         `json:"image_status"`
	CreatedAt    stamp          `json:"created_at"`
	UpdatedAt    stamp          `json:"last_updated"`
	AnalyzedAt   stamp          `json:"analyzed_at"`
	Annotations  map[string]any `json:"annotations"`
	Content      struct {
		Metadata struct {
			Arch           *string `json:"arch"`
			Distro         *string `json:"distro"`
			DistroVersion  *string `json:"distro_version"`
			DockerfileMode *string `json:"dockerfile_mode"`
			Size           *int64  `json:"image_size"`
			LayerCount     *int    `json:"layer_count"`
		} `json:"metadata"`
	} `json:"image_content"`
	Detail []wireTag `json:"image_detail"`
}

type wireTag struct {
	Digest     string `json:"digest"`
	Registry   string `json:"registry"`
	Repo       string `json:"repo"`
	Tag        string `json:"tag"`
	ImageID    string `json:"imageId"`
	Dockerfile string `json:"dockerfile"`
	CreatedAt  stamp  `json:"created_at"`
	UpdatedAt  stamp  `json:"last_updated"`
	DetectedAt stamp  `json:"tag_detected_at"`
}

func imageOf(w wireImage, account string) engine.Image {
	i := engine.Image{
		Account: account, Digest: engine.Digest(w.Digest), ParentDigest: engine.Digest(cmp.Or(w.ParentDigest, w.Digest)),
		State: engine.AnalysisState(w.State), Status: engine.ImageStatus(cmp.Or(w.Status, string(engine.ImageActive))), Source: engine.FromRegistry,
		CreatedAt: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time, AnalyzedAt: w.AnalyzedAt.Time, Annotations: w.Annotations,
	}
	if !slices.Contains(engine.AnalysisStates, i.State) {
		i.State = engine.NotAnalyzed
	}
	if m := w.Content.Metadata; i.State == engine.Analyzed && m.Arch != nil {
		i.Meta = &engine.ImageMeta{
			Arch: text(m.Arch), Distro: text(m.Distro), DistroVersion: text(m.DistroVersion), DockerfileMode: text(m.DockerfileMode),
			Size: number(m.Size), LayerCount: number(m.LayerCount),
		}
	}
	if i.State == engine.Failed {
		i.Failure = &engine.Failure{Message: "The engine does not say why. The events of this image may.", At: i.UpdatedAt}
	}
	for _, t := range w.Detail {
		i.ID = cmp.Or(i.ID, t.ImageID)
		if t.Tag == "" {
			continue
		}
		i.Tags = append(i.Tags, engine.ImageTag{
			Registry: t.Registry, Repository: t.Repo, Tag: t.Tag, Digest: engine.Digest(cmp.Or(t.Digest, w.Digest)), Dockerfile: t.Dockerfile,
			CreatedAt: t.CreatedAt.Time, UpdatedAt: t.UpdatedAt.Time, DetectedAt: t.DetectedAt.Time,
		})
	}
	slices.SortStableFunc(i.Tags, func(a, b engine.ImageTag) int { return b.DetectedAt.Compare(a.DetectedAt) })
	return i
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func number[T int | int64](n *T) T {
	if n == nil {
		return 0
	}
	return *n
}

// allImages is every image of an account, newest first: v1 gives no less.
func (c *Client) allImages(ctx context.Context, account string) ([]engine.Image, error) {
	return kept(ctx, c, account, "images", 2*time.Second, func(ctx context.Context) ([]engine.Image, error) {
		var all []wireImage
		q := url.Values{"image_status": {"all"}}
		if err := c.get(ctx, account, "/images", q, &all); err != nil {
			return nil, err
		}
		list := make([]engine.Image, len(all))
		for n, w := range all {
			list[n] = imageOf(w, account)
		}
		slices.SortStableFunc(list, func(a, b engine.Image) int {
			return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.Digest, a.Digest))
		})
		return list, nil
	})
}

// selected are the images of a filter, without regard to its page.
func (c *Client) selected(ctx context.Context, account string, f engine.ImageFilter) ([]engine.Image, error) {
	all, err := c.allImages(ctx, account)
	if err != nil {
		return nil, err
	}
	var among map[engine.Digest]bool // nil: all
	if f.Package != "" {
		among, err = c.affected(ctx, account, "/query/images/by_package", url.Values{"name": {f.Package}})
	}
	if err == nil && f.Vuln != "" {
		var hit map[engine.Digest]bool
		hit, err = c.affected(ctx, account, "/query/images/by_vulnerability", url.Values{"vulnerability_id": {f.Vuln}, "vendor_only": {"false"}})
		among = both(among, hit)
	}
	if err != nil {
		return nil, err
	}
	if f.Severity != "" || f.Verdict != "" || f.Fixable || f.Exploited || f.Cause != "" {
		return nil, &engine.Fault{Kind: engine.ErrUnsupported, Message: "This engine does not list images by severity, policy result, what can be fixed or why they failed."}
	}
	var list []engine.Image
	for _, i := range all {
		if matches(i, f) && (among == nil || among[i.Digest]) {
			list = append(list, i)
		}
	}
	return list, nil
}

func isNotFound(err error) bool { return errors.Is(err, engine.ErrNotFound) }

func both(a, b map[engine.Digest]bool) map[engine.Digest]bool {
	if a == nil {
		return b
	}
	for d := range a {
		if !b[d] {
			delete(a, d)
		}
	}
	return a
}

func matches(i engine.Image, f engine.ImageFilter) bool {
	switch {
	case f.State != "" && i.State != f.State,
		!f.AnyStatus && i.Status != cmp.Or(f.Status, engine.ImageActive),
		f.Sample != nil && *f.Sample:
		return false
	}
	tagged := func(ok func(engine.ImageTag) bool) bool { return slices.ContainsFunc(i.Tags, ok) }
	if f.Registry != "" && !tagged(func(t engine.ImageTag) bool { return t.Registry == f.Registry }) ||
		f.Repository != "" && !tagged(func(t engine.ImageTag) bool { return t.Repository == f.Repository }) {
		return false
	}
	if f.Distro != "" && !slices.Contains(distros(i), strings.Join(strings.Fields(f.Distro), " ")) {
		return false
	}
	has := func(s string) bool { return strings.Contains(strings.ToLower(s), strings.ToLower(f.Text)) }
	return f.Text == "" || has(string(i.Digest)) || has(i.ID) || tagged(func(t engine.ImageTag) bool { return has(t.Full()) })
}

// queryPages bounds the pages of an answer to a query.
const queryPages = 50

// affected are the images in the answer to a query.
func (c *Client) affected(ctx context.Context, account, path string, q url.Values) (map[engine.Digest]bool, error) {
	found := map[engine.Digest]bool{}
	for number := 1; number <= queryPages; number++ {
		q.Set("page", strconv.Itoa(number))
		q.Set("limit", "1000")
		var page struct {
			Images []struct {
				Image struct {
					Digest string `json:"imageDigest"`
				} `json:"image"`
			} `json:"images"`
			NextPage any `json:"next_page"`
		}
		if err := c.get(ctx, account, path, q, &page); err != nil {
			return nil, err
		}
		for _, i := range page.Images {
			found[engine.Digest(i.Image.Digest)] = true
		}
		if next, ok := page.NextPage.(bool); page.NextPage == nil || ok && !next || page.NextPage == "" || len(page.Images) == 0 {
			break
		}
	}
	return found, nil
}

// Images lists one page, newest first.
func (c *Client) Images(ctx context.Context, account string, f engine.ImageFilter) ([]engine.Image, string, error) {
	list, err := c.selected(ctx, account, f)
	if err != nil {
		return nil, "", err
	}
	return imagePage(list, f)
}

// imagePage cuts a page out of a list: its cursor is the digest of the image
// before, with its creation for when that one is gone.
func imagePage(list []engine.Image, f engine.ImageFilter) ([]engine.Image, string, error) {
	if f.After != "" {
		micros, digest, ok := strings.Cut(f.After, ",")
		n, err := strconv.ParseInt(micros, 10, 64)
		if !ok || err != nil {
			return nil, "", engine.Invalidf("%.40q is no place in the list.", f.After)
		}
		at := time.UnixMicro(n)
		from := slices.IndexFunc(list, func(i engine.Image) bool {
			return i.CreatedAt.Before(at) || i.CreatedAt.Equal(at) && string(i.Digest) < digest
		})
		if from < 0 {
			return nil, "", nil
		}
		list = list[from:]
	}
	limit := f.Limit
	if limit < 1 || limit > 1000 {
		limit = 100
	}
	if len(list) <= limit {
		return list, "", nil
	}
	last := list[limit-1]
	return list[:limit:limit], strconv.FormatInt(last.CreatedAt.UnixMicro(), 10) + "," + string(last.Digest), nil
}

// CountImages counts them.
func (c *Client) CountImages(ctx context.Context, account string, f engine.ImageFilter) (int, error) {
	list, err := c.selected(ctx, account, f)
	return len(list), err
}

// ImageStates counts the active images by state.
func (c *Client) ImageStates(ctx context.Context, account string) (map[engine.AnalysisState]int, error) {
	list, err := c.selected(ctx, account, engine.ImageFilter{})
	states := map[engine.AnalysisState]int{}
	for _, i := range list {
		states[i.State]++
	}
	return states, err
}

// distros are the names by which the distribution of an image is known.
func distros(i engine.Image) []string {
	switch m := i.Meta; {
	case m == nil:
		return nil
	case m.Distro == "" || m.Distro == "N/A" || strings.EqualFold(m.Distro, "unknown"):
		return []string{engine.NoDistro}
	case m.DistroVersion == "":
		return []string{m.Distro}
	default:
		return []string{m.Distro, m.Distro + " " + m.DistroVersion}
	}
}

// ImageDistros lists the distributions of the images, and their versions.
func (c *Client) ImageDistros(ctx context.Context, account string, limit int) ([]string, error) {
	all, err := c.allImages(ctx, account)
	if err != nil {
		return nil, err
	}
	var list []string
	for _, i := range all {
		list = append(list, distros(i)...)
	}
	slices.Sort(list)
	list = slices.Compact(list)
	return list[:min(len(list), limit)], nil
}

// ImageNames lists the registries and repositories with the most tags.
func (c *Client) ImageNames(ctx context.Context, account string, limit int) (registries, repositories []string, err error) {
	list, err := c.selected(ctx, account, engine.ImageFilter{})
	regs, repos := map[string]int{}, map[string]int{}
	for _, i := range list {
		for _, t := range i.Tags {
			regs[t.Registry]++
			repos[t.Repository]++
		}
	}
	return most(regs, limit), most(repos, limit), err
}

func most(counts map[string]int, limit int) []string {
	names := make([]string, 0, len(counts))
	for name := range counts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	return names[:min(limit, len(names))]
}

// Image is one image; what it is affected by is counted when it is analyzed.
func (c *Client) Image(ctx context.Context, account, digest string) (engine.Image, error) {
	return kept(ctx, c, account, "image "+digest, time.Second, func(ctx context.Context) (engine.Image, error) {
		var list []wireImage
		if err := c.get(ctx, account, path("images", digest), nil, &list); err != nil {
			return engine.Image{}, absent(err, "There is no image %s.", engine.Digest(digest).Short())
		}
		if len(list) == 0 {
			return engine.Image{}, engine.NotFoundf("There is no image %s.", engine.Digest(digest).Short())
		}
		i := imageOf(list[0], account)
		if i.State == engine.Analyzed {
			c.count(ctx, &i)
		}
		return i, nil
	})
}

// count fills in the numbers that a v1 record does not have. They stay unknown
// when they cannot be had.
func (c *Client) count(ctx context.Context, i *engine.Image) {
	list, _, err := c.Matches(ctx, i.Account, string(i.Digest))
	if err != nil {
		return
	}
	i.MatchedWith = "v1"
	for _, m := range list {
		i.Severities = i.Severities.Add(m.Severity)
		if len(m.Fixes) > 0 {
			i.Fixable++
		}
	}
	if packages, err := c.packages(ctx, i.Account, string(i.Digest)); err == nil {
		i.Packages = len(packages)
	}
}

// ImagesByName lists the images that a name stands for.
func (c *Client) ImagesByName(ctx context.Context, account, name string, f engine.ImageFilter) ([]engine.Image, string, error) {
	var all []wireImage
	err := c.get(ctx, account, "/images", url.Values{"fulltag": {name}, "history": {"true"}}, &all)
	if err = absent(err, "No image has the name %s.", clip(name, 200)); err != nil {
		return nil, "", err
	}
	var list []engine.Image
	for _, w := range all {
		if i := imageOf(w, account); matches(i, engine.ImageFilter{State: f.State, Status: f.Status, AnyStatus: f.AnyStatus}) {
			list = append(list, i)
		}
	}
	limit := f.Limit
	if limit < 1 {
		limit = 100
	}
	return list[:min(limit, len(list))], "", nil
}

// AddImage asks for an image to be analyzed.
func (c *Client) AddImage(ctx context.Context, a engine.AddImage) (engine.Image, error) {
	q := url.Values{}
	if a.Force {
		q.Set("force", "true")
	}
	q.Set("autosubscribe", strconv.FormatBool(a.AutoSubscribe))
	source := map[string]any{}
	body := map[string]any{"source": source}
	if a.Digest != "" {
		d := map[string]any{"pullstring": a.Digest, "tag": a.Tag}
		if !a.CreatedAt.IsZero() {
			d["creation_timestamp_override"] = a.CreatedAt.UTC().Format("2006-01-02T15:04:05Z")
		}
		source["digest"] = d
	} else {
		source["tag"] = map[string]any{"pullstring": a.Tag}
	}
	if a.Dockerfile != "" {
		for _, s := range source {
			s.(map[string]any)["dockerfile"] = a.Dockerfile
		}
	}
	if len(a.Annotations) > 0 {
		body["annotations"] = a.Annotations
	}
	var list []wireImage
	err := c.call(ctx, call{method: http.MethodPost, path: "/images", query: q, body: body, account: a.Account, out: &list, timeout: 2 * c.timeout})
	if err != nil {
		return engine.Image{}, err
	}
	if len(list) == 0 {
		return engine.Image{}, &engine.Fault{Kind: engine.ErrUnavailable, Message: "The engine took the image and does not say which it is."}
	}
	i := imageOf(list[0], a.Account)
	c.altered(a.Account, engine.ChangeImage, string(i.Digest))
	return i, nil
}

// DeleteImages deletes them.
func (c *Client) DeleteImages(ctx context.Context, account string, digests []string, force bool) ([]engine.DeleteResult, error) {
	q := url.Values{"imageDigests": {strings.Join(digests, ",")}, "force": {strconv.FormatBool(force)}}
	var all []struct {
		Digest string  `json:"digest"`
		Status string  `json:"status"`
		Detail *string `json:"detail"`
	}
	if err := c.call(ctx, call{method: http.MethodDelete, path: "/images", query: q, account: account, out: &all}); err != nil {
		return nil, err
	}
	var list []engine.DeleteResult
	for _, w := range all {
		r := engine.DeleteResult{Digest: w.Digest, Status: w.Status, Detail: clean(text(w.Detail))}
		r.Subscribed = contains(r.Detail, "subscription")
		list = append(list, r)
		if r.Status == "deleting" {
			c.altered(account, engine.ChangeImageRemoved, r.Digest)
		}
	}
	return list, nil
}

// Reanalyze adds an image once more under its newest tag, by force.
func (c *Client) Reanalyze(ctx context.Context, account, digest string) error {
	i, err := c.Image(ctx, account, digest)
	if err != nil {
		return err
	}
	if len(i.Tags) == 0 {
		return engine.Conflictf("The engine knows no tag of this image under which it could be analyzed again.")
	}
	t := i.Tags[0]
	_, err = c.AddImage(ctx, engine.AddImage{Account: account, Digest: t.FullDigest(), Tag: t.Full(), Force: true, CreatedAt: i.CreatedAt})
	return err
}
