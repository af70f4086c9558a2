package sbom

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/CycloneDX/cyclonedx-go"
	"github.com/anchore/syft/syft/format/common/cyclonedxhelpers"
	"github.com/anchore/syft/syft/format/common/spdxhelpers"
	"github.com/anchore/syft/syft/format/syftjson"
	syftsbom "github.com/anchore/syft/syft/sbom"
	"github.com/google/uuid"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/tagvalue"

	"windlass/internal/engine"
)

// encoder writes a document in one form.
type encoder func(w io.Writer, doc []byte, src Source) error

var encoders = map[string]encoder{
	engine.SyftJSON:      encodeSyft,
	engine.CycloneDXJSON: cycloneDX(cyclonedx.BOMFileFormatJSON),
	engine.CycloneDXXML:  cycloneDX(cyclonedx.BOMFileFormatXML),
	engine.SPDXJSON:      encodeSPDX(func(w io.Writer, d *spdx.Document) error { return plainJSON(w, d) }),
	engine.SPDXTagValue:  encodeSPDX(func(w io.Writer, d *spdx.Document) error { return tagvalue.Write(d, w) }),
}

// encodeSyft gives the document as it is stored.
func encodeSyft(w io.Writer, doc []byte, _ Source) error {
	_, err := w.Write(doc)
	return err
}

func cycloneDX(format cyclonedx.BOMFileFormat) encoder {
	return func(w io.Writer, doc []byte, src Source) error {
		s, err := decode(doc)
		if err != nil {
			return err
		}
		bom := cyclonedxhelpers.ToFormatModel(*s)
		bom.SerialNumber = identity(doc).URN()
		if bom.Metadata != nil {
			bom.Metadata.Timestamp = stamp(src.At)
		}
		e := cyclonedx.NewBOMEncoder(w, format)
		e.SetEscapeHTML(false)
		return e.Encode(bom)
	}
}

func encodeSPDX(write func(io.Writer, *spdx.Document) error) encoder {
	return func(w io.Writer, doc []byte, src Source) error {
		s, err := decode(doc)
		if err != nil {
			return err
		}
		d := spdxhelpers.ToFormatModel(*s)
		if d == nil {
			return engine.Invalidf("This SBOM cannot be written as SPDX.")
		}
		if src.Name != "" {
			d.DocumentName = src.Name
		}
		d.DocumentNamespace = namespace(d.DocumentNamespace, identity(doc))
		if d.CreationInfo != nil {
			d.CreationInfo.Created = stamp(src.At)
		}
		return write(w, d)
	}
}

func plainJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func decode(doc []byte) (*syftsbom.SBOM, error) {
	s, _, _, err := syftjson.NewFormatDecoder().Decode(bytes.NewReader(doc))
	if err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	return s, nil
}

// identity is the id of all documents made of one SBOM. The same number may
// stand in each: they are forms of one thing.
func identity(doc []byte) uuid.UUID { return uuid.NewSHA1(uuid.NameSpaceOID, doc) }

// namespace puts the identity in place of the random one with which syft ends
// the name of an SPDX document.
func namespace(made string, id uuid.UUID) string {
	const length = len("00000000-0000-0000-0000-000000000000")
	if cut := len(made) - length; cut > 0 && uuid.Validate(made[cut:]) == nil {
		return made[:cut] + id.String()
	}
	return strings.TrimSuffix(made, "/") + "/" + id.String()
}

func stamp(at time.Time) string {
	if at.IsZero() {
		at = time.Unix(0, 0)
	}
	return at.UTC().Format(time.RFC3339)
}
