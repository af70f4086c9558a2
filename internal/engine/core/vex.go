package core

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"windlass/internal/engine"
	"windlass/internal/engine/vex/decode"
)

// vexHands bounds how many exploitability documents are being read at once: a
// large one takes some ten times its bytes.
const vexHands = 2

// VEXDocuments lists a page of an account's documents and how many there are.
func (c *Core) VEXDocuments(ctx context.Context, account string, f engine.VEXFilter) ([]engine.VEXDocument, int, error) {
	return c.store.VEXDocuments(ctx, account, f)
}

// VEXDocument is one document of an account.
func (c *Core) VEXDocument(ctx context.Context, account, id string) (engine.VEXDocument, error) {
	return c.store.VEXDocument(ctx, account, id)
}

// VEXBody is a document as it came.
func (c *Core) VEXBody(ctx context.Context, account, id string) ([]byte, error) {
	return c.store.VEXBody(ctx, account, id)
}

// VEXStatements lists a page of a document's statements.
func (c *Core) VEXStatements(ctx context.Context, account, id string, offset, limit int) ([]engine.VEXStatement, error) {
	return c.store.VEXStatements(ctx, account, id, offset, limit)
}

// VEXImages lists the images whose matches a document marks, most marks first.
func (c *Core) VEXImages(ctx context.Context, account, id string, limit int) ([]engine.VEXImage, error) {
	return c.store.VEXImages(ctx, account, id, limit)
}

// AddVEX reads a document and stores it, enabled. What is wrong with it is a
// Fault that names the statement and the field.
func (c *Core) AddVEX(ctx context.Context, account string, u engine.VEXUpload) (engine.VEXDocument, error) {
	if u.Image != "" {
		if _, err := c.store.Image(ctx, account, string(u.Image)); errors.Is(err, engine.ErrNotFound) {
			return engine.VEXDocument{}, engine.NotFoundf("the account has no image %s", u.Image)
		} else if err != nil {
			return engine.VEXDocument{}, err
		}
	}
	leave, err := c.documents.enter(ctx)
	if err != nil {
		return engine.VEXDocument{}, err
	}
	defer leave()
	d, list, err := decode.Document(u.Body, u.Image != "", time.Now())
	if err != nil {
		return d, err
	}
	sum := sha256.Sum256(u.Body)
	d.Account, d.Image, d.UploadedBy, d.SHA256 = account, u.Image, u.By, hex.EncodeToString(sum[:])
	if d, err = c.store.AddVEX(ctx, d, u.Body, list, c.source(engine.PolicyEngine)); err == nil {
		c.log.InfoContext(ctx, "VEX document added", "vex", d.ID, "account", account, "format", d.Format, "statements", d.Statements)
	}
	return d, err
}

// EnableVEX has the statements of a document count, or no longer.
func (c *Core) EnableVEX(ctx context.Context, account, id string, enabled bool) (engine.VEXDocument, error) {
	d, err := c.store.EnableVEX(ctx, account, id, enabled, c.source(engine.PolicyEngine))
	if err == nil {
		c.log.InfoContext(ctx, "VEX document changed", "vex", id, "account", account, "enabled", enabled)
	}
	return d, err
}

// DeleteVEX forgets a document.
func (c *Core) DeleteVEX(ctx context.Context, account, id string) error {
	err := c.store.DeleteVEX(ctx, account, id, c.source(engine.PolicyEngine))
	if err == nil {
		c.log.InfoContext(ctx, "VEX document removed", "vex", id, "account", account)
	}
	return err
}
