package cli

import (
	"bufio"
	"context"
	"io"
	"strings"
	"time"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4096

// confirm asks and reports whether the answer is y. An interrupt ends the wait
// for it.
func (a *app) confirm(ctx context.Context, question string) (bool, error) {
	if _, err := io.WriteString(a.Out, question); err != nil {
		return false, err
	}
	answer := make(chan string, 1)
	go func() { // cannot be stopped in its read; the program ends soon after
		line, _ := bufio.NewReader(io.LimitReader(a.In, maxAnswer)).ReadString('\n')
		answer <- line
	}()
	select {
	case line := <-answer:
		return strings.EqualFold(strings.TrimSpace(line), "y"), nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// rest waits for so many seconds.
func rest(ctx context.Context, seconds float64) error {
	t := time.NewTimer(time.Duration(seconds * float64(time.Second)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
