package decode

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	openvex "github.com/openvex/go-vex/pkg/vex"

	"windlass/internal/engine"
)

// openStatement is a statement as OpenVEX writes it. The library's own type
// would do but for its times: it could not say which of them is wrong.
type openStatement struct {
	Vulnerability openvex.Vulnerability `json:"vulnerability"`
	Timestamp     string                `json:"timestamp"`
	LastUpdated   string                `json:"last_updated"`
	Products      []openvex.Product     `json:"products"`
	Status        openvex.Status        `json:"status"`
	StatusNotes   string                `json:"status_notes"`
	Justification openvex.Justification `json:"justification"`
	Impact        string                `json:"impact_statement"`
	Action        string                `json:"action_statement"`
}

var reContext = regexp.MustCompile(`^https://openvex\.dev/ns(/v0\.2(\.[0-9]+)?)?/?$`)

func (r *reader) openVEX(body []byte) error {
	var doc struct {
		Context     string            `json:"@context"`
		ID          string            `json:"@id"`
		Author      string            `json:"author"`
		Timestamp   string            `json:"timestamp"`
		LastUpdated string            `json:"last_updated"`
		Version     json.RawMessage   `json:"version"`
		Statements  []json.RawMessage `json:"statements"`
	}
	top := place{n: -1}
	if err := top.decode(body, &doc); err != nil {
		return err
	}
	if !reContext.MatchString(doc.Context) {
		return top.wrong("@context", "%q is not that of OpenVEX 0.2, https://openvex.dev/ns/v0.2.0", clip(doc.Context))
	}
	r.doc.Format, r.doc.Name, r.doc.Author, r.doc.Version = engine.VEXOpen, doc.ID, doc.Author, strings.Trim(string(doc.Version), `"`)
	if err := r.head(top, "@id", "author"); err != nil {
		return err
	}
	issued, err := r.at(top, "timestamp", doc.Timestamp)
	if err != nil {
		return err
	}
	if issued.IsZero() {
		return top.wrong("timestamp", "missing: which of several statements counts is told by the time")
	}
	updated, err := r.at(top, "last_updated", doc.LastUpdated)
	if err != nil {
		return err
	}
	r.doc.IssuedAt = later(issued, updated)
	if err := r.count(top, "statements", len(doc.Statements)); err != nil {
		return err
	}
	for i, raw := range doc.Statements {
		s, err := r.openStatement(place{n: i, path: fmt.Sprintf("statements[%d]", i)}, raw)
		if err != nil {
			return err
		}
		r.list = append(r.list, s)
	}
	return nil
}

// head holds what a document says of itself against the bounds.
func (r *reader) head(p place, id, author string) error {
	if err := p.text(id, r.doc.Name, maxName); err != nil {
		return err
	}
	if err := p.text(author, r.doc.Author, 512); err != nil {
		return err
	}
	return p.text("version", r.doc.Version, 64)
}

// count holds the number of statements against the bounds.
func (r *reader) count(p place, field string, n int) error {
	switch {
	case n == 0:
		return p.wrong(field, "there are none: the document says nothing")
	case n > MaxStatements:
		return p.wrong(field, "%d of them, more than %d", n, MaxStatements)
	}
	r.list = make([]engine.VEXStatement, 0, n)
	return nil
}

func (r *reader) openStatement(p place, raw json.RawMessage) (engine.VEXStatement, error) {
	var in openStatement
	out := engine.VEXStatement{Place: p.n + 1}
	if err := p.decode(raw, &in); err != nil {
		return out, err
	}
	ids := []string{string(in.Vulnerability.Name)}
	if in.Vulnerability.Name == "" {
		ids[0] = lastPart(in.Vulnerability.ID) // an address ends with the id
	}
	for _, a := range in.Vulnerability.Aliases {
		ids = append(ids, string(a))
	}
	var err error
	if out.Vulns, err = p.vulns("vulnerability", ids); err != nil {
		return out, err
	}
	if len(out.Vulns) == 0 {
		return out, p.wrong("vulnerability.name", "missing")
	}
	p.vuln = out.Vulns[0]
	if err := p.openStatus(&in); err != nil {
		return out, err
	}
	out.Status, out.Justification = engine.VEXStatus(in.Status), string(in.Justification)
	if out.Impact = in.Impact; out.Impact == "" {
		out.Impact = or(in.Action, in.StatusNotes)
	}
	if err := p.text("impact_statement", out.Impact, maxText); err != nil {
		return out, err
	}
	if out.At, err = r.openTime(p, &in); err != nil {
		return out, err
	}
	out.Products, err = r.openProducts(p, in.Products)
	return out, err
}

