package bff_test

import (
	"testing"

	"windlass/internal/bff"
	"windlass/internal/bff/browsertest"
	"windlass/internal/bff/enginetest"
)

func TestCompareLooks(t *testing.T) {
	c := start(t, bff.Options{Engine: bff.TwoImagesEngine(enginetest.New())})
	p := browsertest.Open(t)
	p.Login(c.url, "admin", enginetest.Password)
	for name, query := range map[string]string{
		"compare": "?tab=compare", "compare-packages": "?tab=compare&part=packages", "compare-configuration": "?tab=compare&part=configuration",
		"compare-files": "?tab=compare&part=files", "compare-pick": "?tab=compare&find=debian", "compare-none": "?tab=compare&q=nothing",
	} {
		p.Goto(c.url + of(1) + query)
		p.Live()
		p.Looks(name)
	}
	p.Goto(c.url + of(1) + "?tab=vulnerabilities")
	p.Live()
	p.Click(".exports > summary")
	p.Wait(`document.querySelector(".exports").open`)
	p.Looks("exports-menu")
}
