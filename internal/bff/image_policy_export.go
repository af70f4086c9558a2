package bff

import (
	"bytes"
	"encoding/csv"
	"encoding/json"

	"github.com/gofiber/fiber/v2"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

// policyRows is an evaluation with those rows that the query selects.
func (s *Server) policyRows(c *fiber.Ctx) (engine.Judgement, []engine.JudgementRow, error) {
	i, err := s.imageOf(c)
	if err != nil {
		return engine.Judgement{}, nil, err
	}
	if i.State != engine.Analyzed {
		return engine.Judgement{}, nil, engine.NotFoundf("The image is not analyzed: there is no evaluation of it.")
	}
	in, err := s.policyOf(c, i)
	if err != nil {
		return engine.Judgement{}, nil, err
	}
	if in.Verdict == nil {
		return engine.Judgement{}, nil, engine.NotFoundf("There is no evaluation of this image.")
	}
	return *in.Verdict, in.Query.Select(in.Verdict.Rows), nil
}

func (s *Server) exportPolicyCSV(c *fiber.Ctx) error {
	v, rows, err := s.policyRows(c)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := csv.NewWriter(&b).WriteAll(present.PolicyCSV(rows)); err != nil {
		return err
	}
	download(c, "text/csv; charset=utf-8", v.Digest.Short()+"-policy.csv")
	return c.Send(b.Bytes())
}

func (s *Server) exportPolicyJSON(c *fiber.Ctx) error {
	v, rows, err := s.policyRows(c)
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(present.PolicyJSON(v, rows), "", "  ")
	if err != nil {
		return err
	}
	download(c, fiber.MIMEApplicationJSON, v.Digest.Short()+"-policy.json")
	return c.Send(body)
}
