package browsertest

import (
	"os"
	"path/filepath"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// paperWidth is what a sheet of A4 leaves a page between the margins that the
// print style sets, in CSS pixels.
const paperWidth = 726

// Paper prints the page: artifacts/NAME.pdf, and NAME.png as it would be on one
// endless sheet. Whatever check evaluates to true is a fault, told by its name;
// so is a page that is wider than the sheet.
func (p *Page) Paper(name string, faults map[string]string) {
	p.t.Helper()
	pdf, err := chromedp.Run(p.ctx, chromedp.PrintToPDF())
	if err != nil {
		p.t.Fatal(err)
	}
	dir := filepath.Join(root(p.t), "artifacts")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".pdf"), pdf, 0o644); err != nil {
		p.t.Fatal(err)
	}
	media := func(m string) {
		if _, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: m}); err != nil {
			p.t.Fatal(err)
		}
	}
	was := p.width
	p.Size(paperWidth, 1027)
	media("print")
	defer func() { media(""); p.Size(was, 900) }()
	p.Shot(name)
	if over := Eval[int](p, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		p.t.Errorf("%s: on paper the page is %d px too wide", name, over)
	}
	for fault, js := range faults {
		if Eval[bool](p, "Boolean("+js+")") {
			p.t.Errorf("%s: on paper %s", name, fault)
		}
	}
}
