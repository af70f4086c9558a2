package apiv1

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"windlass/internal/engine"
)

// addFromOther answers those forms of POST /images that do not look an image
// up in a registry: one that was analyzed elsewhere, and one from the archive.
// It reports whether it was one of them.
func (s *Server) addFromOther(w http.ResponseWriter, r *request, b addRequest) (bool, error) {
	if source := strings.TrimSpace(string(b.Source)); source == "" || source == "null" || b.Tag != "" || b.Digest != "" || b.Dockerfile != "" {
		return false, nil
	}
	kind, raw, err := pickSource(b.Source)
	switch {
	case err != nil:
		return false, err
	case kind == "import":
		return true, s.finishImport(w, r, b, raw)
	case kind == "archive":
		return true, s.restoreArchived(w, r, raw)
	}
	return false, nil
}

// importManifest says which uploads an image is made of.
type importManifest struct {
	Digest       *string           `json:"digest"`
	ParentDigest string            `json:"parent_digest"`
	LocalImageID string            `json:"local_image_id"`
	Tags         *[]string         `json:"tags"`
	Operation    *string           `json:"operation_uuid"`
	Contents     map[string]string `json:"contents"`
}

func (s *Server) finishImport(w http.ResponseWriter, r *request, b addRequest, raw json.RawMessage) error {
	f, names, err := readImportManifest(raw)
	if err != nil {
		return err
	}
	f.Account, f.Annotations = r.Account, b.Annotations
	f.Force = r.queryBool("force", false)
	f.AutoSubscribe = r.queryBool("autosubscribe", false)
	i, err := s.backend.FinishImport(r.Context(), f, names)
	if err != nil {
		return err
	}
	return reply(w, wireImages([]engine.Image{i}))
}

var localID = regexp.MustCompile(`^[a-zA-Z0-9:_.\-]{1,256}$`)

// readImportManifest reads the manifest and checks it as the document of the
// API describes it.
func readImportManifest(raw json.RawMessage) (engine.FinishImport, []string, error) {
	var m importManifest
	var f engine.FinishImport
	if err := json.Unmarshal(raw, &m); err != nil {
		return f, nil, badSource(fieldError("import", err))
	}
	switch {
	case m.Tags == nil:
		return f, nil, badSource(errors.New("import.tags is required"))
	case m.Digest == nil:
		return f, nil, badSource(errors.New("import.digest is required"))
	case m.Operation == nil:
		return f, nil, badSource(errors.New("import.operation_uuid is required"))
	case m.Contents == nil:
		return f, nil, badSource(errors.New("import.contents is required"))
	case !bareDigest.MatchString(*m.Digest):
		return f, nil, badSource(errors.New("import.digest is not sha256:<64 hex>"))
	case m.ParentDigest != "" && !bareDigest.MatchString(m.ParentDigest):
		return f, nil, badSource(errors.New("import.parent_digest is not sha256:<64 hex>"))
	case m.LocalImageID != "" && !localID.MatchString(m.LocalImageID):
		return f, nil, badSource(errors.New("import.local_image_id is not an id"))
	}
	f = engine.FinishImport{
		Import: *m.Operation, Digest: engine.Digest(*m.Digest), ParentDigest: engine.Digest(m.ParentDigest), ImageID: m.LocalImageID,
		Contents: map[engine.ImportKind]string{},
	}
	for _, kind := range engine.ImportKinds {
		digest := m.Contents[string(kind)]
		switch {
		case digest == "" && (kind == engine.ImportPackages || kind == engine.ImportManifest || kind == engine.ImportImageConfig):
			return f, nil, badSource(errors.New("import.contents." + string(kind) + " is required"))
		case digest != "":
			f.Contents[kind] = strings.TrimPrefix(digest, "sha256:")
		}
	}
	return f, *m.Tags, nil
}
