package engine

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

func TestCauses(t *testing.T) {
	seen := map[string]bool{}
	code := regexp.MustCompile(`^[a-z]+(_[a-z]+)*$`)
	for _, c := range Causes() {
		if seen[c.Code] || !code.MatchString(c.Code) {
			t.Errorf("code %q is not one word, or there twice", c.Code)
		}
		seen[c.Code] = true
		if !strings.HasSuffix(c.Means, ".") {
			t.Errorf("%s: %q is not a sentence", c.Code, c.Means)
		}
	}
}

func TestCauseOf(t *testing.T) {
	err := fmt.Errorf("layer 2: %w", &Fault{Kind: ErrInvalid, Message: "m", Cause: &Problem{Cause: CauseRegistrySlow, Err: errors.New("e")}})
	if c, ok := CauseOf(err); !ok || c.Code != CauseRegistrySlow || !c.Temporary {
		t.Errorf("CauseOf = %+v, %v", c, ok)
	}
	if c, ok := CauseOf(&Problem{Cause: "new", Err: errors.New("e")}); !ok || c.Code != "new" || c.Temporary {
		t.Errorf("CauseOf of an unknown code = %+v, %v", c, ok)
	}
	if _, ok := CauseOf(errors.New("e")); ok {
		t.Error("an error without a cause has one")
	}
}
