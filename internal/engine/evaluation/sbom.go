package evaluation

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// fromSBOM reads what only the SBOM, in syft's JSON, tells of an image: what
// its distribution is like, and the files that package databases claim. One
// artifact at a time, so that a large document is not in memory twice.
func fromSBOM(doc []byte, img *policy.Image) error {
	d := json.NewDecoder(bytes.NewReader(doc))
	if _, err := d.Token(); err != nil {
		return sbomError(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return sbomError(err)
		}
		switch key {
		case "distro":
			var raw json.RawMessage
			if err := d.Decode(&raw); err != nil {
				return sbomError(err)
			}
			img.Like = like(raw)
		case "artifacts":
			if err := artifacts(d, img); err != nil {
				return sbomError(err)
			}
		default:
			var skip json.RawMessage
			if err := d.Decode(&skip); err != nil {
				return sbomError(err)
			}
		}
	}
	return nil
}

// like reads the names of a distribution's relatives: a list, or in old
// documents a text.
func like(distro json.RawMessage) string {
	var many struct {
		Like []string `json:"idLike"`
	}
	if json.Unmarshal(distro, &many) == nil {
		return strings.Join(many.Like, ",")
	}
	var one struct {
		Like string `json:"idLike"`
	}
	_ = json.Unmarshal(distro, &one) // what is neither names none
	return strings.Join(strings.Fields(one.Like), ",")
}

func sbomError(err error) error { return fmt.Errorf("document %s: %w", engine.DocSBOM, err) }

func artifacts(d *json.Decoder, img *policy.Image) error {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return err // null: none
	}
	for d.More() {
		var a artifact
		if err := d.Decode(&a); err != nil {
			return err
		}
		if a.Type != "deb" && a.Type != "apk" && a.Type != "rpm" {
			continue
		}
		// An imported document may hold something else there: then the
		// package claims no files.
		var m struct {
			Files []packageFile `json:"files"`
		}
		if json.Unmarshal(a.Metadata, &m) != nil {
			continue
		}
		for _, f := range m.Files {
			if f.Path != "" {
				img.Records = append(img.Records, f.record(a.Name))
			}
		}
	}
	_, err := d.Token()
	return err
}

type artifact struct {
	Name     string          `json:"name"`
	Type     string          `json:"type"`
	Metadata json.RawMessage `json:"metadata"`
}

// packageFile is a file as the databases of dpkg, apk and rpm have it.
type packageFile struct {
	Path   string `json:"path"`
	Digest struct {
		Algorithm string `json:"algorithm"`
		Value     string `json:"value"`
	} `json:"digest"`
	Config      bool   `json:"isConfigFile"` // dpkg
	Permissions string `json:"permissions"`  // apk, octal
	Mode        *int64 `json:"mode"`         // rpm
	Size        *int64 `json:"size"`         // rpm
	Flags       string `json:"flags"`        // rpm; c: configuration
}

func (f packageFile) record(name string) policy.Record {
	r := policy.Record{Package: name, Path: f.Path, Mode: f.Permissions, Size: -1, Config: f.Config || strings.Contains(f.Flags, "c"), Ghost: strings.Contains(f.Flags, "g")}
	if !strings.HasPrefix(r.Path, "/") {
		r.Path = "/" + r.Path
	}
	if f.Mode != nil {
		r.Mode = strconv.FormatInt(*f.Mode&0o7777, 8)
	}
	if f.Size != nil {
		r.Size = *f.Size
	}
	r.Algorithm, r.Digest = strings.ToLower(f.Digest.Algorithm), f.Digest.Value
	if sum, ok := strings.CutPrefix(f.Digest.Value, "Q1"); ok { // apk: base64 of a sha1
		if raw, err := base64.StdEncoding.DecodeString(sum); err == nil {
			r.Algorithm, r.Digest = "sha1", hex.EncodeToString(raw)
		}
	}
	if r.Digest == "" {
		r.Algorithm = ""
	}
	return r
}
