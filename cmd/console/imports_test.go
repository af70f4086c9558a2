package main

import (
	"os/exec"
	"strings"
	"testing"
)

// The engine must compile with the console deleted, the console must see of
// the engine only its vocabulary, and the packages that are slow to link must
// not spread.
func TestImportDirections(t *testing.T) {
	scanner := []string{"github.com/anchore/syft", "github.com/anchore/grype", "github.com/anchore/stereoscope"}
	engineInside := []string{"windlass/internal/engine/"}
	for from, banned := range map[string][]string{
		"windlass/internal/engine/...":      {"windlass/internal/bff", "windlass/web", "github.com/gofiber"},
		"windlass/web/...":                  {"windlass/internal"},
		"windlass/migrations":               {"windlass/"},
		"windlass/internal/engine":          {"windlass/", "github.com/"},
		"windlass/internal/bff/live":        {"windlass/internal/engine", "windlass/web"},
		"windlass/internal/bff/session":     {"windlass/"},
		"windlass/internal/bff/remote":      append([]string{"windlass/internal/bff", "windlass/web", "github.com/"}, engineInside...),
		"windlass/internal/bff/present":     engineInside,
		"windlass/internal/bff":             append(engineInside, scanner...),
		"windlass/internal/engine/apiv1":    append([]string{"windlass/internal/engine/store"}, scanner...),
		"windlass/internal/engine/store":    scanner,
		"windlass/internal/engine/catalog":  scanner,
		"windlass/internal/engine/registry": scanner,
		"windlass/internal/engine/logs":     scanner,
		"windlass/internal/cli/...":         append([]string{"windlass/internal/engine", "windlass/internal/bff", "windlass/web", "github.com/jackc"}, scanner...),
		"windlass/internal/engine/pattern":  {"windlass/"},
		"windlass/internal/engine/vex/...":  append([]string{"windlass/internal/engine/store", "github.com/jackc", "net/http"}, scanner...),
		"windlass/internal/engine/policy":   append([]string{"windlass/internal/engine/store", "github.com/jackc", "net/http"}, scanner...),
	} {
		out, err := exec.Command("go", "list", "-deps", "-f", "{{.ImportPath}}", from).CombinedOutput()
		if err != nil {
			t.Fatalf("go list %s: %v: %s", from, err, out)
		}
		own := strings.TrimSuffix(from, "/...")
		for _, dep := range strings.Fields(string(out)) {
			if dep == own || strings.HasPrefix(dep, own+"/") && strings.HasSuffix(from, "...") {
				continue
			}
			for _, b := range banned {
				if strings.HasPrefix(dep, b) {
					t.Errorf("%s reaches %s", from, dep)
				}
			}
		}
	}
}
