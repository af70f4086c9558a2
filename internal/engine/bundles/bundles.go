// Package bundles takes policy bundles in: those that clients post, those of a
// folder, and the one every account begins with. What a client posted is kept
// as it was written, keys this program does not know included; what a bundle
// means, and how large one may be, is package policy's to say.
package bundles

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// maxName bounds ids and names, which stand in lists and in an index.
const maxName = 512

const tooLong = "id and name of a bundle have at most 512 bytes"

// Read makes a bundle of the document that a client posted for an account. A
// document that is no valid bundle is a Fault that tells all that is wrong.
func Read(account string, document []byte) (engine.PolicyBundle, error) {
	b := engine.PolicyBundle{Account: account, Source: "local"}
	if !utf8.Valid(document) || !json.Valid(document) {
		return b, engine.Invalidf("the bundle is not valid JSON in UTF-8")
	}
	var doc bytes.Buffer
	if err := json.Compact(&doc, document); err != nil { // what no reader of JSON sees is not kept
		return b, fmt.Errorf("bundle: %w", err)
	}
	b.Document = doc.Bytes()
	parsed, err := policy.Parse(b.Document)
	if err == nil && parsed.ID == "" {
		sum := md5.Sum([]byte(account + ":" + parsed.Name)) // v1's rule for a bundle without an id
		b.Document = withID(b.Document, hex.EncodeToString(sum[:]))
		parsed, err = policy.Parse(b.Document)
	}
	if err != nil {
		return b, refused(policy.Problem{
			Severity: "error", Type: policy.ProblemValidation, Details: engine.MessageOf(err, "the document is no bundle"),
		})
	}
	if problems := parsed.Problems(); len(problems) > 0 {
		return b, refused(problems...)
	}
	if len(parsed.ID) > maxName || len(parsed.Name) > maxName {
		return b, engine.Invalidf(tooLong)
	}
	sum := sha256.Sum256(b.Document)
	b.ID, b.Name, b.Description, b.Digest = parsed.ID, parsed.Name, parsed.Description, hex.EncodeToString(sum[:])
	return b, nil
}

func refused(problems ...policy.Problem) error {
	return &engine.Fault{
		Kind: engine.ErrInvalid, Message: "Bundle failed validation",
		Detail: map[string]any{"validation_details": problems},
	}
}

// withID gives the id of a compact document a value, as its first key when it
// has none; all else stays as it is written.
func withID(doc []byte, id string) []byte {
	d := json.NewDecoder(bytes.NewReader(doc))
	from, to, comma := 1, 1, ","
	if _, err := d.Token(); err != nil {
		return doc
	}
	for d.More() {
		start := int(d.InputOffset())
		key, err := d.Token()
		var value json.RawMessage
		if err != nil || d.Decode(&value) != nil {
			return doc
		}
		if key == "id" {
			from, to, comma = start, int(d.InputOffset()), ""
			if doc[from] == ',' {
				from++
			}
			break
		}
	}
	var out bytes.Buffer
	out.Write(doc[:from])
	fmt.Fprintf(&out, `"id":%q%s`, id, comma) // hex digits need no escaping
	out.Write(doc[to:])
	return out.Bytes()
}
