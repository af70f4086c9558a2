package apiv1

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"windlass/internal/engine"
)

// Content is what the operations on the content of images ask of the engine.
type Content interface {
	// Packages lists those of one content class; of all when class is empty.
	Packages(ctx context.Context, account, digest, class string) ([]engine.Package, error)
	Files(ctx context.Context, account, digest string) ([]engine.File, error)
	// Document is one of the image's documents by its name.
	Document(ctx context.Context, account, name, digest string) ([]byte, error)
	// DocumentGzip is the same as gzip.
	DocumentGzip(ctx context.Context, account, name, digest string) ([]byte, error)
}

var (
	contentTypes  = []string{"os", "files", "npm", "gem", "python", "java", "binary", "go", "malware"}
	metadataTypes = []string{engine.DocManifest, engine.DocHistory, engine.DocDockerfile}
)

func (s *Server) contentOps() map[string]op {
	read := acct("getImage")
	return map[string]op{
		"listImageContent":      {perm: read, call: names(contentTypes)},
		"listImageContentById":  {perm: read, call: names(contentTypes)},
		"listImageMetadata":     {perm: read, call: names(metadataTypes)},
		"getImageContent":       {perm: read, call: s.getContent, heavy: true},
		"getImageContentById":   {perm: read, call: s.getContent, heavy: true},
		"getImageFiles":         {perm: read, call: s.getContentOf("files"), heavy: true},
		"getImageFilesById":     {perm: read, call: s.getContentOf("files"), heavy: true},
		"getImageJava":          {perm: read, call: s.getContentOf("java"), heavy: true},
		"getImageJavaById":      {perm: read, call: s.getContentOf("java"), heavy: true},
		"getImageMalware":       {perm: read, call: s.getContentOf("malware")},
		"getImageMetadata":      {perm: read, call: s.getContent},
		"getImageSbom":          {perm: read, call: s.getSBOM, heavy: true},
		"listRetrievedFiles":    {perm: read, call: s.getArtifact(engine.DocRetrieved)},
		"listFileContentSearch": {perm: read, call: s.getArtifact(engine.DocContentSearch)},
		"listSecretSearch":      {perm: read, call: s.getArtifact(engine.DocSecrets)},
	}
}

// names answers a list of types. Whether the image exists is not looked at.
func names(list []string) handler {
	return func(w http.ResponseWriter, _ *request) error { return reply(w, list) }
}

type contentReply struct {
	ImageDigest string `json:"imageDigest"`
	Type        string `json:"content_type"`
	Content     any    `json:"content"`
}

type metadataReply struct {
	ImageDigest string `json:"imageDigest"`
	Type        string `json:"metadata_type"`
	Metadata    any    `json:"metadata"`
}

// getContent answers content and metadata: v1 takes the types of either on
// both paths. All its errors are 500, as clients know them.
func (s *Server) getContent(w http.ResponseWriter, r *request) error {
	kind := r.param("mtype")
	if kind == "" {
		return s.getContentOf(r.param("ctype"))(w, r)
	}
	body, err := s.content(r, kind)
	if err != nil {
		return contentError(err)
	}
	return reply(w, metadataReply{echoed(r), kind, body})
}

// getContentOf answers one kind of content.
func (s *Server) getContentOf(kind string) handler {
	return func(w http.ResponseWriter, r *request) error {
		body, err := s.content(r, kind)
		if err != nil {
			return contentError(err)
		}
		return reply(w, contentReply{echoed(r), kind, body})
	}
}

// echoed is how the path names the image.
func echoed(r *request) string { return r.param("imageDigest") + r.param("imageId") }

func (s *Server) content(r *request, kind string) (any, error) {
	if !slices.Contains(contentTypes, kind) && !slices.Contains(metadataTypes, kind) {
		return nil, engine.Invalidf("content type (%s) not available", kind)
	}
	i, err := s.imageOf(r)
	if err != nil {
		return nil, err
	}
	if i.State != engine.Analyzed {
		return nil, notAnalyzed(i)
	}
	switch kind {
	case engine.DocManifest, engine.DocHistory:
		doc, err := s.backend.Document(r.Context(), r.Account, kind, string(i.Digest))
		if err != nil {
			return nil, err
		}
		return wrapBase64(doc), nil
	case engine.DocDockerfile:
		if i.Meta == nil || i.Meta.DockerfileMode != "Actual" {
			return []any{}, nil
		}
		doc, err := s.backend.Document(r.Context(), r.Account, kind, string(i.Digest))
		if err != nil {
			return nil, err
		}
		return wrapBase64(doc), nil
	case engine.DocMalware:
		doc, err := s.backend.Document(r.Context(), r.Account, kind, string(i.Digest))
		if isMissing(err) {
			return []any{}, nil // there were no files, or no scanner
		}
		return json.RawMessage(doc), err
	case "files":
		files, err := s.backend.Files(r.Context(), r.Account, string(i.Digest))
		if err != nil {
			return nil, err
		}
		return wireFiles(files), nil
	}
	list, err := s.backend.Packages(r.Context(), r.Account, string(i.Digest), kind)
	if err != nil {
		return nil, err
	}
	return wirePackages(kind, list), nil
}

// notAnalyzed is worded as clients look for it.
func notAnalyzed(i engine.Image) error {
	return engine.NotFoundf("image is not analyzed - analysis_status: %s", i.State)
}

// contentError makes 500 of every error. Absence is told as the original tells
// it: an error of the catalog, whole, within the text.
func contentError(err error) error {
	if isMissing(err) {
		inner, _ := json.Marshal(Error{Message: engine.MessageOf(err, "content not found"), HTTPCode: http.StatusNotFound, Detail: map[string]any{"error_codes": []string{}}})
		return errorf(http.StatusInternalServerError, "cannot get image content - exception: %s", inner)
	}
	return status(err, http.StatusInternalServerError)
}

// wrapBase64 is MIME base64: lines of 76 characters, each with its newline.
func wrapBase64(doc []byte) string {
	flat := base64.StdEncoding.EncodeToString(doc)
	var b strings.Builder
	b.Grow(len(flat) + len(flat)/76 + 1)
	for line := range slices.Chunk([]byte(flat), 76) {
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.String()
}

func (s *Server) getSBOM(w http.ResponseWriter, r *request) error {
	i, err := s.imageOf(r)
	if err != nil {
		return status(err, http.StatusInternalServerError)
	}
	if i.State != engine.Analyzed {
		return notAnalyzed(i)
	}
	body, err := s.backend.DocumentGzip(r.Context(), r.Account, engine.DocSBOM, string(i.Digest))
	if err != nil {
		return status(err, http.StatusInternalServerError)
	}
	w.Header().Set("Content-Type", "application/gzip")
	w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%s_native.json.gzip", i.Digest))
	_, err = w.Write(body)
	return err
}

// getArtifact answers a list that the analyzer kept as a JSON document; empty
// when it found nothing.
func (s *Server) getArtifact(name string) handler {
	return func(w http.ResponseWriter, r *request) error {
		i, err := s.imageOf(r)
		if err != nil {
			return status(err, http.StatusInternalServerError)
		}
		if i.State != engine.Analyzed {
			return &engine.Fault{
				Kind: engine.ErrNotFound, Message: "Resource artifacts not found",
				Detail: map[string]any{"details": fmt.Sprintf("image is not analyzed - analysis_status: %s", i.State)},
			}
		}
		doc, err := s.backend.Document(r.Context(), r.Account, name, string(i.Digest))
		if isMissing(err) {
			return reply(w, []any{})
		}
		if err != nil {
			return err
		}
		return reply(w, json.RawMessage(doc))
	}
}
