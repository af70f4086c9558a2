package policy

import (
	"time"

	"windlass/internal/engine/pattern"
)

// context is one evaluation's view of an image. What several rules need is
// prepared when the first asks for it.
type context struct {
	image  *Image
	now    time.Time
	budget *pattern.Budget
	texts  []string // that the rules to be run look for in file paths

	lines   *dockerfile
	files   *fileView
	names   *packageView
	matches *matchView
	passwd  *passwdView
	words   []licenceView
}
