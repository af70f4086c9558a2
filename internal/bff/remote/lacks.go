package remote

import (
	"fmt"

	"windlass/internal/engine"
)

// lacks is the answer of a method that no engine of version 1 can give.
func lacks(method string) error {
	return fmt.Errorf("%s: %w", method, engine.ErrUnsupported)
}
