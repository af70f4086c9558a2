package pgchild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// leftoverLimit is how long the server of a process that was killed is given
// to end. It was told to by the kernel when its parent died, and a fast
// shutdown takes a checkpoint at most.
const leftoverLimit = 30 * time.Second

// socketPrefix begins the names of all socket folders.
const socketPrefix = "/tmp/wl-pg"

// claim makes sure that one process at a time uses a data folder. The lock
// falls with the process, however it ends.
func claim(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("another copy of the program is using %s: stop it, or set CONSOLE_DATA_DIR to another place", dir)
		}
		return nil, err
	}
	return f, nil
}

// awaitLeftover waits for the server that a killed process has left to end: a
// second server on its data would refuse to start. The caller holds the claim,
// so nobody else is using it.
func awaitLeftover(ctx context.Context, data string) error {
	limit := time.After(leftoverLimit)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for told := false; ; {
		pid := postmaster(data)
		if pid == 0 {
			return nil
		}
		if !told {
			told = true
			if err := syscall.Kill(pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
				return fmt.Errorf("stop the PostgreSQL left by a killed process (pid %d): %w", pid, err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return fmt.Errorf("the PostgreSQL left by a killed process (pid %d) does not end", pid)
		case <-tick.C:
		}
	}
}

// postmaster is the process id of the server that runs on a cluster, 0 when
// none does. The pid in the file of a crashed one may by now be anybody's, so
// the process must be a postgres that names the cluster.
func postmaster(data string) int {
	raw, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(raw), "\n")
	pid, err := strconv.Atoi(strings.TrimSpace(first))
	if err != nil || pid <= 0 {
		return 0
	}
	cmd, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil || !strings.Contains(string(cmd), "postgres") || !strings.Contains(string(cmd), data) {
		return 0
	}
	return pid
}

// forgetSocket removes the socket folder of the process before, whose name it
// left in the lock file, and leaves the name of this one's there.
func forgetSocket(lock *os.File, sock string) {
	var buf [256]byte
	n, _ := lock.ReadAt(buf[:], 0)
	if old := string(buf[:n]); strings.HasPrefix(old, socketPrefix) && !strings.Contains(old, "..") {
		os.RemoveAll(old)
	}
	if err := lock.Truncate(0); err == nil {
		lock.WriteAt([]byte(sock), 0)
	}
}
