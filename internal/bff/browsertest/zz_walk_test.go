package browsertest

import (
	"os"
	"strings"
	"testing"
)

func TestMain(m *testing.M) { Main(m) }

func TestWalk(t *testing.T) {
	base := os.Getenv("SHOOT_AT")
	for _, line := range strings.Split(strings.TrimSpace(os.Getenv("SHOOT")), "\n") {
		name, path, _ := strings.Cut(strings.TrimSpace(line), " ")
		t.Run(name, func(t *testing.T) {
			p := Open(t)
			p.Login(base, "admin", os.Getenv("SHOOT_PASS"))
			p.Goto(base + path)
			p.Live()
			p.Looks(name)
		})
	}
}
