package analyzer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

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

// unpackers is how many layers are decompressed at once at most: each may need
// a window of 128 MB.
const unpackers = 4

// unpack decompresses every layer once into the folder where stereoscope looks
// for uncompressed layers, checks it on the way, and lists its files.
func unpack(ctx context.Context, dir jobDir, img registry.Resolved, limits Limits) (*rootfs, error) {
	raw, cfg, err := readConfig(dir, img)
	if err != nil {
		return nil, err
	}
	u := &unpacker{limits: limits.orDefault(), dir: dir.layers}
	layers := make([]unpacked, len(img.Layers))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(min(max(runtime.GOMAXPROCS(0), 2), unpackers))
	for i, l := range img.Layers {
		// Named as stereoscope names its cache; should it look elsewhere some
		// day, it decompresses the layer itself.
		diff := cfg.RootFS.DiffIDs[i].String()
		to := filepath.Join(dir.layers, filepath.Base(fmt.Sprintf("%d-%s", i, strings.ReplaceAll(diff, ":", "-"))))
		g.Go(func() error {
			w := layer{unpacker: u, name: fmt.Sprintf("layer %d (%s)", i+1, engine.Digest(l.Digest).Short()), size: max(l.Size, 1), diff: diff}
			list, err := w.unpack(ctx, dir.blob(l.Digest), to)
			layers[i] = unpacked{to, list}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	tree, ok := squash(layers, u.limits.Entries)
	if !ok {
		return nil, hostile(engine.CauseTooManyEntries, "it has more than %d names of files and folders", u.limits.Entries)
	}
	return &rootfs{config: cfg, raw: raw, tree: tree, layers: layers, entries: u.entries.Load(), bytes: u.bytes.Load()}, nil
}

func readConfig(dir jobDir, img registry.Resolved) ([]byte, *v1.ConfigFile, error) {
	raw, err := os.ReadFile(dir.blob("sha256:" + img.ImageID))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil, hostile(engine.CauseConfigInvalid, "its manifest names no configuration")
	}
	if err != nil {
		return nil, nil, err
	}
	cfg, err := registry.DecodeConfig(raw, len(img.Layers))
	if err != nil {
		return nil, nil, hostile(engine.CauseConfigInvalid, "%w", err)
	}
	if os := or(cfg.OS, img.OS, "linux"); os != "linux" {
		return nil, nil, hostile(engine.CausePlatform, "it is for %q, and only images for Linux can be analyzed", clip(os))
	}
	return raw, cfg, nil
}

// clip keeps what an image says short enough to be repeated.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
