// Package pgchild runs a private PostgreSQL server as a child of this process,
// for those who have no database of their own to give. The server listens on a
// unix socket in a short private folder and on nothing else, writes below the
// data folder, and is told to stop by the kernel when this process dies, so
// that kill -9 of the parent leaves no orphan that would block the next start.
package pgchild

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNoBinaries says that no PostgreSQL server is installed.
var ErrNoBinaries = errors.New("no PostgreSQL server found: install the package postgresql, set CONSOLE_POSTGRES_BIN to a folder with initdb and postgres, or CONSOLE_DATABASE_URL to a database of your own")

// Options of a child server.
type Options struct {
	Bin      string   // folder with initdb and postgres; empty: searched
	Search   []string // folders to look in after PATH and before the system's
	Dir      string   // data folder; pgdata and postgres.log are made in it
	Settings []string // further name=value settings
}

// Server is a running child.
type Server struct {
	DSN  string
	cmd  *exec.Cmd
	done chan struct{}
	err  error // of Wait; read after done is closed
	sock string
	lock *os.File // of the data folder
}

// settings keep the idle child small (it shares a host with the scanner) and
// its log quiet.
var settings = []string{
	"listen_addresses=", "unix_socket_permissions=0700",
	"shared_buffers=48MB", "max_connections=60", "max_wal_size=256MB", "min_wal_size=80MB",
	"work_mem=8MB", "maintenance_work_mem=48MB", "autovacuum_max_workers=2",
	"jit=off", "log_checkpoints=off", "timezone=UTC", "log_timezone=UTC",
	"max_parallel_workers_per_gather=1",
}

// Start starts the server, making its data folder at the first start, and
// returns when it answers.
func Start(ctx context.Context, o Options) (*Server, error) {
	bin, err := findBin(o)
	if err != nil {
		return nil, err
	}
	cred, err := owner()
	if err != nil {
		return nil, err
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, err
	}
	data, err := cluster(dir, cred)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	lock, err := claim(dir)
	if err != nil {
		return nil, err
	}
	if err := awaitLeftover(ctx, data); err != nil {
		lock.Close()
		return nil, err
	}
	// A socket path holds at most 107 bytes, so it cannot stand in the data
	// folder, nor in a folder for temporary files that somebody has moved.
	sock, err := os.MkdirTemp("/tmp", "wl-pg")
	if err != nil {
		lock.Close()
		return nil, err
	}
	forgetSocket(lock, sock)
	s := &Server{sock: sock, lock: lock, done: make(chan struct{})}
	if err := s.start(ctx, bin, dir, data, cred, o.Settings); err != nil {
		lock.Close()
		os.RemoveAll(sock)
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context, bin, dir, data string, cred *syscall.Credential, extra []string) error {
	if cred != nil {
		for _, d := range []string{data, s.sock} {
			if err := os.Chown(d, int(cred.Uid), int(cred.Gid)); err != nil {
				return fmt.Errorf("data folder: %w", err)
			}
		}
	}
	if err := initdb(ctx, bin, data, cred); err != nil {
		return err
	}
	if err := s.spawn(bin, dir, data, cred, extra); err != nil {
		return err
	}
	s.DSN = "host=" + s.sock + " user=windlass dbname=postgres"
	if err := s.await(ctx, dir); err != nil {
		s.cmd.Process.Kill()
		<-s.done
		return err
	}
	return nil
}

// initdb makes the cluster beside its final place and renames it in: a start
// that was killed half way leaves nothing that looks finished.
func initdb(ctx context.Context, bin, data string, cred *syscall.Credential) error {
	if _, err := os.Stat(filepath.Join(data, "PG_VERSION")); err == nil {
		return checkVersion(ctx, bin, data)
	}
	fresh := filepath.Join(data, "new")
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	// Syncing every file of the cluster takes longer than making it; the
	// rename below is ordered behind the sync that postgres does at start.
	c := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), "-D", fresh, "-U", "windlass", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
	c.SysProcAttr = &syscall.SysProcAttr{Credential: cred}
	c.Dir = "/"
	if out, err := c.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLines(out, 4))
	}
	entries, err := os.ReadDir(fresh)
	if err != nil {
		return err
	}
	// PG_VERSION moves last: it is what marks the cluster as complete.
	slices.SortFunc(entries, func(a, b os.DirEntry) int {
		return boolOrder(a.Name() == "PG_VERSION") - boolOrder(b.Name() == "PG_VERSION")
	})
	for _, e := range entries {
		to := filepath.Join(data, e.Name())
		if err := os.RemoveAll(to); err != nil {
			return err
		}
		if err := os.Rename(filepath.Join(fresh, e.Name()), to); err != nil {
			return err
		}
	}
	return os.Remove(fresh)
}

func boolOrder(b bool) int {
	if b {
		return 1
	}
	return 0
}

// checkVersion refuses a cluster that another major version made: postgres
// would refuse too, but in its own log.
func checkVersion(ctx context.Context, bin, data string) error {
	made, err := os.ReadFile(filepath.Join(data, "PG_VERSION"))
	if err != nil {
		return err
	}
	out, err := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version").Output()
	if err != nil {
		return fmt.Errorf("postgres --version: %w", err)
	}
	f := strings.Fields(string(out))
	if len(f) < 3 {
		return nil
	}
	have, _, _ := strings.Cut(f[2], ".")
	if want := strings.TrimSpace(string(made)); have != want {
		return fmt.Errorf("the data folder was made by PostgreSQL %s and %s holds version %s: set CONSOLE_POSTGRES_BIN to version %s", want, bin, have, want)
	}
	return nil
}

