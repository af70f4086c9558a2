package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sync/errgroup"

	"windlass/internal/engine"
)

// pullers is how many layers of one image are fetched at once.
const pullers = 4

// blobTries is how often a broken transfer is begun again.
const blobTries = 3

// Pull writes the image as an OCI layout into the folder dir, which must
// exist and be empty. Every blob is checked against its digest and size.
// progress is called with the bytes received so far, from several goroutines.
func (c *Client) Pull(ctx context.Context, r Resolved, dir string, progress func(done, total int64)) error {
	if r.source == nil {
		return errors.New("pull: image was not resolved")
	}
	if progress == nil {
		progress = func(int64, int64) {}
	}
	blobs := filepath.Join(dir, "blobs", "sha256")
	if err := os.MkdirAll(blobs, 0o700); err != nil {
		return fmt.Errorf("pull: %w", err)
	}
	if err := writeLayout(dir, r); err != nil {
		return fmt.Errorf("pull: %w", err)
	}

	var want []part // a layer may be listed twice
	total := int64(0)
	for _, p := range r.parts() {
		if !slices.ContainsFunc(want, func(q part) bool { return q.digest == p.digest }) {
			want, total = append(want, p), total+p.size
		}
	}
	if err := Room(dir, total); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, c.opts.Pull, errStalled)
	defer cancel()
	var done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(pullers)
	for _, p := range want {
		g.Go(func() error {
			err := r.source.blob(ctx, p.digest, p.size, blobPath(dir, p.digest), func(n int64) { progress(done.Add(n), total) })
			if err != nil {
				return fault(p.judge(stalled(ctx, err)), r.Reference.String()+": "+p.name)
			}
			return nil
		})
	}
	return g.Wait()
}

// part is one blob of an image.
type part struct {
	name   string // for a person
	digest string
	size   int64
	kind   layerKind
}

func (r Resolved) parts() []part {
	var list []part
	if d := r.config.Digest; d.Hex != "" {
		list = append(list, part{"the configuration", d.String(), r.config.Size, layerPlain})
	}
	for i, l := range r.Layers {
		list = append(list, part{fmt.Sprintf("layer %d (%s)", i+1, engine.Digest(l.Digest).Short()), l.Digest, l.Size, layerKindOf(l.MediaType)})
	}
	return list
}

// judge tells a layer that was never meant to be in the registry from one that
// is missing.
func (p part) judge(err error) error {
	var answer *transport.Error
	if p.kind == layerForeign && errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
		return fmt.Errorf("%w: %w", errForeign, err)
	}
	return err
}

var errForeign = errors.New("the layer is not distributed with the image")

func blobPath(dir, digest string) string {
	return filepath.Join(dir, "blobs", "sha256", digest[len("sha256:"):])
}

// blob fetches one blob into a file. A transfer that breaks is begun again.
func (s *session) blob(ctx context.Context, digest string, size int64, to string, progress func(int64)) error {
	f, err := os.OpenFile(to, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	w := &blobWriter{f: f, sum: sha256.New(), left: size, progress: progress}
	for try := 1; ; try++ {
		err := s.transfer(ctx, digest, w)
		if err == nil {
			break
		}
		// One that stalls is not broken: it would stall again.
		if try == blobTries || ctx.Err() != nil || errors.Is(err, errStalled) || !judge(err).temporary() && !errors.Is(err, errShort) {
			return err
		}
		if err := w.restart(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Duration(try) * 300 * time.Millisecond):
		}
	}
	if got := "sha256:" + hex.EncodeToString(w.sum.Sum(nil)); got != digest {
		return fmt.Errorf("%w: received %s for %s", errDigest, got, digest)
	}
	return f.Close()
}

// trickle is what must come while a transfer is watched: a server may be slow,
// but not hold a worker for as long as it likes.
const trickle = 64 << 10

// errShort says that a transfer ended well and early.
var errShort = fmt.Errorf("%w: it ends early", errSize)

// transfer streams a blob.
func (s *session) transfer(ctx context.Context, digest string, w *blobWriter) error {
	ctx, cancel := context.WithCancelCause(context.WithValue(ctx, layerKey{}, true))
	defer cancel(nil)
	watch := time.AfterFunc(s.stall, func() { cancel(errStalled) })
	defer watch.Stop()
	resp, err := s.get(ctx, "/blobs/"+digest, "")
	if err != nil {
		return stalled(ctx, err)
	}
	defer resp.Body.Close()
	if n := resp.ContentLength; n >= 0 && n != w.left {
		return fmt.Errorf("%w: %d bytes are sent, %d were announced", errSize, n, w.left)
	}
	seen := w.done
	w.alive = func() {
		if w.done-seen >= trickle {
			seen = w.done
			watch.Reset(s.stall)
		}
	}
	if _, err := io.CopyBuffer(w, onlyReader{resp.Body}, make([]byte, 128<<10)); err != nil {
		return stalled(ctx, err)
	}
	if w.left > 0 {
		return fmt.Errorf("%w: %d bytes are missing", errShort, w.left)
	}
	return nil
}

func stalled(ctx context.Context, err error) error {
	if errors.Is(context.Cause(ctx), errStalled) {
		return errStalled
	}
	return err
}

type onlyReader struct{ io.Reader }

// blobWriter hashes and counts what it writes, and takes no byte more than
// the manifest announced.
type blobWriter struct {
	f        *os.File
	sum      hash.Hash
	done     int64
	left     int64
	alive    func()
	progress func(int64)
}

func (w *blobWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > w.left {
		return 0, fmt.Errorf("%w: more bytes than announced", errSize)
	}
	n, err := w.f.Write(p)
	w.sum.Write(p[:n])
	w.done += int64(n)
	w.left -= int64(n)
	w.alive()
	w.progress(int64(n))
	return n, err
}

// restart forgets what was written.
func (w *blobWriter) restart() error {
	w.progress(-w.done)
	w.left, w.done = w.left+w.done, 0
	w.sum.Reset()
	if _, err := w.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return w.f.Truncate(0)
}
