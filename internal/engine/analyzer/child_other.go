//go:build !linux

package analyzer

import (
	"os"
	"os/exec"
)

// Analyses are isolated on Linux, which is what this program runs on. Elsewhere
// it compiles, and a child is a plain process.

func program() (string, error) { return os.Executable() }

func apart(*exec.Cmd) {}

func killGroup(pid int) {
	if p, err := os.FindProcess(pid); err == nil {
		_ = p.Kill()
	}
}

func killedBySignal(*os.ProcessState) (string, bool) { return "", false }

func confine(memory, bytes int64) error { return nil }

func childPipe() *os.File { return os.NewFile(3, "parent") }

func usage(pid int) (now, peak int64) { return 0, 0 }
