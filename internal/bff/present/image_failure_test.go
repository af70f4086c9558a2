package present

import (
	"testing"

	"windlass/internal/engine"
)

func TestEveryCauseHasARemedy(t *testing.T) {
	titles := map[string]string{}
	for _, c := range engine.Causes() {
		r, ok := remedies[c.Code]
		if !ok || r.title == "" || r.try == "" || (r.href == "") != (r.text == "") {
			t.Errorf("%s: remedy %+v", c.Code, r)
		}
		if other, twice := titles[r.title]; twice {
			t.Errorf("%s and %s are both titled %q", c.Code, other, r.title)
		}
		titles[r.title] = c.Code
	}
	for code := range remedies {
		if _, known := engine.CauseByCode(code); !known {
			t.Errorf("%s has a remedy and is no cause", code)
		}
	}
}
