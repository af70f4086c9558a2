package apiv1

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/spool"
)

const (
	// smallUpload is held in memory as it comes.
	smallUpload = 1 << 20
	// uploadHands bounds larger uploads at work: each is in memory, and some
	// times its size while it is checked. A client's speed is not waited for with
	// a hand: what it sends is laid on disk first.
	uploadHands   = 2
	uploadTimeout = 10 * time.Minute
)

// importUpload is one of the five things that are uploaded for an import.
type importUpload struct {
	name  string // in the operations' ids
	kind  engine.ImportKind
	limit int64
	check func(body []byte, contentType string) error
}

var importUploads = []importUpload{
	{"ImportPackages", engine.ImportPackages, engine.MaxImportContent, checkSBOM},
	{"ImportManifest", engine.ImportManifest, engine.MaxImportContent, checkObject},
	{"ImportParentManifest", engine.ImportParentManifest, engine.MaxImportContent, checkObject},
	{"ImportImageConfig", engine.ImportImageConfig, engine.MaxImportContent, checkObject},
	{"ImportDockerfile", engine.ImportDockerfile, engine.MaxImportDockerfile, checkDockerfile},
}

// importContent is an upload as this API shows it.
type importContent struct {
	Digest    string `json:"digest"`
	CreatedAt string `json:"created_at"`
}

func (s *Server) listImportContents(kind engine.ImportKind) handler {
	return func(w http.ResponseWriter, r *request) error {
		list, err := s.backend.ImportContents(r.Context(), r.Account, r.param("operation_id"), kind)
		if err != nil {
			return err
		}
		wire := make([]importContent, len(list))
		for i, c := range list {
			wire[i] = importContent{c.Digest, stamp(c.CreatedAt)}
		}
		return reply(w, wire)
	}
}

// uploadImportContent keeps a body as it came, once its shape is checked. That
// is done here and not by the document, after the password was asked for: the
// bodies are large.
func (s *Server) uploadImportContent(u importUpload, hands *share) handler {
	return func(w http.ResponseWriter, r *request) error {
		if r.ContentLength <= 0 {
			return uploadRefused(engine.Invalidf("Request must contain content-length header"))
		}
		if r.ContentLength > u.limit {
			return uploadRefused(&engine.Fault{
				Kind: engine.ErrInvalid, Message: fmt.Sprintf("too large. Max size of %d bytes supported for content", u.limit),
				Detail: map[string]any{"content-length": r.ContentLength},
			})
		}
		body, done, err := s.receive(r, hands)
		if err != nil {
			return err
		}
		defer done()
		if err := u.check(body, r.Header.Get("Content-Type")); err != nil {
			return err
		}
		sum := sha256.Sum256(body)
		c, err := s.backend.AddImportContent(r.Context(), r.Account, r.param("operation_id"),
			engine.ImportContent{Kind: u.kind, Digest: hex.EncodeToString(sum[:])}, body)
		if err != nil {
			return uploadRefused(err)
		}
		return reply(w, importContent{c.Digest, stamp(c.CreatedAt)})
	}
}

// receive reads a body; done gives back what is held for it.
func (s *Server) receive(r *request, hands *share) (body []byte, done func(), err error) {
	if r.ContentLength <= smallUpload {
		if body, err = readSized(r.Body, r.ContentLength); err != nil {
			return nil, nil, bodyFault(err)
		}
		return body, func() {}, nil
	}
	f, err := s.lay(r)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	if done, err = hands.take(r.Context(), r.Identity.Account); err != nil {
		return nil, nil, err
	}
	if body, err = readSized(f, r.ContentLength); err != nil {
		done()
		return nil, nil, bodyFault(err)
	}
	return body, done, nil
}

// lay lays a body on disk.
func (s *Server) lay(r *request) (*os.File, error) {
	release, err := s.admitUpload(r)
	if err != nil {
		return nil, err
	}
	defer release()
	f, err := spool.File(s.opts.Spool, r.Body, r.ContentLength)
	var disk *os.PathError
	if err != nil && !errors.As(err, &disk) {
		return nil, bodyFault(err)
	}
	return f, err
}

// readSized reads a body of a known size; memory grows with what has come, not
// with what was announced.
func readSized(r io.Reader, size int64) ([]byte, error) {
	var b bytes.Buffer
	b.Grow(int(min(size, 1<<20)))
	n, err := io.Copy(&b, io.LimitReader(r, size))
	if err == nil && n < size {
		err = io.ErrUnexpectedEOF
	}
	return b.Bytes(), err
}

// uploadRefused is answered 500, with the code that is meant in the body alone.
func uploadRefused(err error) error {
	for kind, code := range map[error]int{engine.ErrNotFound: 404, engine.ErrConflict: 409, engine.ErrInvalid: 400} {
		if errors.Is(err, kind) {
			return mismatched(err, http.StatusInternalServerError, code)
		}
	}
	return err
}

func notJSON() error {
	return &problem{status: http.StatusUnsupportedMediaType, detail: "Invalid Content-type, expected JSON data"}
}

// isJSONType takes the media types of manifests and configurations for JSON,
// as their names say.
func isJSONType(contentType string) bool {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	kind = strings.TrimSpace(kind)
	return kind == "" || kind == "application/json" || strings.HasSuffix(kind, "+json") || strings.HasSuffix(kind, "+prettyjws")
}

func checkObject(body []byte, contentType string) error {
	if !isJSONType(contentType) {
		return notJSON()
	}
	if !json.Valid(body) {
		return &problem{status: http.StatusBadRequest, detail: "Request body is not valid JSON"}
	}
	if trimmed := bytes.TrimLeft(body, " \t\r\n"); trimmed[0] != '{' {
		return &problem{status: http.StatusBadRequest, detail: "Request body: the value must be an object"}
	}
	return nil
}

// checkDockerfile takes a raw text, or a JSON string where the content type
// says JSON: some clients send the raw text under that type too.
func checkDockerfile(body []byte, contentType string) error {
	kind, _, _ := strings.Cut(strings.ToLower(contentType), ";")
	if kind = strings.TrimSpace(kind); !isJSONType(kind) && !strings.HasPrefix(kind, "text/") && kind != "application/octet-stream" {
		return &problem{status: http.StatusUnsupportedMediaType, detail: "Invalid Content-type, expected text or a JSON string"}
	}
	if bytes.IndexByte(body, 0) >= 0 {
		return &problem{status: http.StatusBadRequest, detail: "Request body: a Dockerfile is text"}
	}
	return nil
}
