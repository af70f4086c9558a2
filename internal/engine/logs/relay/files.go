package relay

import (
	"context"
	"io"
	"sync"

	"windlass/internal/engine"
)

// Files lists the files of all hosts, host by host, and those hosts that could
// not be asked.
func (r *Reader) Files(ctx context.Context) ([]engine.LogFile, []engine.LogHostFault, error) {
	own, err := r.own.Files()
	if err != nil {
		return nil, nil, err
	}
	hosts := r.choose(ctx, nil)
	found := make([][]engine.LogFile, len(hosts))
	faults := make([]*engine.LogHostFault, len(hosts))
	var all sync.WaitGroup
	for i, h := range hosts {
		p, other := h.logs.(*peer)
		switch {
		case h.reason != "":
			faults[i] = &engine.LogHostFault{Host: h.host, Reason: h.reason}
		case other:
			all.Go(func() {
				var err error
				if found[i], err = p.Files(ctx); err != nil {
					f := r.faultOf(h.host, err)
					faults[i] = &f
				}
			})
		default:
			found[i] = own
		}
	}
	all.Wait()
	var files []engine.LogFile
	var failed []engine.LogHostFault
	for i := range hosts {
		files = append(files, found[i]...)
		if faults[i] != nil {
			failed = append(failed, *faults[i])
		}
	}
	return files, failed, ctx.Err()
}

// Open opens a file of a host as it is now. The body ends with ctx.
func (r *Reader) Open(ctx context.Context, host, name string) (engine.LogFile, io.ReadCloser, error) {
	if host == r.own.Host() {
		return r.own.Open(name)
	}
	c := r.choose(ctx, []string{host})[0]
	p, ok := c.logs.(*peer)
	if !ok {
		return engine.LogFile{}, nil, engine.NotFoundf("The logs of %s cannot be read: %s.", host, c.reason)
	}
	file, body, err := p.Open(ctx, name)
	if f, is := err.(fault); is {
		return file, nil, &engine.Fault{Kind: engine.ErrUnavailable, Message: "The logs of " + host + " cannot be read: " + f.reason + "."}
	}
	return file, body, err
}
