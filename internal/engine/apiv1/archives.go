package apiv1

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"strconv"
	"time"

	"windlass/internal/engine"
)

// Archives is what the operations on the archive of analyses and its rules ask
// of the engine.
type Archives interface {
	ArchiveSummary(ctx context.Context, account string) (engine.ArchiveSummary, error)
	ArchiveImages(ctx context.Context, account string, digests []string) ([]engine.ArchiveResult, error)
	ArchivedImages(ctx context.Context, account string) iter.Seq2[engine.ArchivedImage, error]
	ArchivedImage(ctx context.Context, account, digest string) (engine.ArchivedImage, error)
	DeleteArchived(ctx context.Context, account, digest string) error
	// OpenArchived gives the file of an archived image and how long it is.
	OpenArchived(ctx context.Context, account, digest string) (io.Reader, int64, error)
	// RestoreArchived makes an image of an archived one, which stays;
	// engine.ErrConflict when there is that image.
	RestoreArchived(ctx context.Context, account, digest string) (engine.Image, error)

	AddArchiveRule(ctx context.Context, r engine.ArchiveRule) (engine.ArchiveRule, error)
	ArchiveRules(ctx context.Context, account string, global bool) ([]engine.ArchiveRule, error)
	ArchiveRule(ctx context.Context, account, id string) (engine.ArchiveRule, error)
	RemoveArchiveRule(ctx context.Context, account, id string) error
	// ApplyArchiveRules applies the rules to one account now, or says what
	// that would do.
	ApplyArchiveRules(ctx context.Context, account string, dry bool) (engine.ArchiveRun, error)
}

// archiveTimeout bounds requests that archive or restore: each image takes
// seconds, and a request may name a hundred.
const archiveTimeout = 30 * time.Minute

func (s *Server) archivesOps() map[string]op {
	return map[string]op{
		"listArchives":        {perm: acct("listArchives"), call: s.archiveSummary},
		"listArchivedImages":  {perm: acct("listArchivedImageAnalysis"), call: s.listArchivedImages},
		"archiveImages":       {perm: acct("createArchivedImageAnalysis"), call: s.archiveImages, timeout: archiveTimeout, heavy: true},
		"getArchivedImage":    {perm: acct("getArchivedImageAnalysis"), call: s.getArchivedImage},
		"deleteArchivedImage": {perm: acct("deleteArchivedImageAnalysis"), call: s.deleteArchivedImage},
		"downloadArchived":    {perm: acct("getArchivedImageAnalysis"), call: s.downloadArchived, timeout: archiveTimeout},
		"listArchiveRules":    {perm: acct("listArchiveTransitionRules"), call: s.listArchiveRules},
		"createArchiveRule":   {perm: acct("createArchiveTransitionRule"), call: s.createArchiveRule},
		"getArchiveRule":      {perm: acct("getArchiveTransitionRule"), call: s.getArchiveRule},
		"deleteArchiveRule":   {perm: acct("deleteArchiveTransitionRule"), call: s.deleteArchiveRule},
		"applyArchiveRules":   {perm: acct("createArchiveTransitionRule"), call: s.applyArchiveRules, timeout: archiveTimeout, heavy: true},
	}
}

func (s *Server) archiveSummary(w http.ResponseWriter, r *request) error {
	a, err := s.backend.ArchiveSummary(r.Context(), r.Account)
	if err != nil {
		return err
	}
	newest := "" // of none
	if !a.ImagesAt.IsZero() {
		newest = stamp(a.ImagesAt)
	}
	return reply(w, map[string]any{
		"images": map[string]any{
			"total_image_count": a.Images, "total_tag_count": a.Tags, "total_data_bytes": a.Bytes, "last_updated": newest,
		},
		"rules": map[string]any{"count": a.Rules, "last_updated": stampOrNil(a.RulesAt)},
	})
}

func (s *Server) listArchivedImages(w http.ResponseWriter, r *request) error {
	return replyList(w, func(yield func(archivedImage, error) bool) {
		for a, err := range s.backend.ArchivedImages(r.Context(), r.Account) {
			if !yield(wireArchived(a), err) {
				return
			}
		}
	})
}

// archiveImages archives one image after the other; the reply says what became
// of each.
func (s *Server) archiveImages(w http.ResponseWriter, r *request) error {
	var digests []string
	if err := r.decode(&digests); err != nil {
		return err
	}
	if len(digests) == 0 || len(digests) > engine.MaxArchiveRequest {
		return errorf(http.StatusBadRequest, "Must have at least one and at most %d digests to add", engine.MaxArchiveRequest)
	}
	results, err := s.backend.ArchiveImages(r.Context(), r.Account, digests)
	if err != nil {
		return err
	}
	wire := make([]archiveResult, len(results))
	for i, a := range results {
		wire[i] = archiveResult(a)
	}
	return reply(w, wire)
}

func (s *Server) getArchivedImage(w http.ResponseWriter, r *request) error {
	a, err := s.backend.ArchivedImage(r.Context(), r.Account, r.param("imageDigest"))
	if err != nil {
		return missing(err, "Not found in archive")
	}
	return reply(w, wireArchived(a))
}

func (s *Server) deleteArchivedImage(w http.ResponseWriter, r *request) error {
	if err := s.backend.DeleteArchived(r.Context(), r.Account, r.param("imageDigest")); err != nil {
		return missing(err, "Not found in archive")
	}
	return reply(w, nil)
}

// downloadArchived gives the file that POST /import/images takes.
func (s *Server) downloadArchived(w http.ResponseWriter, r *request) error {
	a, err := s.backend.ArchivedImage(r.Context(), r.Account, r.param("imageDigest"))
	if err != nil {
		return missing(err, "Not found in archive")
	}
	file, size, err := s.backend.OpenArchived(r.Context(), r.Account, string(a.Digest))
	if err != nil {
		return missing(err, "Not found in archive")
	}
	w.Header().Set("Content-Type", "application/gzip")
	w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%s_analysis.tar.gz", a.Digest))
	_, err = io.Copy(w, file)
	return err
}

// restoreArchived answers POST /images with an archive for a source.
func (s *Server) restoreArchived(w http.ResponseWriter, r *request, raw json.RawMessage) error {
	var src struct {
		Digest string `json:"digest"`
	}
	if err := json.Unmarshal(raw, &src); err != nil {
		return badSource(fieldError("archive", err))
	}
	if !bareDigest.MatchString(src.Digest) {
		return badSource(errors.New("archive.digest is not sha256:<64 hex>"))
	}
	i, err := s.backend.RestoreArchived(r.Context(), r.Account, src.Digest)
	switch {
	case err == nil:
		return reply(w, wireImages([]engine.Image{i}))
	case errors.Is(err, engine.ErrConflict):
		// The one error whose detail is null.
		writeJSON(w, http.StatusConflict, Error{
			Message: "Conflict: Image already exists in system. No restore possible", HTTPCode: http.StatusConflict,
		})
		return nil
	}
	return status(missing(err, "Not found in archive"), http.StatusInternalServerError)
}
