package report

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Place is where a package stands: the file that tells of it, and the layer
// that brought the file.
type Place struct{ Path, Layer string }

// Places reads from an SBOM in syft's JSON where packages stand, of those whose
// keys are wanted. It reads one package at a time, so that a large document is
// not in memory twice.
func Places(doc []byte, wanted map[string]bool) (map[string]Place, error) {
	places := map[string]Place{}
	d := json.NewDecoder(bytes.NewReader(doc))
	if _, err := d.Token(); err != nil {
		return nil, fmt.Errorf("places: %w", err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("places: %w", err)
		}
		if key != "artifacts" {
			var skip json.RawMessage
			if err := d.Decode(&skip); err != nil {
				return nil, fmt.Errorf("places: %w", err)
			}
			continue
		}
		if err := readPlaces(d, wanted, places); err != nil {
			return nil, fmt.Errorf("places: %w", err)
		}
	}
	return places, nil
}

func readPlaces(d *json.Decoder, wanted map[string]bool, places map[string]Place) error {
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return err // null: none
	}
	for d.More() {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return err
		}
		var a struct {
			ID        string `json:"id"`
			Locations []struct {
				Path  string `json:"path"`
				Layer string `json:"layerID"`
			} `json:"locations"`
		}
		// An imported document may hold something else there: then nobody knows
		// where the package stands.
		if json.Unmarshal(raw, &a) != nil || !wanted[a.ID] || len(a.Locations) == 0 {
			continue
		}
		places[a.ID] = Place{a.Locations[0].Path, a.Locations[0].Layer}
	}
	_, err := d.Token()
	return err
}
