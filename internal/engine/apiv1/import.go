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
}

const (
	importLimit   = 16 << 30
	importTimeout = time.Hour
)

func (s *Server) importOps() map[string]op {
	return map[string]op{
		"importImageArchive": {perm: acct("importImage"), call: s.importImageArchive, maxBody: importLimit, timeout: importTimeout, heavy: true},
	}
}

// importImageArchive takes an image archive straight from the connection. v1
// took archives of stored analyses here; those are answered 409, as any
// archive whose manifest cannot be read is.
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
		i, err := s.backend.UploadImage(r.Context(), r.Account, "", -1, part)
		if errors.Is(err, engine.ErrInvalid) {
			return status(err, http.StatusConflict)
		}
		if err != nil {
			return err
		}
		return reply(w, wireImages([]engine.Image{i}))
	}
}
