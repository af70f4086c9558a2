package core

import (
	"os"
	"sync"
	"syscall"
	"time"

	"windlass/internal/engine"
)

// hostWatch says how much room this host has. All services of the process share
// one, and look at the disks no more often than folderAge.
type hostWatch struct {
	folders []engine.HostFolder

	mu    sync.Mutex
	at    time.Time
	known []engine.HostFolder
}

const folderAge = 10 * time.Second

func newHostWatch(data, log string) *hostWatch {
	w := &hostWatch{folders: []engine.HostFolder{{Use: "data", Path: data}, {Use: "temp"}}}
	if log != "" {
		w.folders = append(w.folders, engine.HostFolder{Use: "log", Path: log})
	}
	return w
}

// report is what goes with a heartbeat.
func (w *hostWatch) report() *engine.HostReport {
	return &engine.HostReport{Clock: time.Now().UTC(), Folders: w.look()}
}

func (w *hostWatch) look() []engine.HostFolder {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.at) < folderAge {
		return w.known
	}
	known := make([]engine.HostFolder, len(w.folders))
	for i, d := range w.folders {
		if d.Use == "temp" {
			d.Path = os.TempDir() // the spool sets it once it is open
		}
		known[i] = room(d)
	}
	w.known, w.at = known, time.Now()
	return known
}

const writable = 0x2 // W_OK of access(2)

// room asks the file system of a folder how much is left to this program.
func room(d engine.HostFolder) engine.HostFolder {
	var st syscall.Statfs_t
	if err := syscall.Statfs(d.Path, &st); err != nil {
		d.Fault = err.Error()
		return d
	}
	d.Free, d.Total = int64(st.Bavail)*int64(st.Bsize), int64(st.Blocks)*int64(st.Bsize)
	if err := syscall.Access(d.Path, writable); err != nil {
		d.Fault = "cannot be written to: " + err.Error()
	}
	return d
}
