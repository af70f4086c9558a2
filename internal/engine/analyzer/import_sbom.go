package analyzer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"

	"github.com/anchore/syft/syft/format/syftjson"
	"github.com/anchore/syft/syft/format/syftjson/model"
	"github.com/anchore/syft/syft/sbom"

	"windlass/internal/engine"
)

// readSBOM reads a document in syft's JSON of any age and writes it again in
// the form of today, which is what is stored, downloaded and matched. The SBOM
// it returns is read from that form, so that packages are known by the same
// keys in both.
func readSBOM(doc []byte) (s *sbom.SBOM, today []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	fields, err := currentFields(doc)
	if err != nil {
		return nil, nil, err
	}
	if s, err = decodeFields(fields); err != nil {
		// One entry that syft cannot read is not worth the whole document.
		if err := mendFields(fields); err != nil {
			return nil, nil, err
		}
		if s, err = decodeFields(fields); err != nil {
			return nil, nil, err
		}
	}
	if today, err = encodeSBOM(s); err != nil {
		return nil, nil, err
	}
	s, _, _, err = syftjson.NewFormatDecoder().Decode(bytes.NewReader(today))
	return s, today, err
}

func decodeFields(fields map[string]json.RawMessage) (*sbom.SBOM, error) {
	doc, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	s, _, _, err := syftjson.NewFormatDecoder().Decode(bytes.NewReader(doc))
	return s, err
}

const (
	oldSchema    = "1.0.0"
	oldSchemaURL = "https://raw.githubusercontent.com/anchore/syft/main/schema/json/schema-1.0.0.json"
)

// currentFields takes a document apart and fills in what documents of syft's
// first releases lack and its decoder asks for.
func currentFields(doc []byte) (map[string]json.RawMessage, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(withoutNUL(doc), &fields); err != nil {
		return nil, err
	}
	if len(fields["artifacts"]) == 0 {
		return nil, engine.Invalidf("it has no artifacts")
	}
	var schema model.Schema
	_ = json.Unmarshal(fields["schema"], &schema) // what is not readable is replaced
	if schema.Version == "" || !strings.Contains(schema.URL, "anchore/syft") {
		fields["schema"] = asJSON(model.Schema{Version: or(schema.Version, oldSchema), URL: oldSchemaURL})
	}
	fields["distro"] = currentDistro(fields["distro"])
	fields["source"] = currentSource(fields["source"])
	return fields, nil
}

// oldDistros are names that syft's first releases gave distributions whose
// os-release says otherwise.
var oldDistros = map[string]string{
	"redhat": "rhel", "amazonlinux": "amzn", "oraclelinux": "ol", "archlinux": "arch",
}

// currentDistro turns the three fields that a distribution once had into those
// of os-release.
func currentDistro(raw json.RawMessage) json.RawMessage {
	var d map[string]any
	if json.Unmarshal(raw, &d) != nil || d == nil {
		return json.RawMessage(`{}`)
	}
	text := func(key string) string { s, _ := d[key].(string); return s }
	if text("id") == "" && text("name") != "" {
		id := strings.ToLower(text("name"))
		d["id"] = or(oldDistros[id], id)
		if text("versionID") == "" {
			d["versionID"] = text("version")
		}
	}
	if text("idLike") == "" {
		if _, list := d["idLike"].([]any); !list {
			delete(d, "idLike")
		}
	}
	return asJSON(d)
}

// currentSource lets go of what a source says of its target where that is not
// what its type promises; nothing here reads it.
func currentSource(raw json.RawMessage) json.RawMessage {
	var s model.Source
	if json.Unmarshal(raw, &s) == nil {
		return raw
	}
	var old struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	}
	_ = json.Unmarshal(raw, &old)
	return asJSON(map[string]string{"name": old.Name, "version": old.Version, "type": ""})
}

// mendFields drops of each artifact what syft cannot read of it, and all
// relationships and files, which may be at fault too.
func mendFields(fields map[string]json.RawMessage) error {
	for _, name := range []string{"artifactRelationships", "files", "descriptor"} {
		delete(fields, name)
	}
	var list []map[string]json.RawMessage
	if err := json.Unmarshal(fields["artifacts"], &list); err != nil {
		return err
	}
	for n, a := range list {
		if err := mendArtifact(a); err != nil {
			return fmt.Errorf("artifact %d: %w", n, err)
		}
	}
	fields["artifacts"] = asJSON(list)
	return nil
}

// mendArtifact drops one part after the other until the rest can be read. The
// metadata goes first: its shape is what changed most.
func mendArtifact(a map[string]json.RawMessage) error {
	err := decodable(a)
	for _, part := range []string{"metadata", "licenses", "cpes", "locations"} {
		if err == nil {
			return nil
		}
		delete(a, part)
		if part == "metadata" {
			delete(a, "metadataType")
		}
		err = decodable(a)
	}
	return err
}

func decodable(artifact map[string]json.RawMessage) error {
	var p model.Package
	return json.Unmarshal(asJSON(artifact), &p)
}

// withoutNUL replaces the escape of the one character that the database's
// texts cannot hold.
func withoutNUL(doc []byte) []byte {
	nul := []byte(`\u0000`)
	if !bytes.Contains(doc, nul) {
		return doc
	}
	out := bytes.Clone(doc)
	for i := 0; i < len(out); i++ {
		if out[i] != '\\' {
			continue
		}
		if bytes.HasPrefix(out[i:], nul) {
			copy(out[i:], `\ufffd`)
		}
		i++ // what follows a backslash is part of its escape
	}
	return out
}

func asJSON(v any) json.RawMessage {
	raw, _ := json.Marshal(v) // strings and decoded JSON always marshal
	return raw
}
