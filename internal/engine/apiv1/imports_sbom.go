package apiv1

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// maxSBOMText bounds what of an artifact becomes a key of the database.
const maxSBOMText = 1024

// checkSBOM holds an uploaded document against the shape of syft's JSON: of
// its first releases, which name a distribution by three fields and a source
// by its target, and of those of today. What neither needs is not asked for.
func checkSBOM(body []byte, contentType string) error {
	if err := checkObject(body, contentType); err != nil {
		return err
	}
	var doc struct {
		Artifacts *[]json.RawMessage `json:"artifacts"`
		Source    *struct {
			Type *string `json:"type"`
		} `json:"source"`
		Distro *struct {
			Name    *string         `json:"name"`
			Version *string         `json:"version"`
			ID      *string         `json:"id"`
			IDLike  json.RawMessage `json:"idLike"`
		} `json:"distro"`
	}
	if err := json.Unmarshal(body, &doc); err != nil {
		return shapeProblem(err)
	}
	switch {
	case doc.Artifacts == nil:
		return missingProperty("artifacts")
	case doc.Source == nil:
		return missingProperty("source")
	case doc.Distro == nil:
		return missingProperty("distro")
	case doc.Source.Type == nil:
		return missingProperty("source.type")
	}
	if !textOrTexts(doc.Distro.IDLike) {
		return &problem{status: http.StatusBadRequest, detail: "Request body: distro.idLike: the value must be a string"}
	}
	for n, raw := range *doc.Artifacts {
		if err := checkArtifact(raw); err != nil {
			err.detail = fmt.Sprintf("Request body: artifacts.%d: %s", n, err.detail)
			return err
		}
	}
	return nil
}

func checkArtifact(raw json.RawMessage) *problem {
	bad := func(format string, args ...any) *problem {
		return &problem{status: http.StatusBadRequest, detail: fmt.Sprintf(format, args...)}
	}
	var a *struct {
		ID           string            `json:"id"`
		Name         *string           `json:"name"`
		Version      *string           `json:"version"`
		Type         *string           `json:"type"`
		Language     string            `json:"language"`
		MetadataType string            `json:"metadataType"`
		PURL         string            `json:"purl"`
		Locations    []json.RawMessage `json:"locations"`
		Licenses     []json.RawMessage `json:"licenses"`
		CPEs         []json.RawMessage `json:"cpes"`
	}
	err := json.Unmarshal(raw, &a)
	switch {
	case err != nil:
		return bad("%s", shapeProblem(err).detail)
	case a == nil:
		return bad("the value must be an object")
	case a.Name == nil:
		return bad("property \"name\" is missing")
	case a.Version == nil:
		return bad("property \"version\" is missing")
	case a.Type == nil:
		return bad("property \"type\" is missing")
	case len(*a.Name) > maxSBOMText || len(*a.Version) > maxSBOMText || len(*a.Type) > maxSBOMText || len(a.ID) > maxSBOMText:
		return bad("a name, version, type or id is longer than %d bytes", maxSBOMText)
	}
	for _, l := range a.Locations {
		if l[0] != '{' {
			return bad("locations: the values must be objects")
		}
	}
	return nil
}

// textOrTexts reports whether a value is a string, a list or absent.
func textOrTexts(raw json.RawMessage) bool {
	return len(raw) == 0 || raw[0] == '"' || raw[0] == '[' || string(raw) == "null"
}

func missingProperty(name string) error {
	return &problem{status: http.StatusBadRequest, detail: fmt.Sprintf("Request body: property %q is missing", name)}
}

// shapeProblem names the field of a wrong type, in place of the decoder's
// words about Go types.
func shapeProblem(err error) *problem {
	where := "the document has an unexpected shape"
	if te, ok := err.(*json.UnmarshalTypeError); ok && te.Field != "" { //nolint:errorlint // the decoder does not wrap
		where = strings.TrimSpace(te.Field) + ": has the wrong type: " + te.Value
	}
	return &problem{status: http.StatusBadRequest, detail: where}
}
