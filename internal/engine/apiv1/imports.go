package apiv1

import (
	"context"
	"encoding/json"
	"iter"
	"net/http"
	"strings"

	"windlass/internal/engine"
)

// Imports is what the import operations ask of the engine: an analysis that
// was made elsewhere is uploaded piece by piece and then made an image of.
type Imports interface {
	AddImport(ctx context.Context, account string) (engine.Import, error)
	Import(ctx context.Context, account, id string) (engine.Import, error)
	Imports(ctx context.Context, account string) iter.Seq2[engine.Import, error]
	// InvalidateImport gives an import up; one that has ended stays as it is.
	InvalidateImport(ctx context.Context, account, id string) (engine.Import, error)
	// AddImportContent keeps an upload: engine.ErrNotFound for an unknown
	// import, engine.ErrConflict for one that takes no more.
	AddImportContent(ctx context.Context, account, id string, c engine.ImportContent, body []byte) (engine.ImportContent, error)
	ImportContents(ctx context.Context, account, id string, kind engine.ImportKind) ([]engine.ImportContent, error)
	// FinishImport makes an image of an import under all of names.
	FinishImport(ctx context.Context, f engine.FinishImport, names []string) (engine.Image, error)
}

func (s *Server) importsOps() map[string]op {
	p := acct("importImage")
	ops := map[string]op{
		"createImport": {perm: p, call: s.createImport},
		"listImports":  {perm: p, call: s.listImports},
		"getImport":    {perm: p, call: s.getImport, quiet: true},
		"deleteImport": {perm: p, call: s.deleteImport},
	}
	hands := newShare(uploadHands, uploadHands-1)
	for _, u := range importUploads {
		ops["list"+strings.TrimSuffix(u.name, "s")+"s"] = op{perm: p, call: s.listImportContents(u.kind)}
		// One byte more than is taken, so that too large is told in this
		// operation's own way.
		ops["upload"+u.name] = op{perm: p, call: s.uploadImportContent(u, hands), maxBody: engine.MaxImportContent + 1, timeout: uploadTimeout}
	}
	return ops
}

// importOperation is an import as this API shows it.
type importOperation struct {
	UUID        string `json:"uuid"`
	Account     string `json:"account"`
	Status      string `json:"status"`
	ExpiresAt   string `json:"expires_at"`
	CreatedAt   string `json:"created_at"`
	LastUpdated string `json:"last_updated"`
	LastUpdate  string `json:"last_update"`
}

func wireImport(o engine.Import) importOperation {
	return importOperation{
		UUID: o.ID, Account: o.Account, Status: string(o.Status), ExpiresAt: stamp(o.ExpiresAt),
		CreatedAt: stamp(o.CreatedAt), LastUpdated: stamp(o.UpdatedAt), LastUpdate: stamp(o.UpdatedAt),
	}
}

func (s *Server) createImport(w http.ResponseWriter, r *request) error {
	o, err := s.backend.AddImport(r.Context(), r.Account)
	if err != nil {
		return err
	}
	return reply(w, wireImport(o))
}

func (s *Server) listImports(w http.ResponseWriter, r *request) error {
	return replyList(w, func(yield func(importOperation, error) bool) {
		for o, err := range s.backend.Imports(r.Context(), r.Account) {
			if !yield(wireImport(o), err) {
				return
			}
		}
	})
}

func (s *Server) getImport(w http.ResponseWriter, r *request) error {
	o, err := s.backend.Import(r.Context(), r.Account, r.param("operation_id"))
	if err != nil {
		return importMissing(err)
	}
	return reply(w, wireImport(o))
}

func (s *Server) deleteImport(w http.ResponseWriter, r *request) error {
	o, err := s.backend.InvalidateImport(r.Context(), r.Account, r.param("operation_id"))
	if err != nil {
		return importMissing(err)
	}
	return reply(w, wireImport(o))
}

// importMissing is how the absence of an import is told: an error of the
// catalog, whole, within the text of another.
func importMissing(err error) error {
	if !isMissing(err) {
		return err
	}
	inner, _ := json.Marshal(Error{
		Message: "import operation not found", HTTPCode: http.StatusNotFound, Detail: map[string]any{"error_codes": []string{}},
	})
	return errorf(http.StatusInternalServerError, "cannot get import operation - exception: %s", inner)
}
