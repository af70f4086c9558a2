package apiv1

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"windlass/internal/engine"
)

// Uploads is what the import of archives asks of the engine.
type Uploads interface {
	// UploadImage takes an OCI or docker archive; without a tag its own name
	// is recorded. size is -1 when unknown.
	UploadImage(ctx context.Context, account, tag string, size int64, r io.Reader) (engine.Image, error)
	// ImportArchive takes the file of an archived analysis, or else an OCI or
	// docker archive. restored reports whether it was the first and its
	// manifest could be read.
	ImportArchive(ctx context.Context, account string, r io.Reader) (i engine.Image, restored bool, err error)
}

const (
	importLimit   = 16 << 30
	importTimeout = time.Hour
)

func (s *Server) importOps() map[string]op {
	return map[string]op{
		"importImageArchive": {perm: acct("importImage"), call: s.importImageArchive, maxBody: importLimit, timeout: importTimeout},
	}
}

// importImageArchive takes an archive straight from the connection: that of an
// analysis, which comes back as it was, or that of an image, which is analyzed.
// One whose manifest cannot be read is 409; one of an analysis that cannot come
// back, for instance because the image is there, 500.
func (s *Server) importImageArchive(w http.ResponseWriter, r *request) error {
	form, err := r.MultipartReader()
	if err != nil {
		return &problem{status: http.StatusBadRequest, detail: "The request is not a form with a file."}
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return &problem{status: http.StatusBadRequest, detail: "Missing formdata parameter 'archive_file'"}
		}
		if err != nil {
			return bodyFault(err)
		}
		if part.FormName() != "archive_file" {
			continue
		}
		release, err := s.admitUpload(r)
		if err != nil {
			return err
		}
		defer release()
		i, restored, err := s.backend.ImportArchive(r.Context(), r.Account, part)
		switch {
		case restored && errors.Is(err, engine.ErrConflict):
			return errorf(http.StatusInternalServerError, "Conflict: Image already exists in system. No restore possible")
		case restored && err != nil:
			return status(err, http.StatusInternalServerError)
		case errors.Is(err, engine.ErrInvalid), errors.Is(err, engine.ErrConflict):
			return status(err, http.StatusConflict)
		case err != nil:
			return err
		}
		return reply(w, wireImages([]engine.Image{i}))
	}
}