// openTime is since when a statement holds: its own time, or the document's.
func (r *reader) openTime(p place, in *openStatement) (time.Time, error) {
	said, err := r.at(p, "timestamp", in.Timestamp)
	if err != nil {
		return said, err
	}
	updated, err := r.at(p, "last_updated", in.LastUpdated)
	if at := later(said, updated); err != nil || !at.IsZero() {
		return at, err
	}
	return r.doc.IssuedAt, nil
}

// openStatus holds a statement against what OpenVEX asks of its status.
func (p place) openStatus(in *openStatement) error {
	s := openvex.Statement{Status: in.Status, Justification: in.Justification, ImpactStatement: in.Impact, ActionStatement: in.Action}
	err := s.Validate()
	if err == nil {
		return nil
	}
	// The library words what is wrong; which field it is follows from the rules.
	field := "status"
	switch {
	case !in.Status.Valid():
		if in.Status == "" {
			return p.wrong(field, "missing: one of %s", strings.Join(openvex.Statuses(), ", "))
		}
	case in.Justification != "" && (in.Status != openvex.StatusNotAffected || !in.Justification.Valid()),
		in.Status == openvex.StatusNotAffected && in.Justification == "" && in.Impact == "":
		field = "justification"
	case in.Impact != "" && in.Status != openvex.StatusNotAffected:
		field = "impact_statement"
	default:
		field = "action_statement"
	}
	return p.wrong(field, "%s", clipLong(err.Error()))
}

func (r *reader) openProducts(p place, in []openvex.Product) ([]engine.VEXProduct, error) {
	switch {
	case len(in) == 0:
		return nil, p.wrong("products", "missing: the statement speaks of nothing")
	case len(in) > maxProducts:
		return nil, p.wrong("products", "%d of them, more than %d", len(in), maxProducts)
	}
	list := make([]engine.VEXProduct, 0, len(in))
	for i := range in {
		path := fmt.Sprintf("products[%d]", i)
		ids, err := r.component(p, path, &in[i].Component)
		if err != nil {
			return nil, err
		}
		product := engine.VEXProduct{IDs: ids}
		for j := range in[i].Subcomponents {
			part, err := r.component(p, fmt.Sprintf("%s.subcomponents[%d]", path, j), &in[i].Subcomponents[j].Component)
			if err != nil {
				return nil, err
			}
			product.Parts = append(product.Parts, part)
		}
		list = append(list, product)
	}
	return list, nil
}

// component lists the names of a product, or of a part of one.
func (r *reader) component(p place, path string, c *openvex.Component) ([]string, error) {
	var ids []string
	add := func(field, id string) error {
		if id == "" || slices.Contains(ids, id) {
			return nil
		}
		ids = append(ids, id)
		return r.name(p, path+"."+field, id)
	}
	if err := add("@id", c.ID); err != nil {
		return nil, err
	}
	if purl := c.Identifiers[openvex.PURL]; purl != "" {
		if !strings.HasPrefix(purl, "pkg:") {
			return nil, p.wrong(path+".identifiers.purl", "%q is no package URL", clip(purl))
		}
		if err := add("identifiers.purl", purl); err != nil {
			return nil, err
		}
	}
	for _, kind := range []openvex.Algorithm{openvex.SHA256, "sha256"} {
		if sum := string(c.Hashes[kind]); sum != "" {
			if err := add("hashes."+string(kind), "sha256:"+strings.TrimPrefix(sum, "sha256:")); err != nil {
				return nil, err
			}
		}
	}
	if len(ids) == 0 && len(c.Identifiers) == 0 && len(c.Hashes) == 0 {
		return nil, p.wrong(path, "has neither @id nor identifiers nor hashes")
	}
	return ids, nil
}

func lastPart(address string) string {
	return address[strings.LastIndexAny(address, "/#=")+1:]
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func clipLong(s string) string {
	if len(s) > 400 {
		return strings.ToValidUTF8(s[:400], "") + "..."
	}
	return s
}
