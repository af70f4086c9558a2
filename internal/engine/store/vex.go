package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"windlass/internal/engine"
)

// maxVEXDocuments is how many exploitability documents an account may have.
const maxVEXDocuments = 1000

// vexColumns are what scanVEX reads, of documents d.
const vexColumns = `
	d.pk, d.account, d.id, d.image, d.enabled, d.format, d.name, d.version, d.author, d.issued_at, d.statements, d.unplaced,
	d.sha256, d.bytes, d.uploaded_at, d.uploaded_by, d.updated_at, m.images, m.not_affected, m.fixed, m.affected, m.investigating`

// vexMarked counts what documents d mark.
const vexMarked = `
	LEFT JOIN LATERAL (
		SELECT count(*) AS images, COALESCE(sum(not_affected), 0) AS not_affected, COALESCE(sum(fixed), 0) AS fixed,
		       COALESCE(sum(affected), 0) AS affected, COALESCE(sum(investigating), 0) AS investigating
		  FROM vex_marks v WHERE v.document = d.pk) m ON true`

type vexRow struct {
	pk int64
	engine.VEXDocument
}

func scanVEX(r pgx.CollectableRow) (d vexRow, err error) {
	var issued *time.Time
	m := &d.Marks
	err = r.Scan(&d.pk, &d.Account, &d.ID, &d.Image, &d.Enabled, &d.Format, &d.Name, &d.Version, &d.Author, &issued, &d.Statements, &d.Unplaced,
		&d.SHA256, &d.Bytes, &d.UploadedAt, &d.UploadedBy, &d.UpdatedAt, &m.Images, &m.NotAffected, &m.Fixed, &m.Affected, &m.Investigating)
	d.IssuedAt, d.UploadedAt, d.UpdatedAt = zero(issued), d.UploadedAt.UTC(), d.UpdatedAt.UTC()
	return d, err
}

// productRow is a product of a statement as it is kept.
type productRow struct {
	IDs   []string   `json:"ids"`
	Parts [][]string `json:"parts,omitempty"`
}

func productRows(list []engine.VEXProduct) []productRow {
	rows := make([]productRow, len(list))
	for i, p := range list {
		rows[i] = productRow(p)
	}
	return rows
}

// scanProducts reads the products of a statement.
func scanProducts(raw []byte) ([]engine.VEXProduct, error) {
	var rows []productRow
	if err := json.Unmarshal(raw, &rows); err != nil {
		return nil, fmt.Errorf("products: %w", err)
	}
	list := make([]engine.VEXProduct, len(rows))
	for i, p := range rows {
		list[i] = engine.VEXProduct(p)
	}
	return list, nil
}

// AddVEX stores a document, enabled, and has the images evaluated that it may
// concern. The same document for the same images is engine.ErrConflict.
func (s *Store) AddVEX(ctx context.Context, d engine.VEXDocument, body []byte, list []engine.VEXStatement, src engine.Source) (engine.VEXDocument, error) {
	const count = `SELECT count(*) FROM vex_documents WHERE account = $1`
	const add = `
		INSERT INTO vex_documents (id, account, image, format, name, version, author, issued_at, statements, unplaced, sha256, bytes, encoding, body, uploaded_by)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
		ON CONFLICT (account, image, sha256) DO NOTHING RETURNING pk`
	const same = `SELECT id FROM vex_documents WHERE account = $1 AND image = $2 AND sha256 = $3`

	d.ID = engine.NewID()
	packed := packDocument(body)
	err := s.inTx(ctx, "add VEX document", func(tx pgx.Tx) error {
		if err := lockVEX(ctx, tx, d.Account); err != nil {
			return err
		}
		var n int
		if err := tx.QueryRow(ctx, count, d.Account).Scan(&n); err != nil {
			return err
		}
		if n >= maxVEXDocuments {
			return engine.Conflictf("the account has %d VEX documents, which is as many as it may have: remove one that is out of date", n)
		}
		var pk int64
		err := tx.QueryRow(ctx, add, d.ID, d.Account, string(d.Image), d.Format, d.Name, d.Version, d.Author, null(d.IssuedAt), d.Statements, d.Unplaced,
			d.SHA256, d.Bytes, packed.encoding, packed.body, d.UploadedBy).Scan(&pk)
		if errors.Is(err, pgx.ErrNoRows) {
			var id string
			if err := tx.QueryRow(ctx, same, d.Account, string(d.Image), d.SHA256).Scan(&id); err != nil {
				return err
			}
			return engine.Conflictf("this very document has been uploaded before: it is %s", id)
		}
		if err != nil {
			return err
		}
		if err := putStatements(ctx, tx, d.Account, pk, list); err != nil {
			return err
		}
		return s.vexChanged(ctx, tx, d, pk, "added", src)
	})
	if err != nil {
		return d, err
	}
	return s.VEXDocument(ctx, d.Account, d.ID)
}

