package bff

import (
	"strconv"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

// An upload that goes on where it broke off: the script opens it, sends the
// file's bytes from an offset on, asks where it stands when the line was lost,
// and has it installed. Without the script the form is sent whole.

// uploadState is what the script is told.
type uploadState struct {
	ID   string `json:"id"`
	Have int64  `json:"have"`
	Size int64  `json:"size"`
}

// told answers the script, also with what went wrong.
func told(c *fiber.Ctx, a engine.FeedArchive, err error) error {
	c.Set(fiber.HeaderCacheControl, "no-store")
	if err != nil {
		e := explain(err)
		if e.Code >= 500 {
			return err // drawn and logged as any other
		}
		return c.Status(e.Code).JSON(fiber.Map{"message": e.Message})
	}
	return c.JSON(uploadState{a.ID, a.Have, a.Size})
}

func (s *Server) openUpload(c *fiber.Ctx) error {
	size, err := strconv.ParseInt(c.FormValue("size"), 10, 64)
	if limit := min(s.opts.UploadLimit, engine.MaxFeedArchive); err != nil || size <= 0 || size > limit {
		return told(c, engine.FeedArchive{}, engine.Invalidf("An archive has between one byte and %s.", present.Bytes(limit)))
	}
	a, err := s.engine.OpenFeedArchive(c.UserContext(), engine.FeedArchive{
		Source: c.FormValue("name"), Size: size, Checksum: c.FormValue("checksum"), Flush: c.FormValue("flush") == "true", By: s.who(c).User,
	})
	return told(c, a, err)
}

func (s *Server) showUpload(c *fiber.Ctx) error {
	a, err := s.engine.FeedArchive(c.UserContext(), param(c, "id"))
	return told(c, a, err)
}

func (s *Server) appendUpload(c *fiber.Ctx) error {
	at, err := strconv.ParseInt(c.Query("at"), 10, 64)
	body := c.Context().RequestBodyStream()
	if err != nil || body == nil {
		return told(c, engine.FeedArchive{}, engine.Invalidf("Say at which byte the upload goes on."))
	}
	a, err := s.engine.AppendFeedArchive(c.UserContext(), param(c, "id"), at, body)
	if err != nil {
		c.Context().SetConnectionClose() // what was not read of the body stands in the way of the next request
	}
	return told(c, a, err)
}

func (s *Server) installUpload(c *fiber.Ctx) error {
	if err := s.engine.InstallFeedArchive(c.UserContext(), param(c, "id"), c.FormValue("flush") == "true"); err != nil {
		return err
	}
	return s.done(c, "/feeds", "The archive is being installed.", "")
}

func (s *Server) discardUpload(c *fiber.Ctx) error {
	if err := s.engine.DropFeedArchive(c.UserContext(), param(c, "id")); err != nil {
		return err
	}
	return s.done(c, "/feeds", "Upload discarded.", "")
}
