package remote

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"time"

	"windlass/internal/engine"
)

type wirePolicy struct {
	ID          string          `json:"policyId"`
	Active      bool            `json:"active"`
	Source      string          `json:"policy_source"`
	CreatedAt   stamp           `json:"created_at"`
	UpdatedAt   stamp           `json:"last_updated"`
	Bundle      json.RawMessage `json:"policybundle"`
	Name        string          `json:"name"`
	Description string          `json:"description"`
}

func policyOf(w wirePolicy, account string) engine.PolicyBundle {
	b := engine.PolicyBundle{
		Account: account, ID: w.ID, Name: w.Name, Description: w.Description, Source: w.Source, Active: w.Active,
		CreatedAt: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time, DocumentAt: w.UpdatedAt.Time,
	}
	var flat bytes.Buffer
	if len(w.Bundle) < 3 || json.Compact(&flat, w.Bundle) != nil {
		return b // {}: a list without documents
	}
	sum := sha256.Sum256(flat.Bytes())
	b.Digest = hex.EncodeToString(sum[:])
	b.Document = w.Bundle
	if !bytes.Contains(w.Bundle, []byte("\n")) { // to be read and edited line by line
		var lines bytes.Buffer
		if json.Indent(&lines, w.Bundle, "", "  ") == nil {
			b.Document = lines.Bytes()
		}
	}
	var own struct{ Name, Description string }
	if json.Unmarshal(w.Bundle, &own) == nil {
		b.Name, b.Description = own.Name, own.Description
	}
	return b
}

// EachPolicy calls each with every bundle of an account, oldest first. The
// documents are asked for in any case: only they have a name in every v1.
func (c *Client) EachPolicy(ctx context.Context, account string, documents bool, each func(engine.PolicyBundle) error) error {
	list, err := kept(ctx, c, account, "policies", time.Second, func(ctx context.Context) ([]engine.PolicyBundle, error) {
		var all []wirePolicy
		if err := c.get(ctx, account, "/policies", url.Values{"detail": {"true"}}, &all); err != nil {
			return nil, err
		}
		var list []engine.PolicyBundle
		for _, w := range all {
			list = append(list, policyOf(w, account))
		}
		slices.SortStableFunc(list, func(a, b engine.PolicyBundle) int { return a.CreatedAt.Compare(b.CreatedAt) })
		return list, nil
	})
	if err != nil {
		return err
	}
	for _, b := range list {
		if !documents {
			b.Document = nil
		}
		if err := each(b); err != nil {
			return err
		}
	}
	return nil
}

// Policy is one bundle.
func (c *Client) Policy(ctx context.Context, account, id string) (engine.PolicyBundle, error) {
	var list []wirePolicy
	err := c.get(ctx, account, path("policies", id), url.Values{"detail": {"true"}}, &list)
	if err == nil && len(list) == 0 {
		err = engine.ErrNotFound
	}
	if err != nil {
		return engine.PolicyBundle{}, absent(err, "There is no bundle %s. It may have been deleted.", clip(id, 100))
	}
	return policyOf(list[0], account), nil
}

// EditPolicy changes a bundle that is the version which was seen. v1 cannot be
// asked to compare and change at once: between the two another may change it.
func (c *Client) EditPolicy(ctx context.Context, e engine.PolicyEdit) (engine.PolicyBundle, error) {
	id := e.ID
	if id == "" {
		var own struct{ ID string }
		if err := json.Unmarshal(e.Document, &own); err != nil || own.ID == "" {
			return engine.PolicyBundle{}, engine.Invalidf("The bundle has no id.")
		}
		id = own.ID
	}
	now, err := c.Policy(ctx, e.Account, id)
	switch {
	case errors.Is(err, engine.ErrNotFound) && e.Seen == "" && e.ID == "":
		return c.addPolicy(ctx, e)
	case err != nil:
		return now, err
	case e.Seen == "" && e.ID == "":
		return now, engine.Conflictf("There is a bundle %s already.", id)
	case e.Seen != "" && e.Seen != now.Digest:
		return now, engine.Conflictf("The bundle has been changed by somebody else in the meantime.")
	}
	document := e.Document
	if document == nil {
		document = now.Document
	}
	return c.putPolicy(ctx, e.Account, id, document, e.Activate || now.Active)
}

func (c *Client) addPolicy(ctx context.Context, e engine.PolicyEdit) (engine.PolicyBundle, error) {
	var w wirePolicy
	err := c.call(ctx, call{method: http.MethodPost, path: "/policies", body: bytes.NewReader(e.Document), kind: "application/json", account: e.Account, out: &w})
	if err != nil {
		return engine.PolicyBundle{}, err
	}
	c.altered(e.Account, engine.ChangePolicy, w.ID)
	if e.Activate {
		return c.putPolicy(ctx, e.Account, w.ID, e.Document, true)
	}
	if len(w.Bundle) < 3 {
		w.Bundle = e.Document
	}
	return policyOf(w, e.Account), nil
}

func (c *Client) putPolicy(ctx context.Context, account, id string, document []byte, active bool) (engine.PolicyBundle, error) {
	body := map[string]any{"policyId": id, "active": active, "policybundle": json.RawMessage(document)}
	q := url.Values{}
	if active {
		q.Set("active", "true")
	}
	var list []wirePolicy
	err := c.call(ctx, call{method: http.MethodPut, path: path("policies", id), query: q, body: body, account: account, out: &list})
	if err != nil {
		return engine.PolicyBundle{}, err
	}
	c.altered(account, engine.ChangePolicy, id)
	if len(list) == 0 {
		return c.Policy(ctx, account, id)
	}
	return policyOf(list[0], account), nil
}

// DeletePolicy deletes a bundle that is not the active one.
func (c *Client) DeletePolicy(ctx context.Context, account, id string) error {
	err := c.call(ctx, call{method: http.MethodDelete, path: path("policies", id), account: account})
	if err == nil {
		c.altered(account, engine.ChangePolicy, id)
	}
	return err
}

// DiagnosePolicy tells what this console finds wrong with a bundle; the engine
// looks at it once more when it is saved.
func (c *Client) DiagnosePolicy(text []byte) []engine.BundleFault {
	if c.knows.DiagnosePolicy == nil {
		return nil
	}
	return c.knows.DiagnosePolicy(text)
}

// DefaultPolicy is a bundle to begin with.
func (c *Client) DefaultPolicy() []byte {
	if c.knows.DefaultPolicy == nil {
		return []byte("{}")
	}
	return c.knows.DefaultPolicy()
}

// PolicyGates describes the gates of version 1.
func (c *Client) PolicyGates() []engine.PolicyGate {
	if c.knows.PolicyGates == nil {
		return nil
	}
	return c.knows.PolicyGates()
}

// APIDocument tells the operations of version 1, and those of a Windlass when
// there is one on the other side.
func (c *Client) APIDocument() ([]engine.APIGroup, error) {
	if c.knows.APIDocument == nil {
		return nil, lacks("APIDocument")
	}
	groups, err := c.knows.APIDocument()
	if err != nil || c.last().Windlass {
		return groups, err
	}
	var plain []engine.APIGroup
	for _, g := range groups {
		g.Operations = slices.DeleteFunc(slices.Clone(g.Operations), func(o engine.APIOperation) bool { return !o.V1 })
		if len(g.Operations) > 0 {
			plain = append(plain, g)
		}
	}
	return plain, nil
}
