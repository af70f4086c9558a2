package bff

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// uploadImage takes an archive straight from the connection to the engine: it
// is never held in memory, and nothing is written here. The form's tag stands
// before its file, so it is known when the bytes begin.
func (s *Server) uploadImage(c *fiber.Ctx) error {
	body := c.Context().RequestBodyStream()
	if body == nil {
		return engine.Invalidf("The request has no file.")
	}
	size := int64(c.Request().Header.ContentLength())
	if size > s.opts.UploadLimit {
		c.Context().SetConnectionClose()
		return s.uploadFault(c, engine.Invalidf("The archive is larger than %s.", present.Bytes(s.opts.UploadLimit)), "")
	}
	limited := &limitReader{r: body, left: s.opts.UploadLimit}
	tag, file, err := uploadParts(c.Get(fiber.HeaderContentType), limited)
	if err != nil {
		c.Context().SetConnectionClose() // what was not read of the body stands in the way of the next request
		return s.uploadFault(c, err, tag)
	}
	i, err := s.engine.UploadImage(c.UserContext(), s.who(c).Account, tag, size, file)
	if err != nil {
		c.Context().SetConnectionClose()
		if limited.left < 0 {
			err = engine.Invalidf("The archive is larger than %s.", present.Bytes(s.opts.UploadLimit))
		}
		return s.uploadFault(c, err, tag)
	}
	return s.done(c, present.ImageHref(i.Digest), "Archive received.", "")
}

func (s *Server) uploadFault(c *fiber.Ctx, err error, tag string) error {
	return s.addFault(c, err, view.AddImage{Open: true, UploadTag: tag}, func(f *view.AddImage, text string) { f.UploadFault = text })
}

// uploadParts reads a multipart body up to the bytes of its file.
func uploadParts(contentType string, body io.Reader) (tag string, file io.Reader, err error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return "", nil, fiber.NewError(http.StatusUnsupportedMediaType, "An upload is a form with a file.")
	}
	form := multipart.NewReader(body, params["boundary"])
	for fields := 0; fields < 16; fields++ {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return tag, nil, engine.Invalidf("The upload was cut short.")
		}
		if part.FormName() == "archive" {
			if part.FileName() == "" {
				return tag, nil, engine.Invalidf("Choose the archive to upload.")
			}
			return tag, part, nil
		}
		text, err := io.ReadAll(io.LimitReader(part, 1024))
		if err != nil {
			return tag, nil, engine.Invalidf("The upload was cut short.")
		}
		if part.FormName() == "tag" {
			tag = strings.TrimSpace(string(text))
		}
	}
	return tag, nil, engine.Invalidf("Choose the archive to upload.")
}

// limitReader ends with an error, and not with a seeming end of file, when
// more comes than is allowed.
type limitReader struct {
	r    io.Reader
	left int64
}

var errTooMuch = errors.New("more than is allowed")

func (l *limitReader) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, errTooMuch
	}
	return n, err
}
