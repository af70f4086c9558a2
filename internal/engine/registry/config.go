package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"windlass/internal/engine"
)

// maxHistory is how many steps an image may have taken; those without a layer
// count too.
const maxHistory = 5000

// What is kept of the texts of a configuration.
const (
	maxWord = 200
	maxStep = 64 << 10
)

// DecodeConfig reads the configuration of an image of so many layers. It counts
// before it builds: eight megabytes of empty objects would take a hundred times
// that as history. The error says what is wrong with "its configuration".
func DecodeConfig(raw []byte, layers int) (*v1.ConfigFile, error) {
	var probe struct {
		History counted `json:"history"`
		RootFS  struct {
			DiffIDs counted `json:"diff_ids"`
		} `json:"rootfs"`
	}
	if err := json.Unmarshal(raw, &probe); err != nil {
		return nil, errors.New("its configuration is not readable JSON")
	}
	if probe.History > maxHistory {
		return nil, fmt.Errorf("its configuration has a history of more than %d steps", maxHistory)
	}
	if n := int(probe.RootFS.DiffIDs); n != layers {
		return nil, fmt.Errorf("its configuration has %d layers, its manifest %d", n, layers)
	}
	cfg := new(v1.ConfigFile)
	if err := json.Unmarshal(raw, cfg); err != nil {
		return nil, errors.New("its configuration is not that of an image")
	}
	cfg.Architecture, cfg.OS, cfg.Author = engine.Text(cfg.Architecture, maxWord), engine.Text(cfg.OS, maxWord), engine.Text(cfg.Author, maxWord)
	for i := range cfg.History {
		cfg.History[i].CreatedBy = engine.Text(cfg.History[i].CreatedBy, maxStep)
	}
	return cfg, nil
}

// counted is how many elements a JSON array has, up to one more than any that
// is taken.
type counted int

func (c *counted) UnmarshalJSON(raw []byte) error {
	*c = 0
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return err // null, or what the second reading will complain of
	}
	var skip json.RawMessage
	for *c <= maxHistory && d.More() {
		if err := d.Decode(&skip); err != nil {
			return err
		}
		*c++
	}
	return nil
}
