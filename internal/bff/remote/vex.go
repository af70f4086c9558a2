package remote

import (
	"bytes"
	"context"
	"net/url"
	"strconv"

	"windlass/internal/engine"
)

type wireVEX struct {
	ID         string `json:"id"`
	Format     string `json:"format"`
	Name       string `json:"name"`
	Version    string `json:"version"`
	Author     string `json:"author"`
	IssuedAt   stamp  `json:"issued_at"`
	Image      string `json:"image_digest"`
	Enabled    bool   `json:"enabled"`
	Statements int    `json:"statements"`
	Unplaced   int    `json:"unplaced"`
	SHA256     string `json:"sha256"`
	Size       int    `json:"size"`
	UploadedAt stamp  `json:"uploaded_at"`
	UploadedBy string `json:"uploaded_by"`
	UpdatedAt  stamp  `json:"last_updated"`
	Marks      struct {
		Images        int `json:"images"`
		NotAffected   int `json:"not_affected"`
		Fixed         int `json:"fixed"`
		Affected      int `json:"affected"`
		Investigating int `json:"under_investigation"`
	} `json:"marks"`
}

func vexOf(w wireVEX, account string) engine.VEXDocument {
	return engine.VEXDocument{
		Account: account, ID: w.ID, Image: engine.Digest(w.Image), Enabled: w.Enabled, Format: w.Format, Name: w.Name, Version: w.Version, Author: w.Author,
		IssuedAt: w.IssuedAt.Time, Statements: w.Statements, Unplaced: w.Unplaced, SHA256: w.SHA256, Bytes: w.Size,
		UploadedAt: w.UploadedAt.Time, UploadedBy: w.UploadedBy, UpdatedAt: w.UpdatedAt.Time, Marks: engine.VEXMarks(w.Marks),
	}
}

// wireMark is what a document says of a match.
type wireMark struct {
	Document      string `json:"document"`
	Statement     int    `json:"statement"`
	Status        string `json:"status"`
	Justification string `json:"justification"`
	Impact        string `json:"impact"`
	Author        string `json:"author"`
	At            stamp  `json:"at"`
}

func markOf(w *wireMark) *engine.VEX {
	if w == nil {
		return nil
	}
	return &engine.VEX{
		Document: w.Document, Statement: w.Statement, Status: engine.VEXStatus(w.Status), Justification: w.Justification,
		Impact: clean(w.Impact), Author: w.Author, At: w.At.Time,
	}
}

func pageQuery(offset, limit int) url.Values {
	if limit < 1 || limit > 1000 {
		limit = 100
	}
	return url.Values{"offset": {strconv.Itoa(max(offset, 0))}, "limit": {strconv.Itoa(limit)}}
}

const noVEX = "There is no such document. It may have been removed."

// VEXDocuments lists one page, and how many there are.
func (c *Client) VEXDocuments(ctx context.Context, account string, f engine.VEXFilter) ([]engine.VEXDocument, int, error) {
	var body struct {
		Documents []wireVEX `json:"documents"`
		Total     int       `json:"total_count"`
	}
	q := set(pageQuery(f.Offset, f.Limit), "imageDigest", string(f.Image))
	err := c.beyond(ctx, "GET /console/vex", call{query: q, account: account, out: &body})
	var list []engine.VEXDocument
	for _, w := range body.Documents {
		list = append(list, vexOf(w, account))
	}
	return list, body.Total, err
}

// VEXDocument is one of them.
func (c *Client) VEXDocument(ctx context.Context, account, id string) (engine.VEXDocument, error) {
	var w wireVEX
	err := c.beyond(ctx, "GET /console/vex/{vexId}", call{account: account, out: &w}, id)
	return vexOf(w, account), absent(err, noVEX)
}

// VEXBody is the document as it was uploaded.
func (c *Client) VEXBody(ctx context.Context, account, id string) ([]byte, error) {
	var body bytes.Buffer
	err := c.stream(ctx, "GET /console/vex/{vexId}/document", call{account: account}, &body, id)
	return body.Bytes(), absent(err, noVEX)
}

// VEXStatements lists a page of what it says.
func (c *Client) VEXStatements(ctx context.Context, account, id string, offset, limit int) ([]engine.VEXStatement, error) {
	var body struct {
		Statements []struct {
			Place         int      `json:"place"`
			Vulns         []string `json:"vulnerabilities"`
			Status        string   `json:"status"`
			Justification string   `json:"justification"`
			Impact        string   `json:"impact"`
			At            stamp    `json:"at"`
			Products      []struct {
				IDs   []string   `json:"ids"`
				Parts [][]string `json:"parts"`
			} `json:"products"`
		} `json:"statements"`
	}
	err := c.beyond(ctx, "GET /console/vex/{vexId}/statements", call{query: pageQuery(offset, limit), account: account, out: &body}, id)
	var list []engine.VEXStatement
	for _, w := range body.Statements {
		s := engine.VEXStatement{Place: w.Place, Vulns: w.Vulns, Status: engine.VEXStatus(w.Status), Justification: w.Justification, Impact: clean(w.Impact), At: w.At.Time}
		for _, p := range w.Products {
			s.Products = append(s.Products, engine.VEXProduct{IDs: p.IDs, Parts: p.Parts})
		}
		list = append(list, s)
	}
	return list, absent(err, noVEX)
}

// AddVEX uploads a document.
func (c *Client) AddVEX(ctx context.Context, account string, u engine.VEXUpload) (engine.VEXDocument, error) {
	var w wireVEX
	q := call{query: set(url.Values{}, "imageDigest", string(u.Image)), body: bytes.NewReader(u.Body), kind: "application/json", account: account, out: &w}
	err := c.changed(ctx, "POST /console/vex", q, engine.ChangeVEX, "")
	return vexOf(w, account), err
}

// EnableVEX has the statements of a document count, or not.
func (c *Client) EnableVEX(ctx context.Context, account, id string, enabled bool) (engine.VEXDocument, error) {
	var w wireVEX
	q := call{body: map[string]any{"enabled": enabled}, account: account, out: &w}
	err := c.changed(ctx, "PUT /console/vex/{vexId}", q, engine.ChangeVEX, id, id)
	return vexOf(w, account), absent(err, noVEX)
}

// DeleteVEX removes a document.
func (c *Client) DeleteVEX(ctx context.Context, account, id string) error {
	return absent(c.changed(ctx, "DELETE /console/vex/{vexId}", call{account: account}, engine.ChangeVEX, id, id), noVEX)
}
