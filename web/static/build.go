package static

import (
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"sync"
)

// Build tells this program from any other build of it: a page that one of them
// drew is out of date when another answers. It is the same on every host that
// runs the same file.
var Build = sync.OnceValue(func() string {
	h := sha256.New()
	set := load()
	names := make([]string, 0, len(set.byName))
	for name := range set.byName { // they carry the hash of what they hold
		names = append(names, name)
	}
	slices.Sort(names)
	fmt.Fprintln(h, names)
	if info, ok := debug.ReadBuildInfo(); ok {
		io.WriteString(h, info.String())
	}
	h.Write(linkerID())
	return hex.EncodeToString(h.Sum(nil)[:6])
})

// linkerID is what the linker wrote into the program's file, where that can be
// read: it differs with every change of the code.
func linkerID() []byte {
	path, err := os.Executable()
	if err != nil {
		return nil
	}
	f, err := elf.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	note := f.Section(".note.go.buildid")
	if note == nil {
		return nil
	}
	id, err := note.Data()
	if err != nil {
		return nil
	}
	return id
}
