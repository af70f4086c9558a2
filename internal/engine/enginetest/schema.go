package enginetest

import (
	"bytes"
	"fmt"
	"os"
	osexec "os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Schema gives a check of documents against a JSON schema that a module of the
// build carries among its files. The schemas that it refers to by name stand
// beside it.
func Schema(t testing.TB, module, file string) func(doc []byte) error {
	t.Helper()
	dir, err := osexec.Command("go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	if err != nil {
		t.Fatalf("where %s stands: %v", module, err)
	}
	full := filepath.Join(strings.TrimSpace(string(dir)), file)
	c := jsonschema.NewCompiler()
	c.UseLoader(beside(filepath.Dir(full)))
	s, err := c.Compile("test:///" + filepath.Base(full))
	if err != nil {
		t.Fatal(err)
	}
	return func(doc []byte) error {
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
		if err != nil {
			return err
		}
		return s.Validate(v)
	}
}

// beside finds schemas in a folder, wherever their addresses say they are.
type beside string

// Load reads one schema.
func (dir beside) Load(address string) (any, error) {
	name := filepath.Join(string(dir), path.Base(address))
	for _, name := range []string{name, strings.Replace(name, ".schema.json", ".schemax.json", 1)} {
		if raw, err := os.ReadFile(name); err == nil {
			return jsonschema.UnmarshalJSON(bytes.NewReader(raw))
		}
	}
	return nil, fmt.Errorf("no schema %s in %s", path.Base(address), dir)
}
