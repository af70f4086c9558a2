package browsertest

import (
	"os"
	"path/filepath"
	"strings"
)

// Axe fails the test on what axe-core finds wrong with the page as it is. The
// package comes from npm (make assets); without it, and without CI, this is skipped.
func (p *Page) Axe(what string) {
	p.t.Helper()
	src, err := os.ReadFile(filepath.Join(root(p.t), "web", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			p.t.Errorf("axe-core: %v", err)
		}
		return
	}
	if !Eval[bool](p, `"axe" in window`) {
		Eval[bool](p, string(src)+"; true")
	}
	// Rules of WCAG 2.2 A and AA, and the habits axe recommends.
	found := Eval[[]string](p, `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.flatMap(v =>
		v.nodes.map(n => v.id + " (" + v.impact + "): " + n.target.join(" ") + ": " + n.failureSummary.replace(/\s+/g, " "))))`)
	for _, f := range found {
		p.t.Errorf("%s: %s", what, strings.TrimSpace(f))
	}
}
