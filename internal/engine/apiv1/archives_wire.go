package apiv1

import "windlass/internal/engine"

// archivedImage is an archived analysis as this API shows it.
type archivedImage struct {
	ImageDigest  string         `json:"imageDigest"`
	ParentDigest string         `json:"parentDigest"`
	Annotations  map[string]any `json:"annotations"`
	Status       string         `json:"status"`
	Detail       []archivedTag  `json:"image_detail"`
	CreatedAt    string         `json:"created_at"`
	LastUpdated  string         `json:"last_updated"`
	AnalyzedAt   *string        `json:"analyzed_at"`
	Size         int64          `json:"archive_size_bytes"`
}

type archivedTag struct {
	PullString  string `json:"pullstring"`
	Registry    string `json:"registry"`
	Repository  string `json:"repository"`
	Tag         string `json:"tag"`
	DetectedAt  string `json:"detected_at"`
	CreatedAt   string `json:"created_at"`
	LastUpdated string `json:"last_updated"`
}

func wireArchived(a engine.ArchivedImage) archivedImage {
	w := archivedImage{
		ImageDigest: string(a.Digest), ParentDigest: string(a.ParentDigest), Annotations: a.Annotations, Status: string(a.Status),
		Detail: make([]archivedTag, len(a.Tags)), CreatedAt: stamp(a.CreatedAt), LastUpdated: stamp(a.UpdatedAt),
		AnalyzedAt: stampOrNil(a.AnalyzedAt), Size: a.Size,
	}
	if w.Annotations == nil {
		w.Annotations = map[string]any{}
	}
	for i, t := range a.Tags {
		w.Detail[i] = archivedTag{
			PullString: t.Full(), Registry: t.Registry, Repository: t.Repository, Tag: t.Tag,
			DetectedAt: stamp(t.DetectedAt), CreatedAt: stamp(t.CreatedAt), LastUpdated: stamp(t.UpdatedAt),
		}
	}
	return w
}

// archiveResult is the outcome of one requested archiving.
type archiveResult struct {
	Digest string `json:"digest"`
	Status string `json:"status"`
	Detail string `json:"detail"`
}

type imageSelector struct {
	Registry   string `json:"registry"`
	Repository string `json:"repository"`
	Tag        string `json:"tag"`
}

// archiveRule is a rule as this API shows it.
type archiveRule struct {
	ID            string        `json:"rule_id"`
	Selector      imageSelector `json:"selector"`
	Exclude       ruleExclusion `json:"exclude"`
	AgeDays       int           `json:"analysis_age_days"`
	VersionsNewer int           `json:"tag_versions_newer"`
	Transition    string        `json:"transition"`
	SystemGlobal  bool          `json:"system_global"`
	MaxImages     *int          `json:"max_images_per_account"`
	CreatedAt     string        `json:"created_at"`
	LastUpdated   string        `json:"last_updated"`
}

type ruleExclusion struct {
	Selector imageSelector `json:"selector"`
	Days     int           `json:"expiration_days"`
}

func wireRule(r engine.ArchiveRule) archiveRule {
	w := archiveRule{
		ID: r.ID, Selector: imageSelector(r.Selector), Exclude: ruleExclusion{imageSelector(r.Exclude), r.ExcludeDays},
		AgeDays: r.AgeDays, VersionsNewer: r.VersionsNewer, Transition: string(r.Transition), SystemGlobal: r.SystemGlobal,
		CreatedAt: stamp(r.CreatedAt), LastUpdated: stamp(r.UpdatedAt),
	}
	if r.MaxImages > 0 {
		w.MaxImages = &r.MaxImages
	}
	return w
}

// archiveRun is what a run of the rules did, or would do.
type archiveRun struct {
	Task     string        `json:"task"`
	Account  string        `json:"account"`
	DryRun   bool          `json:"dry_run"`
	Archived []archiveMove `json:"archived"`
	Deleted  []archiveMove `json:"deleted"`
}

type archiveMove struct {
	Digest string  `json:"digest"`
	Error  *string `json:"error"`
}

func wireRun(r engine.ArchiveRun) archiveRun {
	return archiveRun{r.Task, r.Account, r.DryRun, wireMoves(r.Archived), wireMoves(r.Deleted)}
}

func wireMoves(list []engine.ArchiveMove) []archiveMove {
	wire := make([]archiveMove, len(list))
	for i, m := range list {
		wire[i] = archiveMove{m.Digest, orNil(m.Error)}
	}
	return wire
}
