package engine

import (
	"errors"
	"reflect"
	"testing"
)

func FuzzParseLogCursor(f *testing.F) {
	for _, s := range []string{"", "h~catalog-5d2a9c-1024.policy_engine--0", "h~catalog--1", "h~catalog-g-1", "h~x--1", "h~catalog--9223372036854775808", "a.b%7Ec~catalog--1~two~analyzer-a-2", "~catalog--1", "h~"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ParseLogCursor(s)
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("ParseLogCursor(%q) = %v, want ErrInvalid", s, err)
			}
			return
		}
		again, err := ParseLogCursor(c.String())
		if err != nil || !reflect.DeepEqual(c, again) {
			t.Errorf("%q: %v became %v, %v", s, c, again, err)
		}
	})
}
