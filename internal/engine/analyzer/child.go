package analyzer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime/debug"
	"strconv"

	"windlass/internal/engine"
)

// childFlag makes this program the child of an analysis. It looks like a flag
// so that a program that knows nothing of it complains and ends.
const childFlag = "--analysis-child"

// maxOrder bounds what the child reads as its order; a manifest and the
// settings of the search are in it.
const maxOrder = 64 << 20

// exitOrphan is the exit code of a child whose parent is gone.
const exitOrphan = 3

// BeChild does the work of an analysis' child and ends the process, where the
// process was started as one. It comes first in main, and in the main of tests
// that analyze.
func BeChild(args []string) {
	if len(args) != 5 || args[1] != childFlag {
		return
	}
	memory, err1 := strconv.ParseInt(args[2], 10, 64)
	bytes, err2 := strconv.ParseInt(args[3], 10, 64)
	warm, err3 := strconv.ParseBool(args[4])
	if err := errors.Join(err1, err2, err3, confine(memory, bytes)); err != nil {
		fmt.Fprintln(os.Stderr, "analysis child:", err)
		os.Exit(1)
	}
	os.Exit(childMain(os.Stdin, childPipe(), warm))
}

// childMain takes one order, carries it out and waits to be let go: the parent
// reads what the process has used while it is still there. Warm, it reads the
// texts of licences while it waits.
func childMain(in io.Reader, out io.Writer, warm bool) int {
	say := newSpeaker(out)
	if warm {
		go readLicenses()
	}
	var o order
	if err := json.NewDecoder(io.LimitReader(in, maxOrder)).Decode(&o); err != nil {
		if errors.Is(err, io.EOF) { // the pull failed
			return 0
		}
		fmt.Fprintln(os.Stderr, "analysis child: order:", err)
		return 1
	}
	released := make(chan struct{})
	done := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in)
		select {
		case <-done:
			close(released)
		default:
			os.Exit(exitOrphan)
		}
	}()
	err := obey(context.Background(), o, slog.New(&wireHandler{say: say}), say.progress)
	close(done)
	say.end(err)
	<-released
	return 0
}

// obey carries an order out in the folder the process was started in, and
// leaves the result there. A panic is the error of this image.
func obey(ctx context.Context, o order, log *slog.Logger, report Report) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	root, err := os.Getwd()
	if err != nil {
		return err
	}
	dir := jobAt(root)
	var found engine.Analysis
	switch {
	case o.Image != nil:
		a := &Analyzer{Limits: o.Limits, Search: o.Search}
		found, err = a.examine(ctx, dir, *o.Image, log, report)
	case o.Import:
		found, err = examineImport(ctx, dir, log, report)
	default:
		err = errors.New("an order for nothing")
	}
	if err != nil {
		return err
	}
	if err := writeResult(dir, found); err != nil {
		return &stageError{engine.StageContent, fmt.Errorf("result: %w", err)}
	}
	return nil
}
