package analyzer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"

	sfile "github.com/anchore/stereoscope/pkg/file"
	"github.com/anchore/stereoscope/pkg/image"
	"github.com/anchore/syft/syft"
	"github.com/anchore/syft/syft/cataloging"
	"github.com/anchore/syft/syft/format/syftjson"
	"github.com/anchore/syft/syft/sbom"
	"github.com/anchore/syft/syft/source/stereoscopesource"
	_ "github.com/glebarez/sqlite" // newer rpm databases are SQLite files
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"

	"windlass/internal/engine/registry"
)

// sbomConfig makes syft's SBOM, with the symbols of Go binaries beside, so that
// advisories about functions that are not linked in are left out of the
// matches, as by grype's command line. That also drops packages without a
// version; here they stay in the lists, and its library passes them over.
func sbomConfig() *syft.CreateSBOMConfig {
	cfg := syft.DefaultCreateSBOMConfig()
	cfg.Packages.Golang = cfg.Packages.Golang.WithCaptureSymbols(cataloging.SymbolScopeAll)
	return cfg.WithCatalogerSelection(cataloging.NewSelectionRequest().WithDefaults("image"))
}

// errPanic is a parser that fell over the image.
var errPanic = errors.New("a parser panicked")

// catalog makes the SBOM of the layers that unpack wrote.
func catalog(ctx context.Context, dir jobDir, r registry.Resolved) (s *sbom.SBOM, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v\n%s", errPanic, p, debug.Stack())
		}
	}()
	ctx, err = withLicenses(ctx)
	if err != nil {
		return nil, err
	}
	index, err := layout.ImageIndexFromPath(dir.layout)
	if err != nil {
		return nil, err
	}
	digest, err := v1.NewHash(string(r.Digest))
	if err != nil {
		return nil, err
	}
	stored, err := index.Image(digest)
	if err != nil {
		return nil, err
	}
	meta := []image.AdditionalMetadata{image.WithManifest(r.Manifest), image.WithManifestDigest(string(r.Digest))}
	if r.Reference.Tag != "" {
		meta = append(meta, image.WithTags(r.Reference.Full()))
	}
	// What stereoscope is given it takes away when it is done: a link, so that
	// the steps after this one still find the layers.
	cache := filepath.Join(dir.root, "cache")
	if err := os.Symlink(dir.layers, cache); err != nil {
		return nil, err
	}
	img := image.New(stored, sfile.NewTempDirGenerator("windlass"), cache, meta...)
	if err := img.Read(ctx); err != nil {
		return nil, indexed(err)
	}
	src := stereoscopesource.New(img, stereoscopesource.ImageConfig{Reference: r.Reference.String()})
	defer src.Close()
	return syft.CreateSBOM(ctx, src, sbomConfig())
}

// encodeSBOM writes the document that is stored and downloaded.
func encodeSBOM(s *sbom.SBOM) ([]byte, error) {
	var b bytes.Buffer
	if err := syftjson.NewFormatEncoder().Encode(&b, *s); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
