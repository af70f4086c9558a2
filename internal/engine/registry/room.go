package registry

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"windlass/internal/engine"
)

// Reserve is left free on the disk, for the rest of the host: a database next
// to a full folder stops.
const Reserve = 256 << 20

// Room checks that n more bytes fit into the file system of dir.
func Room(dir string, n int64) error {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return nil
	}
	free := int64(st.Bavail) * st.Bsize
	if free-Reserve >= n {
		return nil
	}
	return diskFull(fmt.Sprintf("The disk of the analyzer has %d MB free; %d MB are needed.", free>>20, (n+Reserve)>>20), syscall.ENOSPC)
}

// Local gives an error of this machine its cause: that there is no room is the
// only one a person can do something about.
func Local(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return diskFull("The disk of the analyzer is full.", err)
	}
	return err
}

func diskFull(message string, err error) error {
	return &engine.Fault{Kind: engine.ErrUnavailable, Message: message, Cause: &engine.Problem{Cause: engine.CauseDisk, Err: err}}
}

// local reports that an error comes of a file here.
func local(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path)
}
