package apiv1

import (
	"errors"

	"windlass/internal/engine"
)

// Image is an image record of the v1 API. Everything that returns images
// returns an array of it.
type Image struct {
	ImageDigest    string         `json:"imageDigest"`
	ParentDigest   string         `json:"parentDigest"`
	UserID         string         `json:"userId"`
	ImageType      string         `json:"image_type"`
	AnalysisStatus string         `json:"analysis_status"`
	ImageStatus    string         `json:"image_status"`
	CreatedAt      string         `json:"created_at"`
	LastUpdated    string         `json:"last_updated"`
	AnalyzedAt     *string        `json:"analyzed_at"`
	Annotations    map[string]any `json:"annotations"`
	Content        ImageContent   `json:"image_content"`
	Detail         []ImageDetail  `json:"image_detail"`
}

// ImageContent wraps what an analysis learns of an image.
type ImageContent struct {
	Metadata ImageMetadata `json:"metadata"`
}

// ImageMetadata has only nulls until the image is analyzed.
type ImageMetadata struct {
	Arch           *string `json:"arch"`
	Distro         *string `json:"distro"`
	DistroVersion  *string `json:"distro_version"`
	DockerfileMode *string `json:"dockerfile_mode"`
	ImageSize      *int64  `json:"image_size"`
	LayerCount     *int    `json:"layer_count"`
}

// ImageDetail is one tag of an image.
type ImageDetail struct {
	ImageDigest   string  `json:"imageDigest"`
	Digest        string  `json:"digest"`
	UserID        string  `json:"userId"`
	Registry      string  `json:"registry"`
	Repo          string  `json:"repo"`
	Tag           string  `json:"tag"`
	ImageID       string  `json:"imageId"`
	Dockerfile    *string `json:"dockerfile"`
	FullTag       string  `json:"fulltag"`
	FullDigest    string  `json:"fulldigest"`
	CreatedAt     string  `json:"created_at"`
	LastUpdated   string  `json:"last_updated"`
	TagDetectedAt string  `json:"tag_detected_at"`
}

func wireImages(list []engine.Image) []Image {
	wire := make([]Image, len(list))
	for n, i := range list {
		wire[n] = wireImage(i)
	}
	return wire
}

func wireImage(i engine.Image) Image {
	w := Image{
		ImageDigest: string(i.Digest), ParentDigest: string(i.ParentDigest), UserID: i.Account, ImageType: "docker",
		AnalysisStatus: string(i.State), ImageStatus: string(i.Status),
		CreatedAt: stamp(i.CreatedAt), LastUpdated: stamp(i.UpdatedAt), AnalyzedAt: stampOrNil(i.AnalyzedAt),
		Annotations: i.Annotations, Detail: make([]ImageDetail, len(i.Tags)),
	}
	if w.Annotations == nil {
		w.Annotations = map[string]any{}
	}
	if m := i.Meta; m != nil {
		w.Content.Metadata = ImageMetadata{&m.Arch, &m.Distro, &m.DistroVersion, &m.DockerfileMode, &m.Size, &m.LayerCount}
	}
	for n, t := range i.Tags {
		w.Detail[n] = ImageDetail{
			ImageDigest: string(i.Digest), Digest: string(i.Digest), UserID: i.Account,
			Registry: t.Registry, Repo: t.Repository, Tag: t.Tag, ImageID: i.ID, Dockerfile: orNil(t.Dockerfile),
			FullTag: t.Full(), FullDigest: t.FullDigest(),
			CreatedAt: stamp(t.CreatedAt), LastUpdated: stamp(t.UpdatedAt), TagDetectedAt: stamp(t.DetectedAt),
		}
	}
	return w
}

// DeleteResult is the outcome of one requested deletion.
type DeleteResult struct {
	Digest string  `json:"digest"`
	Status string  `json:"status"`
	Detail *string `json:"detail"`
}

func wireDeleted(d engine.DeleteResult) DeleteResult {
	return DeleteResult{d.Digest, d.Status, orNil(d.Detail)}
}

// TagSummary is one element of /summaries/imagetags; its times are seconds.
type TagSummary struct {
	ImageDigest    string `json:"imageDigest"`
	ParentDigest   string `json:"parentDigest"`
	ImageID        string `json:"imageId"`
	FullTag        string `json:"fulltag"`
	AnalysisStatus string `json:"analysis_status"`
	ImageStatus    string `json:"image_status"`
	CreatedAt      int64  `json:"created_at"`
	AnalyzedAt     *int64 `json:"analyzed_at"`
	TagDetectedAt  int64  `json:"tag_detected_at"`
}

func wireTagSummary(t engine.TagSummary) TagSummary {
	return TagSummary{
		ImageDigest: string(t.Digest), ParentDigest: string(t.ParentDigest), ImageID: t.ImageID,
		FullTag:        engine.ImageTag{Registry: t.Registry, Repository: t.Repository, Tag: t.Tag}.Full(),
		AnalysisStatus: string(t.State), ImageStatus: string(t.Status),
		CreatedAt: t.CreatedAt.Unix(), AnalyzedAt: epochOrNil(t.AnalyzedAt), TagDetectedAt: t.DetectedAt.Unix(),
	}
}

// errStopped ends a walk whose reader has had enough.
var errStopped = errors.New("stopped")

func isMissing(err error) bool { return errors.Is(err, engine.ErrNotFound) }

// missing words the absence of a record as v1 does; other errors, and nil, stay.
func missing(err error, message string) error {
	if isMissing(err) {
		return engine.NotFoundf("%s", message)
	}
	return err
}
