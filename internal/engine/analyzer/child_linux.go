package analyzer

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// program is this program, also when its file has been replaced since.
func program() (string, error) { return "/proc/self/exe", nil }

// apart makes a child the leader of a process group of its own, which ends when
// the thread that started it does.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// killGroup ends a child and whatever it has started.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// killedBySignal names the signal that ended a process.
func killedBySignal(s *os.ProcessState) (string, bool) {
	if w, ok := s.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		return w.Signal().String(), true
	}
	return "", false
}

// maxOpen is how many files a child may hold open.
const maxOpen = 4096

// oomScore makes the kernel take a child before anything that others need.
const oomScore = "800"

// childNice leaves pages and the API the first turn.
const childNice = 5

// confine sets what this process, a child, may use. Data is bounded beyond
// what the parent allows, so that the parent, which can tell why, is first;
// but nothing gets by between two of its looks.
func confine(memory, bytes int64) error {
	limits := map[int]uint64{
		syscall.RLIMIT_CORE:   0,
		syscall.RLIMIT_NOFILE: maxOpen,
		syscall.RLIMIT_FSIZE:  uint64(bytes),
		syscall.RLIMIT_DATA:   uint64(memory + memory/2),
	}
	for what, n := range limits {
		var now syscall.Rlimit
		if err := syscall.Getrlimit(what, &now); err != nil {
			return fmt.Errorf("limit %d: %w", what, err)
		}
		n = min(n, now.Max)
		if err := syscall.Setrlimit(what, &syscall.Rlimit{Cur: n, Max: n}); err != nil {
			return fmt.Errorf("limit %d: %w", what, err)
		}
	}
	// Both are kindnesses to others: an analysis goes on without.
	_ = os.WriteFile("/proc/self/oom_score_adj", []byte(oomScore), 0)
	_ = syscall.Setpriority(syscall.PRIO_PGRP, 0, childNice)
	return nil
}

// childPipe is where a child speaks to its parent. What it starts does not get it.
func childPipe() *os.File {
	syscall.CloseOnExec(3)
	return os.NewFile(3, "parent")
}

// usage is the memory that a process holds now, without files that can be read
// again, and all that it held at most. Zero when the process is gone.
func usage(pid int) (now, peak int64) {
	raw, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0, 0
	}
	for sc := bufio.NewScanner(bytes.NewReader(raw)); sc.Scan(); {
		name, value, _ := bytes.Cut(sc.Bytes(), []byte(":"))
		kb, _ := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(value), []byte(" kB"))), 10, 64)
		switch string(name) {
		case "VmHWM":
			peak = kb << 10
		case "RssAnon", "RssShmem":
			now += kb << 10
		}
	}
	return now, peak
}
