package bff

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

// ImageExports is what downloads of one image ask of an engine.
type ImageExports interface {
	// ExportSBOM offers one of engine.SBOMFormats.
	ExportSBOM(ctx context.Context, i engine.Image, format string) (engine.Export, error)
	// ExportMatches offers one of engine.MatchFormats.
	ExportMatches(ctx context.Context, i engine.Image, format string, f engine.MatchFilter) (engine.Export, error)
}

// exportTimeout is how long the making of a document may take: a large SBOM
// waits for the one before it.
const exportTimeout = 3 * time.Minute

// exportRoutes are the downloads of an image. The first three addresses are
// older than the formats and stay.
func (s *Server) exportRoutes(r fiber.Router) {
	r.Get("/images/:digest/vulnerabilities.csv", s.exportVulns(engine.MatchesCSV))
	r.Get("/images/:digest/vulnerabilities.json", s.exportVulns(engine.MatchesJSON))
	r.Get("/images/:digest/sbom.json", s.exportSBOM(engine.SyftJSON))
	r.Get("/images/:digest/vulnerabilities/:format", s.exportVulns(""))
	r.Get("/images/:digest/sbom/:format", s.exportSBOM(""))
	r.Get("/images/:digest/compare.csv", s.exportCompare)
}

// exportVulns sends those vulnerabilities that the query of the page selects.
func (s *Server) exportVulns(format string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		i, err := s.analyzedImage(c)
		if err != nil {
			return err
		}
		name := format
		if name == "" {
			name = param(c, "format")
		}
		e, err := s.engine.ExportMatches(c.UserContext(), i, name, present.ParseVulnQuery(query(c)).Filter())
		if err != nil {
			return err
		}
		return s.send(c, e)
	}
}

func (s *Server) exportSBOM(format string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		i, err := s.analyzedImage(c)
		if err != nil {
			return err
		}
		name := format
		if name == "" {
			name = param(c, "format")
		}
		e, err := s.engine.ExportSBOM(c.UserContext(), i, name)
		if err != nil {
			return err
		}
		return s.send(c, e)
	}
}

// analyzedImage is the image of the page's address, which has something to
// download.
func (s *Server) analyzedImage(c *fiber.Ctx) (engine.Image, error) {
	i, err := s.imageOf(c)
	if err == nil && i.State != engine.Analyzed {
		err = engine.NotFoundf("There is nothing to download: the image has not been analyzed.")
	}
	return i, err
}

// send answers with a document. Browsers take it compressed and save it plain;
// for the rest it is unpacked on the way.
func (s *Server) send(c *fiber.Ctx, e engine.Export) error {
	tag := `W/"` + e.Tag + `"`
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	c.Set(fiber.HeaderVary, "Accept-Encoding, Cookie")
	if strings.Contains(c.Get(fiber.HeaderIfNoneMatch), tag) {
		return c.SendStatus(http.StatusNotModified)
	}
	describe := func() {
		c.Set(fiber.HeaderContentType, e.Media)
		c.Set(fiber.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", e.File))
	}
	if c.Method() == fiber.MethodHead {
		describe()
		return nil
	}
	ctx, cancel := context.WithTimeout(s.base, exportTimeout)
	defer cancel()
	body, size, err := e.Open(ctx)
	if err != nil {
		c.Response().Header.Del(fiber.HeaderETag)
		c.Set(fiber.HeaderCacheControl, "no-store")
		return err
	}
	describe()
	if strings.Contains(c.Get(fiber.HeaderAcceptEncoding), "gzip") {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		c.Context().SetBodyStream(body, int(size))
		return nil
	}
	plain, err := newUnpacked(body)
	if err != nil {
		return fmt.Errorf("export %s: %w", e.Name, err)
	}
	// The compressor would hide an error in the middle: it ends its stream in
	// order, and half a document would look like a whole one.
	c.Set(fiber.HeaderContentEncoding, "identity")
	c.Context().SetBodyStream(plain, -1)
	return nil
}

// download makes an answer a file to save.
func download(c *fiber.Ctx, kind, name string) {
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", name))
	c.Set(fiber.HeaderCacheControl, "no-store")
}

// unpacked reads a compressed body, and closes it when the answer is sent.
type unpacked struct {
	io.Reader
	body io.Closer
}

func newUnpacked(body io.ReadCloser) (io.ReadCloser, error) {
	z, err := gzip.NewReader(body)
	if err != nil {
		body.Close()
		return nil, err
	}
	return unpacked{z, body}, nil
}

// Close gives the body back.
func (u unpacked) Close() error { return u.body.Close() }
