package analyzer_test

import (
	"slices"
	"testing"

	"windlass/internal/engine/enginetest"
)

const mit = `Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`

// A licence that no package database names is known by its text.
func TestLicenseTextsAreToldApart(t *testing.T) {
	const at = "usr/lib/python3/dist-packages/thing-1.0.dist-info/"
	img := enginetest.Image(t, enginetest.Files{
		at + "METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n",
		at + "RECORD":   "thing-1.0.dist-info/LICENSE,,\n",
		at + "LICENSE":  mit,
	})
	a, c := open(t)
	got, err := a.Analyze(t.Context(), resolve(t, c, enginetest.Registry(t).Push(t, "licensed:1", img)), enginetest.Logger(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	if p := got.Analysis.Packages; len(p) != 1 || !slices.Equal(p[0].Licenses, []string{"MIT"}) {
		t.Errorf("packages = %+v", p)
	}
}
