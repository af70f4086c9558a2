package apiv1

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"windlass/internal/engine"
)

// Exports is what the operations on documents made of images ask of the engine.
type Exports interface {
	// ExportSBOM offers one of engine.SBOMFormats.
	ExportSBOM(ctx context.Context, i engine.Image, format string) (engine.Export, error)
	// ExportMatches offers one of engine.MatchFormats.
	ExportMatches(ctx context.Context, i engine.Image, format string, f engine.MatchFilter) (engine.Export, error)
	// CompareImages tells what changed from one analyzed image to another.
	CompareImages(ctx context.Context, before, after engine.Image, withFiles bool) (engine.Comparison, error)
}

func (s *Server) exportsOps() map[string]op {
	read := acct("getImage")
	return map[string]op{
		"exportImageSbom":            {perm: read, call: s.exportSBOM},
		"exportImageVulnerabilities": {perm: read, call: s.exportMatches},
		"compareImages":              {perm: read, call: s.compareImages, heavy: true},
	}
}

// analyzedImage is the image of the path, which has been analyzed.
func (s *Server) analyzedImage(r *request) (engine.Image, error) {
	i, err := s.imageOf(r)
	if err == nil && i.State != engine.Analyzed {
		err = notAnalyzed(i)
	}
	return i, err
}

func (s *Server) exportSBOM(w http.ResponseWriter, r *request) error {
	i, err := s.analyzedImage(r)
	if err != nil {
		return err
	}
	e, err := s.backend.ExportSBOM(r.Context(), i, r.param("sbomFormat"))
	if err != nil {
		return err
	}
	return s.send(w, r, e)
}

func (s *Server) exportMatches(w http.ResponseWriter, r *request) error {
	i, err := s.analyzedImage(r)
	if err != nil {
		return err
	}
	e, err := s.backend.ExportMatches(r.Context(), i, r.param("reportFormat"), engine.MatchFilter{
		Text: r.queryText("q"), Severity: r.queryText("severity"), Fixable: r.queryBool("fixable", false), Known: r.queryBool("known", false),
		VEX: r.queryText("vex"),
	})
	if err != nil {
		return err
	}
	return s.send(w, r, e)
}

// send answers with an exported document, or with the news that the caller has
// it already. It is compressed on the way for whoever takes that.
func (s *Server) send(w http.ResponseWriter, r *request, e engine.Export) error {
	h := w.Header()
	tag := `W/"` + e.Tag + `"` // weak: with and without compression it is the same document
	h.Set("ETag", tag)
	h.Set("Cache-Control", "private, no-cache")
	h.Set("Vary", "Accept-Encoding, Authorization, X-Anchore-Account")
	if holds(r.Header.Values("If-None-Match"), tag) {
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if r.Request.Method == http.MethodHead {
		describeExport(h, e)
		w.WriteHeader(http.StatusOK)
		return nil
	}
	body, size, err := s.open(r, e)
	if err != nil {
		for _, name := range []string{"ETag", "Cache-Control"} {
			h.Del(name)
		}
		return err
	}
	defer body.Close()
	describeExport(h, e)
	if takesGzip(r.Header.Get("Accept-Encoding")) {
		h.Set("Content-Encoding", "gzip")
		h.Set("Content-Length", strconv.FormatInt(size, 10))
		w.WriteHeader(http.StatusOK)
		_, err = io.Copy(w, body)
		return err
	}
	plain, err := gzip.NewReader(body)
	if err != nil {
		return fmt.Errorf("export %s: %w", e.Name, err)
	}
	w.WriteHeader(http.StatusOK)
	_, err = io.Copy(w, plain)
	return err
}

func describeExport(h http.Header, e engine.Export) {
	h.Set("Content-Type", e.Media)
	h.Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", e.File))
}

// open makes the document. That is the expensive part; how slowly the client
// reads it afterwards is nobody's concern.
func (s *Server) open(r *request, e engine.Export) (io.ReadCloser, int64, error) {
	release, err := s.admit(r.Context())
	if err != nil {
		return nil, 0, err
	}
	defer release()
	return e.Open(r.Context())
}

// holds reports whether a list of entity tags has one, or stands for any.
func holds(list []string, tag string) bool {
	for _, v := range list {
		for one := range strings.SplitSeq(v, ",") {
			if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == strings.TrimPrefix(tag, "W/") {
				return true
			}
		}
	}
	return false
}

// takesGzip reports whether an Accept-Encoding allows gzip.
func takesGzip(accept string) bool {
	for part := range strings.SplitSeq(accept, ",") {
		name, params, _ := strings.Cut(part, ";")
		if name = strings.ToLower(strings.TrimSpace(name)); name == "gzip" || name == "*" {
			q, found := strings.CutPrefix(strings.TrimSpace(params), "q=")
			n, err := strconv.ParseFloat(q, 64)
			return !found || err == nil && n > 0
		}
	}
	return false
}
