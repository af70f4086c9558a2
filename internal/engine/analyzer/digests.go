package analyzer

import (
	"context"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"time"

	sfile "github.com/anchore/syft/syft/file"
	"github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/sbom"
	"golang.org/x/sync/errgroup"
)

// hashes are the algorithms of package databases beside sha256, which is known
// of every file: dpkg has md5, apk sha1, rpm any of them.
var hashes = map[string]func() hash.Hash{
	"md5": md5.New, "sha1": sha1.New, "sha384": sha512.New384, "sha512": sha512.New,
}

// claim is the digest that a package database has of a file.
type claim struct {
	path, algorithm, digest string
}

// differs is an element of the document of digests: a file whose content is
// not what a package database recorded, and the digest that it has.
type differs struct {
	Path      string `json:"path"`
	Algorithm string `json:"algorithm"`
	Digest    string `json:"digest"`
}

// digests holds the files that packages own against the digests that were
// recorded when they were installed. Which algorithm that takes is known once
// the package databases are read, so those files, and no others, are read once
// more; only what differs is kept.
func (a *Analyzer) digests(ctx context.Context, fs *rootfs, s *sbom.SBOM, log *slog.Logger) ([]byte, error) {
	began := time.Now()
	claims := map[*entry][]claim{}
	for p := range s.Artifacts.Packages.Enumerate(pkg.DebPkg, pkg.ApkPkg, pkg.RpmPkg) {
		for _, c := range claimsOf(p) {
			if e := fs.tree.through(c.path); e != nil && !slices.Contains(claims[e], c) {
				claims[e] = append(claims[e], c)
			}
		}
	}
	wants := func(e *entry) bool { return len(claims[e]) > 0 }
	found := make([][]differs, len(fs.layers))
	g, limited := errgroup.WithContext(ctx)
	g.SetLimit(max(runtime.GOMAXPROCS(0), 2))
	for i, l := range fs.layers {
		g.Go(func() error {
			buf := make([]byte, 128<<10)
			return eachFile(limited, l, wants, func(r io.Reader, e *entry) (err error) {
				found[i], err = compare(found[i], r, claims[e], buf)
				return err
			})
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	list := slices.Concat(found...)
	slices.SortFunc(list, func(a, b differs) int { return strings.Compare(a.Path+a.Algorithm, b.Path+b.Algorithm) })
	log.InfoContext(ctx, "digests compared", "files", len(claims), "differ", len(list), "took", time.Since(began).Round(time.Millisecond))
	return json.Marshal(append([]differs{}, list...))
}

// compare reads a file once and appends what of the claims is not so.
func compare(list []differs, r io.Reader, claims []claim, buf []byte) ([]differs, error) {
	sums := map[string]hash.Hash{}
	var into []io.Writer
	for _, c := range claims {
		if sums[c.algorithm] == nil {
			sums[c.algorithm] = hashes[c.algorithm]()
			into = append(into, sums[c.algorithm])
		}
	}
	if _, err := io.CopyBuffer(io.MultiWriter(into...), r, buf); err != nil {
		return list, err
	}
	for _, c := range claims {
		if sum := hex.EncodeToString(sums[c.algorithm].Sum(nil)); !strings.EqualFold(sum, c.digest) {
			list = append(list, differs{c.path, c.algorithm, sum})
		}
	}
	return list, nil
}

// claimsOf are the digests that the database entry of a package names, in the
// algorithms of hashes. Configuration files are meant to be changed.
func claimsOf(p pkg.Package) (list []claim) {
	add := func(path string, d *sfile.Digest, config bool) {
		if d == nil || d.Value == "" || path == "" || config {
			return
		}
		c := claim{"/" + strings.TrimLeft(path, "/"), strings.ToLower(d.Algorithm), strings.ToLower(d.Value)}
		if sum, ok := strings.CutPrefix(d.Value, "Q1"); ok { // apk: base64 of a sha1
			raw, err := base64.StdEncoding.DecodeString(sum)
			if err != nil {
				return
			}
			c.algorithm, c.digest = "sha1", hex.EncodeToString(raw)
		}
		if hashes[c.algorithm] != nil {
			list = append(list, c)
		}
	}
	switch m := p.Metadata.(type) {
	case pkg.DpkgDBEntry:
		for _, f := range m.Files {
			add(f.Path, f.Digest, f.IsConfigFile)
		}
	case pkg.ApkDBEntry:
		for _, f := range m.Files {
			add(f.Path, f.Digest, false)
		}
	case pkg.RpmDBEntry:
		for _, f := range m.Files {
			add(f.Path, &f.Digest, strings.ContainsAny(f.Flags, "cg"))
		}
	}
	return list
}
