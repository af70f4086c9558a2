package present_test

import (
	"testing"
	"time"

	"windlass/internal/bff/present"
	"windlass/internal/engine"
)

// Whatever a form says is a run or refused, and a run is written as it is read.
func FuzzParseRun(f *testing.F) {
	f.Add(present.EncodeRun(engine.EventRun{Type: "a.b", Level: "info", ResourceID: "docker.io/x:1", Since: time.Unix(1, 0), Until: time.Unix(2, 5000)}))
	f.Add("e30")
	f.Add("")
	f.Add("eyJGIjo5MjIzMzcyMDM2ODU0Nzc1ODA3fQ")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := present.ParseRun(text)
		if err != nil {
			return
		}
		again, err := present.ParseRun(present.EncodeRun(r))
		if err != nil || again != r {
			t.Errorf("%+v is read again as %+v, %v", r, again, err)
		}
		if r.Until.Before(r.Since) || r.Since.Year() < 1 || r.Until.Year() > 9999 {
			t.Errorf("times %v to %v", r.Since, r.Until)
		}
	})
}
