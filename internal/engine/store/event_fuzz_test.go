package store

import (
	"testing"
	"time"
)

func FuzzDecodeCursor(f *testing.F) {
	f.Add(encodeCursor(time.Unix(1577934245, 123456000), 42))
	f.Add("zzzzzzzzzzzz.1")
	f.Add(".")
	f.Add("-1.-1")
	f.Fuzz(func(t *testing.T, c string) {
		at, seq, err := decodeCursor(c)
		if err != nil {
			return
		}
		again, n, err := decodeCursor(encodeCursor(at, seq))
		if err != nil || !again.Equal(at) || n != seq {
			t.Errorf("%q became %v %d, then %v %d, %v", c, at, seq, again, n, err)
		}
	})
}
