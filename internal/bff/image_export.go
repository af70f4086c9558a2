package bff

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

// vulnsOf is an image with those matches that the query of the page selects.
func (s *Server) vulnsOf(c *fiber.Ctx) (engine.Image, []engine.Match, error) {
	i, err := s.imageOf(c)
	if err != nil {
		return i, nil, err
	}
	list, _, err := s.engine.Matches(c.UserContext(), i.Account, string(i.Digest))
	if err != nil {
		return i, nil, err
	}
	return i, present.ParseVulnQuery(query(c)).Select(list), nil
}

func (s *Server) exportVulnsCSV(c *fiber.Ctx) error {
	i, list, err := s.vulnsOf(c)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	w := csv.NewWriter(&b)
	if err := w.WriteAll(present.VulnCSV(list)); err != nil {
		return err
	}
	download(c, "text/csv; charset=utf-8", i.Digest.Short()+"-vulnerabilities.csv")
	return c.Send(b.Bytes())
}

func (s *Server) exportVulnsJSON(c *fiber.Ctx) error {
	i, list, err := s.vulnsOf(c)
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(present.VulnJSON(i, list), "", "  ")
	if err != nil {
		return err
	}
	download(c, fiber.MIMEApplicationJSON, i.Digest.Short()+"-vulnerabilities.json")
	return c.Send(body)
}

func (s *Server) downloadSBOM(c *fiber.Ctx) error {
	i, err := s.imageOf(c)
	if err != nil {
		return err
	}
	body, err := s.engine.Document(c.UserContext(), i.Account, engine.DocSBOM, string(i.Digest))
	if err != nil {
		return err
	}
	download(c, fiber.MIMEApplicationJSON, i.Digest.Short()+".syft.json")
	return c.Send(body)
}

func download(c *fiber.Ctx, kind, name string) {
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderContentDisposition, fmt.Sprintf("attachment; filename=%q", name))
	c.Set(fiber.HeaderCacheControl, "no-store")
}
