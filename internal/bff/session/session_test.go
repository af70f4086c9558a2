package session_test

import (
	"testing"
	"testing/synctest"
	"time"

	"windlass/internal/bff/session"
)

func TestTokens(t *testing.T) {
	a, b := session.NewToken(), session.NewToken()
	if a == b || len(a) != 43 {
		t.Errorf("tokens %q and %q", a, b)
	}
	if !session.Same(a, a) || session.Same(a, b) || session.Same("", "") {
		t.Error("Same compares wrongly")
	}
	if string(session.Hash(a)) == string(session.Hash(b)) || string(session.Hash(a)) == a {
		t.Error("Hash is no hash")
	}
}

func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := session.NewThrottle()
		wrong := func(n int) {
			for range n {
				th.Wrong("k")
			}
		}
		wrong(2)
		if w := th.Wait("k"); w != 0 {
			t.Errorf("after two: %s", w)
		}
		for i, want := range []time.Duration{2 * time.Second, 4 * time.Second, 8 * time.Second} {
			wrong(1)
			if w := th.Wait("k"); w != want {
				t.Errorf("after %d: %s, want %s", i+3, w, want)
			}
		}
		if w := th.Wait("other"); w != 0 {
			t.Errorf("another key: %s", w)
		}
		time.Sleep(8 * time.Second)
		if w := th.Wait("k"); w != 0 {
			t.Errorf("when the wait is over: %s", w)
		}
		wrong(40)
		if w := th.Wait("k"); w != 30*time.Minute {
			t.Errorf("longest: %s", w)
		}
		time.Sleep(2 * time.Hour)
		wrong(1)
		if w := th.Wait("k"); w != 0 {
			t.Errorf("hours later: %s", w)
		}
		wrong(5)
		th.Right("k")
		if w := th.Wait("k"); w != 0 {
			t.Errorf("after the right one: %s", w)
		}
	})
}
