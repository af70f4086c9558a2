package apiv1

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"path"

	"go.yaml.in/yaml/v3"
)

// mergeFiles makes one document of the YAML files of a folder, as JSON. Mappings
// are merged at any depth; a key that two files give a value is a fault, except
// that both may give a path its operations.
func mergeFiles(files fs.FS, dir string) ([]byte, error) {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		return nil, err
	}
	whole := map[string]any{}
	for _, e := range entries {
		text, err := fs.ReadFile(files, path.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		var part map[string]any
		if err := yaml.Unmarshal(text, &part); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		if err := mergeInto(whole, part, ""); err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
	}
	return json.Marshal(whole)
}

func mergeInto(to, from map[string]any, at string) error {
	for k, v := range from {
		old, known := to[k]
		if !known {
			to[k] = v
			continue
		}
		a, both := old.(map[string]any)
		b, maps := v.(map[string]any)
		if !both || !maps {
			return fmt.Errorf("%s/%s stands in another file too", at, k)
		}
		if err := mergeInto(a, b, at+"/"+k); err != nil {
			return err
		}
	}
	return nil
}
