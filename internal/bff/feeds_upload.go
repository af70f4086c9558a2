package bff

import (
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

// feedForm is what stands before the file in the form of an upload.
type feedForm struct {
	checksum string
	flush    bool
	name     string
}

// uploadFeeds takes an archive straight from the connection to the engine.
func (s *Server) uploadFeeds(c *fiber.Ctx) error {
	body := c.Context().RequestBodyStream()
	if body == nil {
		return engine.Invalidf("The request has no file.")
	}
	limited := &limitReader{r: body, left: min(s.opts.UploadLimit, engine.MaxFeedArchive)}
	form, file, err := feedParts(c.Get(fiber.HeaderContentType), limited)
	if err == nil {
		err = s.engine.ImportFeeds(c.UserContext(), file, form.name, form.checksum, form.flush)
	}
	switch {
	case err != nil && limited.left < 0:
		err = engine.Invalidf("The archive is larger than %s.", present.Bytes(min(s.opts.UploadLimit, engine.MaxFeedArchive)))
		fallthrough
	case err != nil:
		c.Context().SetConnectionClose() // what was not read of the body stands in the way of the next request
		return err
	}
	return s.done(c, "/feeds", "Archive received. It is being installed.", "")
}

var checksumText = regexp.MustCompile(`^(sha256:)?[0-9a-f]{64}$`)

// feedParts reads a multipart body up to the bytes of its file.
func feedParts(contentType string, body io.Reader) (feedForm, io.Reader, error) {
	var f feedForm
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return f, nil, fiber.NewError(http.StatusUnsupportedMediaType, "An upload is a form with a file.")
	}
	parts := multipart.NewReader(body, params["boundary"])
	for range 16 {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f, nil, engine.Invalidf("The upload was cut short.")
		}
		if part.FormName() == "archive" {
			if part.FileName() == "" {
				break
			}
			f.name = path.Base(strings.ReplaceAll(part.FileName(), `\`, "/"))
			f.name = f.name[:min(len(f.name), 200)]
			return f, part, nil
		}
		text, err := io.ReadAll(io.LimitReader(part, 256))
		if err != nil {
			return f, nil, engine.Invalidf("The upload was cut short.")
		}
		switch value := strings.ToLower(strings.TrimSpace(string(text))); part.FormName() {
		case "flush":
			f.flush = value == "true"
		case "checksum":
			if value != "" && !checksumText.MatchString(value) {
				return f, nil, engine.Invalidf("A checksum is sha256: and 64 hexadecimal digits.")
			}
			if value != "" {
				f.checksum = "sha256:" + strings.TrimPrefix(value, "sha256:")
			}
		}
	}
	return f, nil, engine.Invalidf("Choose the archive to upload.")
}
