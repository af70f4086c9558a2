package core

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"

	"windlass/internal/engine"
	"windlass/internal/engine/report"
	"windlass/internal/engine/sbom"
)

// converters tells releases apart whose documents differ though what they are
// made of does not: it counts up when an encoder or its library changes.
const converters = "1"

// ExportSBOM offers the SBOM of an analyzed image in one of engine.SBOMFormats.
func (c *Core) ExportSBOM(ctx context.Context, i engine.Image, format string) (engine.Export, error) {
	f, ok := engine.FormatOf(engine.SBOMFormats, format)
	if !ok {
		return engine.Export{}, engine.NotFoundf("There is no format %q of an SBOM.", format)
	}
	digest := string(i.Digest)
	info, err := c.store.DocumentInfo(ctx, i.Account, engine.DocSBOM, digest)
	if err != nil {
		return engine.Export{}, err
	}
	e := engine.Export{ExportFormat: f, File: engine.ExportFile(i, f.Suffix), Tag: tagOf(digest, nameOf(i), info.Tag, f.Name, converters)}
	e.Open = func(ctx context.Context) (io.ReadCloser, int64, error) {
		if f.Name == engine.SyftJSON { // as it is stored
			body, err := c.store.DocumentGzip(ctx, i.Account, engine.DocSBOM, digest)
			return io.NopCloser(bytes.NewReader(body)), int64(len(body)), err
		}
		return c.sboms.Convert(ctx, sbom.Source{
			Size: info.Size, At: i.AnalyzedAt, Name: nameOf(i),
			Read: func(ctx context.Context) ([]byte, error) {
				return c.store.Document(ctx, i.Account, engine.DocSBOM, digest)
			},
		}, f.Name)
	}
	return e, nil
}

// nameOf is what a document about an image is called: its newest name.
func nameOf(i engine.Image) string {
	if len(i.Tags) > 0 {
		return i.Tags[0].Full()
	}
	return string(i.Digest)
}

// SBOMInfo tells how large the stored SBOM of an image is.
func (c *Core) SBOMInfo(ctx context.Context, account, digest string) (engine.DocumentInfo, error) {
	return c.store.DocumentInfo(ctx, account, engine.DocSBOM, digest)
}

// PackageSummary counts an image's packages by type and by licence.
func (c *Core) PackageSummary(ctx context.Context, account, digest string) (engine.PackageSummary, error) {
	return c.store.PackageSummary(ctx, account, digest)
}

// ExportMatches offers what of an analyzed image's matches a filter selects, in
// one of engine.MatchFormats.
func (c *Core) ExportMatches(ctx context.Context, i engine.Image, format string, filter engine.MatchFilter) (engine.Export, error) {
	f, ok := engine.FormatOf(engine.MatchFormats, format)
	if !ok {
		return engine.Export{}, engine.NotFoundf("There is no format %q of vulnerabilities.", format)
	}
	list, _, err := c.Matches(ctx, i.Account, string(i.Digest))
	if err != nil {
		return engine.Export{}, err
	}
	r := report.Report{Image: i, Matches: filter.Select(list)}
	if r.PURLs, err = c.store.MatchPURLs(ctx, i.Account, string(i.Digest)); err != nil {
		return engine.Export{}, err
	}
	if f.Name == engine.MatchesSARIF && len(r.Matches) > 0 {
		if r.Places, err = c.places(ctx, i, r.Matches); err != nil {
			return engine.Export{}, err
		}
	}
	// A few megabytes at the most, and its tag is that of its content: marks
	// upon matches come and go without the image being matched again.
	var packed bytes.Buffer
	z, sum := gzip.NewWriter(&packed), sha256.New()
	if err := r.Write(io.MultiWriter(z, sum), f.Name); err != nil {
		return engine.Export{}, fmt.Errorf("export of matches: %w", err)
	}
	if err := z.Close(); err != nil {
		return engine.Export{}, fmt.Errorf("export of matches: %w", err)
	}
	return engine.Export{
		ExportFormat: f, File: engine.ExportFile(i, "-vulnerabilities"+f.Suffix), Tag: hex.EncodeToString(sum.Sum(nil)[:16]),
		Open: func(context.Context) (io.ReadCloser, int64, error) {
			return io.NopCloser(bytes.NewReader(packed.Bytes())), int64(packed.Len()), nil
		},
	}, nil
}

// places looks up in the SBOM where the packages of matches stand. Imported
// documents need not say.
func (c *Core) places(ctx context.Context, i engine.Image, list []engine.Match) (map[string]report.Place, error) {
	leave, err := c.wholes.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	wanted := map[string]bool{}
	for _, m := range list {
		wanted[m.PackageKey] = true
	}
	doc, err := c.store.Document(ctx, i.Account, engine.DocSBOM, string(i.Digest))
	if err != nil {
		return nil, err
	}
	return report.Places(doc, wanted)
}

func tagOf(parts ...string) string {
	sum := sha256.New()
	for _, p := range parts {
		io.WriteString(sum, p+"\x00") // a hash takes everything
	}
	return hex.EncodeToString(sum.Sum(nil)[:16])
}