func putStatements(ctx context.Context, tx pgx.Tx, account string, document int64, list []engine.VEXStatement) error {
	statements := pgx.CopyFromSlice(len(list), func(i int) ([]any, error) {
		v := &list[i]
		products, err := json.Marshal(productRows(v.Products))
		return []any{document, v.Place, v.Vulns, string(v.Status), v.Justification, v.Impact, v.At, products}, err
	})
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"vex_statements"},
		[]string{"document", "place", "vulns", "status", "justification", "impact", "said_at", "products"}, statements)
	if err != nil {
		return fmt.Errorf("statements: %w", err)
	}
	var rows [][]any
	for _, v := range list {
		for _, id := range v.Vulns {
			rows = append(rows, []any{account, id, document, v.Place})
		}
	}
	_, err = tx.CopyFrom(ctx, pgx.Identifier{"vex_vulns"}, []string{"account", "vuln", "document", "place"}, pgx.CopyFromRows(rows))
	if err != nil {
		return fmt.Errorf("statements: %w", err)
	}
	return nil
}

// lockVEX lets nobody else change the documents of an account.
func lockVEX(ctx context.Context, tx pgx.Tx, account string) error {
	_, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1, hashtext($2))`, vexLock, account)
	return err
}

// VEXDocuments lists a page of an account's documents, the latest first, and
// how many there are.
func (s *Store) VEXDocuments(ctx context.Context, account string, f engine.VEXFilter) ([]engine.VEXDocument, int, error) {
	const which = ` FROM vex_documents d WHERE d.account = $1 AND ($2 = '' OR d.image = $2)`
	const page = `WITH page AS (SELECT d.*` + which + ` ORDER BY d.uploaded_at DESC, d.pk DESC LIMIT $3 OFFSET $4)
		SELECT ` + vexColumns + ` FROM page d ` + vexMarked + ` ORDER BY d.uploaded_at DESC, d.pk DESC`

	limit := f.Limit
	if limit <= 0 {
		limit = defaultPage
	}
	var n int
	if err := s.pool.QueryRow(ctx, `SELECT count(*)`+which, account, string(f.Image)).Scan(&n); err != nil {
		return nil, 0, fmt.Errorf("VEX documents: %w", domain(err))
	}
	rows, err := s.pool.Query(ctx, page, account, string(f.Image), min(limit, maxPage), max(f.Offset, 0))
	if err != nil {
		return nil, 0, fmt.Errorf("VEX documents: %w", domain(err))
	}
	found, err := pgx.CollectRows(rows, scanVEX)
	if err != nil {
		return nil, 0, fmt.Errorf("VEX documents: %w", domain(err))
	}
	list := make([]engine.VEXDocument, len(found))
	for i, d := range found {
		list[i] = d.VEXDocument
	}
	return list, n, nil
}

// VEXDocument finds one document of an account.
func (s *Store) VEXDocument(ctx context.Context, account, id string) (engine.VEXDocument, error) {
	d, err := findVEX(ctx, s.pool, account, id)
	if err != nil {
		return d.VEXDocument, fmt.Errorf("VEX document: %w", domain(err))
	}
	return d.VEXDocument, nil
}

func findVEX(ctx context.Context, db querier, account, id string) (vexRow, error) {
	const q = `SELECT ` + vexColumns + ` FROM vex_documents d ` + vexMarked + ` WHERE d.account = $1 AND d.id = $2`

	if !isStorable(id) {
		return vexRow{}, engine.ErrNotFound
	}
	rows, err := db.Query(ctx, q, account, id)
	if err != nil {
		return vexRow{}, err
	}
	return pgx.CollectExactlyOneRow(rows, scanVEX)
}

// querier is a pool or a transaction.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
}

// VEXImages lists the images whose matches a document marks, as last counted,
// most marks first.
func (s *Store) VEXImages(ctx context.Context, account, id string, limit int) ([]engine.VEXImage, error) {
	const q = `
		SELECT i.digest, COALESCE(t.name, ''), m.not_affected, m.fixed, m.affected, m.investigating
		  FROM vex_documents d JOIN vex_marks m ON m.document = d.pk JOIN images i ON i.pk = m.image
		  LEFT JOIN LATERAL (
			SELECT registry || '/' || repository || ':' || tag AS name FROM image_tags WHERE image = i.pk
			 ORDER BY detected_at DESC, tag LIMIT 1) t ON true
		 WHERE d.account = $1 AND d.id = $2
		 ORDER BY m.not_affected + m.fixed + m.affected + m.investigating DESC, i.created_at DESC, i.pk DESC LIMIT $3`

	if !isStorable(id) {
		return nil, fmt.Errorf("VEX images: %w", engine.ErrNotFound)
	}
	rows, err := s.pool.Query(ctx, q, account, id, min(max(limit, 1), maxPage))
	if err != nil {
		return nil, fmt.Errorf("VEX images: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, func(r pgx.CollectableRow) (v engine.VEXImage, err error) {
		v.Marks.Images = 1
		err = r.Scan(&v.Digest, &v.Tag, &v.Marks.NotAffected, &v.Marks.Fixed, &v.Marks.Affected, &v.Marks.Investigating)
		return v, err
	})
	if err != nil {
		return nil, fmt.Errorf("VEX images: %w", domain(err))
	}
	return list, nil
}

// VEXBody is a document as it came.
func (s *Store) VEXBody(ctx context.Context, account, id string) ([]byte, error) {
	const q = `SELECT body, encoding FROM vex_documents WHERE account = $1 AND id = $2`

	if !isStorable(id) {
		return nil, fmt.Errorf("VEX document: %w", engine.ErrNotFound)
	}
	var body []byte
	var encoding string
	if err := s.pool.QueryRow(ctx, q, account, id).Scan(&body, &encoding); err != nil {
		return nil, fmt.Errorf("VEX document: %w", domain(err))
	}
	body, err := unpack(body, encoding)
	if err != nil {
		return nil, fmt.Errorf("VEX document: %w", err)
	}
	return body, nil
}

// VEXStatements lists a page of a document's statements in their order.
func (s *Store) VEXStatements(ctx context.Context, account, id string, offset, limit int) ([]engine.VEXStatement, error) {
	const q = `
		SELECT s.place, s.vulns, s.status, s.justification, s.impact, s.said_at, s.products
		  FROM vex_documents d JOIN vex_statements s ON s.document = d.pk
		 WHERE d.account = $1 AND d.id = $2 ORDER BY s.place OFFSET $3 LIMIT $4`

	if !isStorable(id) {
		return nil, fmt.Errorf("VEX statements: %w", engine.ErrNotFound)
	}
	rows, err := s.pool.Query(ctx, q, account, id, max(offset, 0), min(max(limit, 1), maxPage))
	if err != nil {
		return nil, fmt.Errorf("VEX statements: %w", domain(err))
	}
	list, err := pgx.CollectRows(rows, scanStatement)
	if err != nil {
		return nil, fmt.Errorf("VEX statements: %w", domain(err))
	}
	return list, nil
}

func scanStatement(r pgx.CollectableRow) (engine.VEXStatement, error) { return scanStatementMore(r) }

// scanStatementMore reads a statement, and into more the columns behind.
func scanStatementMore(r pgx.CollectableRow, more ...any) (v engine.VEXStatement, err error) {
	var products []byte
	into := []any{&v.Place, &v.Vulns, &v.Status, &v.Justification, &v.Impact, &v.At, &products}
	if err = r.Scan(append(into, more...)...); err != nil {
		return v, err
	}
	v.At = v.At.UTC()
	v.Products, err = scanProducts(products)
	return v, err
}

// EnableVEX has the statements of a document count, or no longer.
func (s *Store) EnableVEX(ctx context.Context, account, id string, enabled bool, src engine.Source) (engine.VEXDocument, error) {
	const q = `UPDATE vex_documents SET enabled = $2, updated_at = clock_timestamp() WHERE pk = $1`

	err := s.inTx(ctx, "enable VEX document", func(tx pgx.Tx) error {
		if err := lockVEX(ctx, tx, account); err != nil {
			return err
		}
		d, err := findVEX(ctx, tx, account, id)
		if err != nil || d.Enabled == enabled {
			return err
		}
		if _, err := tx.Exec(ctx, q, d.pk, enabled); err != nil {
			return err
		}
		what := "enabled"
		if !enabled {
			what = "disabled"
			if _, err := tx.Exec(ctx, `DELETE FROM vex_marks WHERE document = $1`, d.pk); err != nil {
				return err
			}
		}
		d.Enabled = enabled
		return s.vexChanged(ctx, tx, d.VEXDocument, d.pk, what, src)
	})
	if err != nil {
		return engine.VEXDocument{}, err
	}
	return s.VEXDocument(ctx, account, id)
}

// DeleteVEX forgets a document: what only it said of matches is no longer said.
func (s *Store) DeleteVEX(ctx context.Context, account, id string, src engine.Source) error {
	return s.inTx(ctx, "delete VEX document", func(tx pgx.Tx) error {
		if err := lockVEX(ctx, tx, account); err != nil {
			return err
		}
		d, err := findVEX(ctx, tx, account, id)
		if err != nil {
			return err
		}
		// What it concerned is asked for while its statements are there.
		if d.Enabled {
			if err := enqueueVEX(ctx, tx, d.VEXDocument, d.pk); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `DELETE FROM vex_documents WHERE pk = $1`, d.pk); err != nil {
			return err
		}
		return tellVEX(ctx, tx, d.VEXDocument, "deleted", src)
	})
}

// vexChanged has the images evaluated that a document may concern, and tells
// that it changed.
func (s *Store) vexChanged(ctx context.Context, tx pgx.Tx, d engine.VEXDocument, pk int64, what string, src engine.Source) error {
	if err := enqueueVEX(ctx, tx, d, pk); err != nil {
		return err
	}
	return tellVEX(ctx, tx, d, what, src)
}

func tellVEX(ctx context.Context, tx pgx.Tx, d engine.VEXDocument, what string, src engine.Source) error {
	details := map[string]any{
		"action": what, "format": d.Format, "document": d.Name, "author": d.Author, "statements": d.Statements,
		"sha256": d.SHA256, "uploaded_by": d.UploadedBy,
	}
	if d.Image != "" {
		details["image_digest"] = string(d.Image)
	}
	if err := emit(ctx, tx, engine.NewEvent(engine.EvVEXUpdated, d.Account, d.ID, details, src)); err != nil {
		return err
	}
	return record(ctx, tx, engine.ChangeVEX, d.Account, d.ID, nil)
}
