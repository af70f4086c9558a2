// Package vuln finds which packages of an SBOM are affected by which records of
// the vulnerability data in use, exactly as the grype command line does.
//
// Exactly means its settings, which differ from the library's defaults: stock
// and JVM packages are also matched by CPE, a missing epoch is guessed for rpm
// and zero for dpkg, matches of kernel headers through the kernel's source
// package are left out, and packages that another package owns (a Python module
// that a Debian package brought) are not matched on their own.
//
// Input is always syft's JSON. An SBOM in hand is encoded first, so a match made
// today from the image and one made next month from the stored document cannot
// differ. Go function symbols, which decide about Go advisories, are part of
// that document when the SBOM was made with them.
//
// Nothing is removed that the command line would report. Where two sources
// describe one issue of one package the matcher itself has already chosen; a
// further selection by rank, as the contract sketches for its older provider,
// would make the numbers differ from the reference tool's.
//
// A group that a person disabled is taken out of the result, by the same naming
// of groups that counts them.
package vuln

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"

	"github.com/anchore/grype/grype"
	"github.com/anchore/grype/grype/distro"
	"github.com/anchore/grype/grype/match"
	"github.com/anchore/grype/grype/matcher"
	"github.com/anchore/grype/grype/matcher/dpkg"
	"github.com/anchore/grype/grype/matcher/rpm"
	"github.com/anchore/grype/grype/matcher/stock"
	"github.com/anchore/grype/grype/pkg"
	"github.com/anchore/grype/grype/version"
	"github.com/anchore/syft/syft/format/syftjson"
	syftpkg "github.com/anchore/syft/syft/pkg"
	"github.com/anchore/syft/syft/sbom"

	"windlass/internal/engine"
)

// Source says which data is in use and what of it is off.
type Source interface {
	ActiveFeedData(ctx context.Context) (engine.FeedData, error)
	GroupsOff(ctx context.Context) ([]engine.FeedGroup, error)
}

// Matcher matches against the data in use. It may be used from many goroutines.
type Matcher struct {
	source Source
	dir    string // DATA_DIR/feeds
	log    *slog.Logger
	slots  chan struct{} // bounds the matches at work: each holds an SBOM and its packages in memory
	open   opened
}

// New makes a matcher over the databases below dir (DATA_DIR/feeds).
func New(source Source, dir string, log *slog.Logger) *Matcher {
	return &Matcher{source: source, dir: dir, log: log, slots: make(chan struct{}, max(2, runtime.GOMAXPROCS(0)))}
}

// Match finds what affects the packages of an SBOM; see MatchJSON.
func (m *Matcher) Match(ctx context.Context, s *sbom.SBOM) ([]engine.Match, string, error) {
	var doc bytes.Buffer
	if err := syftjson.NewFormatEncoder().Encode(&doc, *s); err != nil {
		return nil, "", fmt.Errorf("encode sbom: %w", err)
	}
	return m.MatchJSON(ctx, doc.Bytes())
}

// MatchJSON finds what affects the packages of an SBOM in syft's JSON and says
// with which data. Where there is no data, or none on this host (one that runs
// analyzers alone), it returns an empty id and no matches: an image that is
// stored so is queued to be matched where the data is, or when it comes.
func (m *Matcher) MatchJSON(ctx context.Context, doc []byte) ([]engine.Match, string, error) {
	list, data, err := m.match(ctx, doc)
	if errors.Is(err, engine.ErrNotFound) || errors.Is(err, errElsewhere) {
		return nil, "", nil
	}
	return list, data, err
}

// match is MatchJSON that says why there is no data: engine.ErrNotFound for none
// at all, errElsewhere for none on this host.
func (m *Matcher) match(ctx context.Context, doc []byte) ([]engine.Match, string, error) {
	select {
	case m.slots <- struct{}{}:
		defer func() { <-m.slots }()
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	h, err := m.acquire(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("match: %w", err)
	}
	defer h.release()
	off, err := m.source.GroupsOff(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("match: %w", err)
	}
	found, s, err := find(ctx, h, doc)
	if err != nil {
		return nil, "", fmt.Errorf("match: %w", err)
	}
	list, err := newConverter(h, s, off).all(found)
	if err != nil {
		return nil, "", fmt.Errorf("match: %w", err)
	}
	return list, h.data.ID, nil
}

// find runs the matcher as the command line does.
func find(ctx context.Context, h *handle, doc []byte) ([]match.Match, *sbom.SBOM, error) {
	// The decoder guesses formats; only one is ours.
	if !bytes.Contains(doc[:min(len(doc), 4096)], []byte(`"artifacts"`)) {
		return nil, nil, engine.Invalidf("This is not an SBOM in syft's JSON form.")
	}
	packages, pctx, s, err := pkg.ProvideFromReader(bytes.NewReader(doc), pkg.ProviderConfig{
		SynthesisConfig: pkg.SynthesisConfig{Distro: pkg.DistroConfig{FixChannels: distro.DefaultFixChannels()}},
	})
	if err != nil {
		return nil, nil, &engine.Fault{Kind: engine.ErrInvalid, Message: "This is not an SBOM in syft's JSON form.", Cause: err}
	}
	vm := grype.VulnerabilityMatcher{
		VulnerabilityProvider: h.provider,
		IgnoreRules:           kernelHeaders,
		Matchers: matcher.NewDefaultMatchers(matcher.Config{
			Stock: stock.MatcherConfig{UseCPEs: true},
			Dpkg:  dpkg.MatcherConfig{MissingEpochStrategy: version.MissingEpochStrategyZero},
			Rpm:   rpm.MatcherConfig{MissingEpochStrategy: version.MissingEpochStrategyAuto},
		}),
	}
	found, _, err := vm.FindMatchesContext(ctx, packages, pctx)
	if err != nil {
		return nil, nil, err
	}
	return found.Sorted(), s, nil
}

// kernelHeaders leaves out what concerns a running kernel and was matched only
// because the headers are built from the kernel's source.
var kernelHeaders = []match.IgnoreRule{
	indirect("kernel-headers", "kernel", syftpkg.RpmPkg),
	indirect("linux(-.*)?-headers-.*", "linux.*", syftpkg.DebPkg),
	indirect("linux-libc-dev", "linux", syftpkg.DebPkg),
	indirect("linux-kbuild-.*", "linux.*", syftpkg.DebPkg),
}

func indirect(name, upstream string, t syftpkg.Type) match.IgnoreRule {
	return match.IgnoreRule{
		Package:   match.IgnoreRulePackage{Name: name, UpstreamName: upstream, Type: string(t)},
		MatchType: match.ExactIndirectMatch,
	}
}

// isCVE reports whether an id is one of the CVE list's.
func isCVE(id string) bool { return strings.HasPrefix(strings.ToUpper(id), "CVE-") }
