package apiv1

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"windlass/internal/engine"
)

// VEX is what the operations on exploitability documents ask of the engine.
type VEX interface {
	VEXDocuments(ctx context.Context, account string, f engine.VEXFilter) ([]engine.VEXDocument, int, error)
	VEXDocument(ctx context.Context, account, id string) (engine.VEXDocument, error)
	// VEXBody is a document as it came.
	VEXBody(ctx context.Context, account, id string) ([]byte, error)
	VEXStatements(ctx context.Context, account, id string, offset, limit int) ([]engine.VEXStatement, error)
	// AddVEX reads a document and stores it, enabled. What is wrong with it is
	// a Fault that names the statement.
	AddVEX(ctx context.Context, account string, u engine.VEXUpload) (engine.VEXDocument, error)
	EnableVEX(ctx context.Context, account, id string, enabled bool) (engine.VEXDocument, error)
	DeleteVEX(ctx context.Context, account, id string) error
}

// maxVEX is one byte more than a document may have: the engine says that it is
// too long.
const maxVEX = 16<<20 + 1

func (s *Server) vexOps() map[string]op {
	return map[string]op{
		"listVEX":           {perm: acct("listVEX"), call: s.listVEX},
		"createVEX":         {perm: acct("createVEX"), call: s.createVEX, maxBody: maxVEX, heavy: true},
		"getVEX":            {perm: acct("getVEX"), call: s.getVEX},
		"updateVEX":         {perm: acct("updateVEX"), call: s.updateVEX},
		"deleteVEX":         {perm: acct("deleteVEX"), call: s.deleteVEX},
		"getVEXDocument":    {perm: acct("getVEX"), call: s.getVEXDocument},
		"listVEXStatements": {perm: acct("getVEX"), call: s.listVEXStatements},
	}
}

const noVEX = "VEX document not found"

// vexDocument is a document on the wire.
type vexDocument struct {
	ID          string   `json:"id"`
	UserID      string   `json:"userId"`
	Format      string   `json:"format"`
	Name        *string  `json:"name"`
	Version     *string  `json:"version"`
	Author      *string  `json:"author"`
	IssuedAt    *string  `json:"issued_at"`
	Image       *string  `json:"image_digest"`
	Enabled     bool     `json:"enabled"`
	Statements  int      `json:"statements"`
	Unplaced    int      `json:"unplaced"`
	SHA256      string   `json:"sha256"`
	Size        int      `json:"size"`
	UploadedAt  string   `json:"uploaded_at"`
	UploadedBy  string   `json:"uploaded_by"`
	LastUpdated string   `json:"last_updated"`
	Marks       vexMarks `json:"marks"`
}

type vexMarks struct {
	Images        int `json:"images"`
	NotAffected   int `json:"not_affected"`
	Fixed         int `json:"fixed"`
	Affected      int `json:"affected"`
	Investigating int `json:"under_investigation"`
}

func wireVEX(d engine.VEXDocument) vexDocument {
	v := vexDocument{
		ID: d.ID, UserID: d.Account, Format: d.Format, Name: orNil(d.Name), Version: orNil(d.Version), Author: orNil(d.Author),
		Image: orNil(string(d.Image)), Enabled: d.Enabled, Statements: d.Statements, Unplaced: d.Unplaced, SHA256: d.SHA256, Size: d.Bytes,
		UploadedAt: stamp(d.UploadedAt), UploadedBy: d.UploadedBy, LastUpdated: stamp(d.UpdatedAt), Marks: vexMarks(d.Marks),
	}
	if !d.IssuedAt.IsZero() {
		v.IssuedAt = orNil(stamp(d.IssuedAt))
	}
	return v
}

func (s *Server) listVEX(w http.ResponseWriter, r *request) error {
	f := engine.VEXFilter{Image: engine.Digest(r.queryText("imageDigest")), Limit: r.queryInt("limit", 100), Offset: r.queryInt("offset", 0)}
	list, total, err := s.backend.VEXDocuments(r.Context(), r.Account, f)
	if err != nil {
		return err
	}
	out := make([]vexDocument, len(list))
	for i, d := range list {
		out[i] = wireVEX(d)
	}
	return reply(w, map[string]any{"documents": out, "total_count": total})
}

