package analyzer

import (
	"fmt"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

// Limits bound what an image may unpack to. Zero fields take the default.
type Limits struct {
	Bytes   int64 // of all layers uncompressed; default 32 GiB
	Entries int64 // in all layers, and names in the tree made of them; default 800,000
	Names   int64 // bytes of all their names; default 128 MiB
	Ratio   int64 // uncompressed to compressed, of one layer; default 300
}

// maxPath is longer than any path Linux opens.
const maxPath = 4096

func (l Limits) orDefault() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 32 << 30
	}
	if l.Entries <= 0 {
		l.Entries = 800_000
	}
	if l.Names <= 0 {
		l.Names = 128 << 20
	}
	if l.Ratio <= 0 {
		l.Ratio = registry.BombRatio
	}
	return l
}

// hostile is a failure of what the image holds, not of this program.
func hostile(cause, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &engine.Fault{
		Kind: engine.ErrInvalid, Message: "The image cannot be analyzed: " + err.Error() + ".",
		Cause: &engine.Problem{Cause: cause, Err: err},
	}
}
