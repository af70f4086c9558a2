package analyzer

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/sync/errgroup"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

// Limits bound what an image may unpack to. Zero fields take the default.
type Limits struct {
	Bytes   int64 // of all layers uncompressed; default 32 GiB
	Entries int64 // in all layers; default 3 million
	Ratio   int64 // uncompressed to compressed, of one layer; default 300
}

// ratioFrom is the size up to which a layer may be compressed to any degree:
// small things made of zeros do no harm.
const ratioFrom = 64 << 20

// maxPath is longer than any path Linux opens.
const maxPath = 4096

func (l Limits) orDefault() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 32 << 30
	}
	if l.Entries <= 0 {
		l.Entries = 3_000_000
	}
	if l.Ratio <= 0 {
		l.Ratio = 300
	}
	return l
}

// hostile is a failure of what the image holds, not of this program.
func hostile(cause, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &engine.Fault{
		Kind: engine.ErrInvalid, Message: "The image cannot be analyzed: " + err.Error() + ".",
		Cause: &registry.Problem{Cause: cause, Err: err},
	}
}

// rootfs is what unpack learnt of the layers.
type rootfs struct {
	config  *v1.ConfigFile
	raw     []byte // the image configuration as it is stored
	tree    *node  // the squashed file system
	layers  []unpacked
	entries int64
	bytes   int64 // uncompressed, all layers
}

// unpacked is a layer that was decompressed into a file.
type unpacked struct {
	file    string
	entries []entry // in the order of the file
}

// unpack decompresses every layer once into the folder where stereoscope looks
// for uncompressed layers, checks it on the way, and lists its files.
func unpack(ctx context.Context, dir jobDir, img registry.Resolved, limits Limits) (*rootfs, error) {
	raw, cfg, err := readConfig(dir, img)
	if err != nil {
		return nil, err
	}
	diff := cfg.RootFS.DiffIDs
	u := &unpacker{limits: limits.orDefault()}
	layers := make([]unpacked, len(img.Layers))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(max(runtime.GOMAXPROCS(0), 2))
	for i, l := range img.Layers {
		// Named as stereoscope names its cache; should it look elsewhere some
		// day, it decompresses the layer itself.
		name := fmt.Sprintf("unnamed-%d", i)
		if len(diff) == len(img.Layers) {
			name = fmt.Sprintf("%d-%s", i, strings.ReplaceAll(diff[i].String(), ":", "-"))
		}
		g.Go(func() error {
			to := filepath.Join(dir.layers, filepath.Base(name))
			list, err := u.layer(ctx, dir.blob(l.Digest), to, l.Size)
			layers[i] = unpacked{to, list}
			if err != nil {
				return fmt.Errorf("layer %d: %w", i+1, err)
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	return &rootfs{config: cfg, raw: raw, tree: squash(layers), layers: layers, entries: u.entries.Load(), bytes: u.bytes.Load()}, nil
}

func readConfig(dir jobDir, img registry.Resolved) ([]byte, *v1.ConfigFile, error) {
	raw, err := os.ReadFile(dir.blob("sha256:" + img.ImageID))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, hostile(engine.CauseUnsupported, "its manifest names no configuration")
	}
	if err != nil {
		return nil, nil, err
	}
	cfg := new(v1.ConfigFile)
	if err := json.Unmarshal(raw, cfg); err != nil {
		return nil, nil, hostile(engine.CauseUnsupported, "its configuration is not readable JSON")
	}
	return raw, cfg, nil
}

type unpacker struct {
	limits  Limits
	bytes   atomic.Int64
	entries atomic.Int64
}

// layer decompresses one layer into a file and lists its entries.
func (u *unpacker) layer(ctx context.Context, blob, to string, compressed int64) ([]entry, error) {
	in, err := os.Open(blob)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	plain, err := decompress(in)
	if err != nil {
		return nil, err
	}
	defer plain.Close()
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	out := bufio.NewWriterSize(f, 256<<10)

	meter := &meter{ctx: ctx, r: plain, u: u, compressed: max(compressed, 1)}
	tee := io.TeeReader(meter, out)
	list, err := u.list(tar.NewReader(tee))
	if err != nil {
		return nil, readable(err)
	}
	// What follows the end mark belongs to the layer's bytes too.
	if _, err := io.Copy(io.Discard, tee); err != nil {
		return nil, readable(err)
	}
	if err := out.Flush(); err != nil {
		return nil, err
	}
	return list, f.Close()
}

// list reads a layer's entries and hashes its files.
func (u *unpacker) list(tr *tar.Reader) ([]entry, error) {
	var list []entry
	sum, buf := sha256.New(), make([]byte, 128<<10)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		if u.entries.Add(1) > u.limits.Entries {
			return nil, hostile(engine.CauseTooLarge, "it has more than %d files", u.limits.Entries)
		}
		if len(h.Name) > maxPath || len(h.Linkname) > maxPath {
			return nil, hostile(engine.CauseUnsupported, "a layer has a path of more than %d bytes", maxPath)
		}
		if h.Size > u.limits.Bytes { // a sparse file is larger than its bytes in the archive
			return nil, hostile(engine.CauseTooLarge, "it unpacks to more than %d bytes", u.limits.Bytes)
		}
		e := entryOf(h)
		if e.kind == kindFile {
			sum.Reset()
			if _, err := io.CopyBuffer(onlyWriter{sum}, tr, buf); err != nil {
				return nil, err
			}
			e.sha = hex.EncodeToString(sum.Sum(nil))
		}
		list = append(list, e)
	}
}

type onlyWriter struct{ io.Writer }

// meter counts uncompressed bytes against the limits.
type meter struct {
	ctx        context.Context
	r          io.Reader
	u          *unpacker
	done       int64
	compressed int64
}

func (m *meter) Read(p []byte) (int, error) {
	if err := m.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := m.r.Read(p)
	m.done += int64(n)
	if all := m.u.bytes.Add(int64(n)); all > m.u.limits.Bytes {
		return 0, hostile(engine.CauseTooLarge, "it unpacks to more than %d bytes", m.u.limits.Bytes)
	}
	if m.done > ratioFrom && m.done/m.compressed > m.u.limits.Ratio {
		return 0, hostile(engine.CauseTooLarge, "a layer unpacks to more than %d times its size", m.u.limits.Ratio)
	}
	return n, err
}

// decompress looks at the bytes, not at the media type: builders mislabel.
func decompress(in io.Reader) (io.ReadCloser, error) {
	br := bufio.NewReaderSize(in, 256<<10)
	head, err := br.Peek(4)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, readable(err)
		}
		return z, nil
	case bytes.Equal(head, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(br, zstd.WithDecoderMaxWindow(128<<20), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, readable(err)
		}
		return z.IOReadCloser(), nil
	}
	return io.NopCloser(br), nil
}

// readable turns a decoder's complaint into one about the image.
func readable(err error) error {
	var f *engine.Fault
	var path *os.PathError
	if errors.As(err, &f) || errors.As(err, &path) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return hostile(engine.CauseArchive, "a layer is damaged (%v)", err)
}