func (s *Server) spawn(bin, dir, data string, cred *syscall.Credential, extra []string) error {
	logFile, err := os.OpenFile(filepath.Join(dir, "postgres.log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	args := []string{"-D", data, "-k", s.sock}
	for _, e := range slices.Concat(settings, extra) {
		args = append(args, "-c", e)
	}
	s.cmd = exec.Command(filepath.Join(bin, "postgres"), args...)
	s.cmd.Dir = "/"
	s.cmd.Stdout, s.cmd.Stderr = logFile, logFile
	// Its own group: Ctrl-C on the terminal must reach it through us, in order.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: cred, Pdeathsig: syscall.SIGINT, Setpgid: true}
	started := make(chan error)
	go func() {
		defer logFile.Close()
		runtime.LockOSThread() // Pdeathsig is tied to the thread that forked
		err := s.cmd.Start()
		started <- err
		if err == nil {
			s.err = s.cmd.Wait()
			close(s.done)
		}
	}()
	return <-started
}

// await polls until the server takes connections; starting is its only way to
// tell.
func (s *Server) await(ctx context.Context, dir string) error {
	for {
		c, err := pgx.Connect(ctx, s.DSN)
		if err == nil {
			return c.Close(ctx)
		}
		select {
		case <-s.done:
			out, _ := os.ReadFile(filepath.Join(dir, "postgres.log"))
			return fmt.Errorf("postgres did not start: %w: %s", s.err, lastLines(out, 3))
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Done is closed when the server has ended, asked or not.
func (s *Server) Done() <-chan struct{} { return s.done }

// PID is the process id of the postmaster.
func (s *Server) PID() int { return s.cmd.Process.Pid }

// Stop asks for a fast shutdown and waits for it; after limit it kills.
func (s *Server) Stop(limit time.Duration) error {
	defer s.lock.Close()
	defer os.RemoveAll(s.sock)
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	select {
	case <-s.done:
	case <-time.After(limit):
		s.cmd.Process.Signal(syscall.SIGQUIT)
		<-s.done
	}
	return nil
}

func findBin(o Options) (string, error) {
	has := func(dir string) bool {
		for _, name := range []string{"initdb", "postgres"} {
			if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
				return false
			}
		}
		return true
	}
	if o.Bin != "" {
		if !has(o.Bin) {
			return "", fmt.Errorf("CONSOLE_POSTGRES_BIN: %s does not hold initdb and postgres", o.Bin)
		}
		return o.Bin, nil
	}
	if p, err := exec.LookPath("initdb"); err == nil {
		if real, err := filepath.EvalSymlinks(p); err == nil && has(filepath.Dir(real)) {
			return filepath.Dir(real), nil
		}
	}
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	version := func(dir string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir)))
		return n
	}
	slices.SortFunc(found, func(a, b string) int { return version(b) - version(a) })
	for _, dir := range slices.Concat(o.Search, found) {
		if has(dir) {
			return dir, nil
		}
	}
	return "", ErrNoBinaries
}

// owner is the unprivileged user to run as when we are root: PostgreSQL
// refuses root.
func owner() (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, _ := strconv.Atoi(u.Uid)
		gid, _ := strconv.Atoi(u.Gid)
		return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
	}
	return nil, errors.New("running as root, and neither user postgres nor nobody exists to run PostgreSQL as")
}

// elsewhere is where the cluster of a data folder stands that the unprivileged
// user cannot reach, such as one below /root.
const elsewhere = "/var/lib/windlass"

// cluster is the folder of the cluster: pgdata in the data folder. When we are
// root and the user that PostgreSQL runs as may not pass one of its parents,
// the cluster stands elsewhere and pgdata is a link to it.
func cluster(dir string, cred *syscall.Credential) (string, error) {
	data := filepath.Join(dir, "pgdata")
	if err := os.MkdirAll(dir, 0o711); err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(data); err == nil {
		if cred != nil && !reachable(real) {
			return "", fmt.Errorf("running as root, PostgreSQL runs as another user, who may not pass every parent of %s: chmod o+x them, or set CONSOLE_DATA_DIR to another place", real)
		}
		return real, nil
	}
	if cred == nil || reachable(dir) {
		return data, os.MkdirAll(data, 0o700)
	}
	if err := os.MkdirAll(elsewhere, 0o711); err != nil {
		return "", err
	}
	real, err := os.MkdirTemp(elsewhere, "pg")
	if err != nil {
		return "", err
	}
	os.Remove(data) // a link whose target is gone
	return real, os.Symlink(real, data)
}

// reachable says whether everybody may pass all folders down to dir.
func reachable(dir string) bool {
	for d := filepath.Dir(dir); ; d = filepath.Dir(d) {
		info, err := os.Stat(d)
		if err != nil || info.Mode().Perm()&0o001 == 0 {
			return false
		}
		if d == filepath.Dir(d) {
			return true
		}
	}
}

func lastLines(out []byte, n int) string {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-n):], []byte("; ")))
}
