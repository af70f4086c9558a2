// Command console is Windlass: the scanning engine with its v1 API, and the
// console over it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"windlass/internal/engine/analyzer"
)

func main() {
	analyzer.BeChild(os.Args)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second Ctrl-C kills at once
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "console:", err)
		os.Exit(1)
	}
}