func (s *Server) createVEX(w http.ResponseWriter, r *request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return bodyFault(err)
	}
	d, err := s.backend.AddVEX(r.Context(), r.Account, engine.VEXUpload{Body: body, Image: engine.Digest(r.queryText("imageDigest")), By: r.Identity.User})
	if err != nil {
		return err
	}
	return reply(w, wireVEX(d))
}

func (s *Server) getVEX(w http.ResponseWriter, r *request) error {
	d, err := s.backend.VEXDocument(r.Context(), r.Account, r.param("vexId"))
	if err != nil {
		return named(err, noVEX, "")
	}
	return reply(w, wireVEX(d))
}

func (s *Server) updateVEX(w http.ResponseWriter, r *request) error {
	var body struct {
		Enabled bool `json:"enabled"`
	}
	if err := r.decode(&body); err != nil {
		return err
	}
	d, err := s.backend.EnableVEX(r.Context(), r.Account, r.param("vexId"), body.Enabled)
	if err != nil {
		return named(err, noVEX, "")
	}
	return reply(w, wireVEX(d))
}

func (s *Server) deleteVEX(w http.ResponseWriter, r *request) error {
	if err := s.backend.DeleteVEX(r.Context(), r.Account, r.param("vexId")); err != nil {
		return named(err, noVEX, "")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) getVEXDocument(w http.ResponseWriter, r *request) error {
	body, err := s.backend.VEXBody(r.Context(), r.Account, r.param("vexId"))
	if err != nil {
		return named(err, noVEX, "")
	}
	w.Header().Set("Content-Type", "application/json")
	_, err = io.Copy(w, bytes.NewReader(body))
	return err
}

// vexStatement is a statement on the wire.
type vexStatement struct {
	Place         int           `json:"place"`
	Vulns         []string      `json:"vulnerabilities"`
	Status        string        `json:"status"`
	Justification *string       `json:"justification"`
	Impact        *string       `json:"impact"`
	At            string        `json:"at"`
	Products      []vexProducts `json:"products"`
}

type vexProducts struct {
	IDs   []string   `json:"ids"`
	Parts [][]string `json:"parts"`
}

func (s *Server) listVEXStatements(w http.ResponseWriter, r *request) error {
	id := r.param("vexId")
	d, err := s.backend.VEXDocument(r.Context(), r.Account, id)
	if err != nil {
		return named(err, noVEX, "")
	}
	list, err := s.backend.VEXStatements(r.Context(), r.Account, id, r.queryInt("offset", 0), r.queryInt("limit", 100))
	if err != nil {
		return err
	}
	out := make([]vexStatement, len(list))
	for i, v := range list {
		out[i] = vexStatement{
			Place: v.Place, Vulns: v.Vulns, Status: string(v.Status), Justification: orNil(v.Justification), Impact: orNil(v.Impact),
			At: stamp(v.At), Products: make([]vexProducts, len(v.Products)),
		}
		for j, p := range v.Products {
			q := vexProducts{IDs: p.IDs, Parts: make([][]string, len(p.Parts))}
			if q.IDs == nil {
				q.IDs = []string{}
			}
			for k, ids := range p.Parts {
				q.Parts[k] = append([]string{}, ids...)
			}
			out[i].Products[j] = q
		}
	}
	return reply(w, map[string]any{"statements": out, "total_count": d.Statements})
}

// vexMark is what a statement says of a match.
type vexMark struct {
	Document      string  `json:"document"`
	Statement     int     `json:"statement"`
	Status        string  `json:"status"`
	Justification *string `json:"justification"`
	Impact        *string `json:"impact"`
	Author        *string `json:"author"`
	At            string  `json:"at"`
}

func wireMark(v *engine.VEX) *vexMark {
	if v == nil {
		return nil
	}
	return &vexMark{
		Document: v.Document, Statement: v.Statement, Status: string(v.Status), Justification: orNil(v.Justification),
		Impact: orNil(v.Impact), Author: orNil(v.Author), At: stamp(v.At),
	}
}
