package analyzer

import (
	"context"
	"io"
	_ "unsafe" // for go:linkname

	"github.com/google/licensecheck"
)

// Syft reads the corpus of licence texts, a second of work and 60 MB, before
// it knows whether any text is to be told apart, and lets nobody choose: the
// type of its scanner is internal. Each analysis is a process of its own and
// would pay for it. These two of syft's internal functions give it a scanner
// that reads the corpus at the first text. A test holds that texts are still
// told apart; without the names the program does not link.

//go:linkname newLicenseScanner github.com/anchore/syft/internal/licenses.NewScanner
func newLicenseScanner(c *licenseScannerConfig) (licenseScanner, error)

//go:linkname setLicenseScanner github.com/anchore/syft/internal/licenses.SetContextLicenseScanner
func setLicenseScanner(ctx context.Context, s licenseScanner) context.Context

// licenseScanner is only handed on.
type licenseScanner interface {
	FindEvidence(ctx context.Context, r io.Reader)
}

type licenseScannerConfig struct {
	CoverageThreshold float64
	Scanner           func([]byte) licensecheck.Coverage
}

// withLicenses is a context in which syft tells licence texts apart.
func withLicenses(ctx context.Context) (context.Context, error) {
	s, err := newLicenseScanner(&licenseScannerConfig{sbomConfig().Licenses.Coverage, licensecheck.Scan})
	if err != nil {
		return nil, err
	}
	return setLicenseScanner(ctx, s), nil
}

// readLicenses reads the corpus ahead.
func readLicenses() { licensecheck.Scan(nil) }
