package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
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

	want := map[string]int64{} // a layer may be listed twice
	if r.config.Digest.Hex != "" {
		want[r.config.Digest.String()] = r.config.Size
	}
	for _, l := range r.Layers {
		want[l.Digest] = l.Size
	}
	total := r.Size + r.config.Size
	var done atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(pullers)
	for digest, size := range want {
		g.Go(func() error {
			return r.source.blob(ctx, digest, size, blobPath(dir, digest), func(n int64) { progress(done.Add(n), total) })
		})
	}
	if err := g.Wait(); err != nil {
		return fault(err, r.Reference.String())
	}
	return nil
}

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
		if v := judge(err); try == blobTries || ctx.Err() != nil || !v.temporary() || errors.Is(err, errDigest) {
			return fmt.Errorf("blob %s: %w", digest, err)
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
		return fmt.Errorf("blob %s: %w: received %s", digest, errDigest, got)
	}
	return f.Close()
}

// transfer streams a blob, watched for stalls: the server may be slow, but
// not silent.
func (s *session) transfer(ctx context.Context, digest string, w *blobWriter) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := time.AfterFunc(s.stall, func() { cancel(errStalled) })
	defer watch.Stop()
	resp, err := s.get(ctx, "/blobs/"+digest, "")
	if err != nil {
		return stalled(ctx, err)
	}
	defer resp.Body.Close()
	w.alive = func() { watch.Reset(s.stall) }
	if _, err := io.CopyBuffer(w, onlyReader{resp.Body}, make([]byte, 128<<10)); err != nil {
		return stalled(ctx, err)
	}
	if w.left > 0 {
		return fmt.Errorf("%w: %d bytes are missing", io.ErrUnexpectedEOF, w.left)
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
		return 0, fmt.Errorf("%w: more bytes than announced", errDigest)
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
