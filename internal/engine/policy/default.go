package policy

import (
	"bytes"
	_ "embed"
)

//go:embed default.json
var defaultBundle []byte

// Default is the document of the bundle that every new account gets.
func Default() []byte { return bytes.Clone(defaultBundle) }
