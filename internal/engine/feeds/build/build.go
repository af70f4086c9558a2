// Package build makes vulnerability databases from a handful of records: the
// archive and the listing that a feed source serves, in the format that real
// ones have, written by the same library that writes those. The built-in
// starter data is made by it, and so are the feeds that tests sync.
package build

import (
	"archive/tar"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	v6 "github.com/anchore/grype/grype/db/v6"
	"github.com/klauspost/compress/zstd"
)

// Record is one vulnerability as one provider describes it.
type Record struct {
	Provider    string // debian, alpine, ubuntu, rhel, github, nvd, govulndb, ...
	ID          string
	Severity    string // a word; empty: from CVSS, else unknown
	CVSS        string // vector of version 3
	Description string
	URL         string
	Aliases     []string
	Affects     []Affected
}

// Affected is one package that a record is about.
type Affected struct {
	OS         string // name:version, such as debian:12; empty: a language's package
	Ecosystem  string // deb, apk, rpm, npm, python, gem, go-module, java-archive
	Package    string
	Constraint string // empty with Fixed: "< Fixed"
	Fixed      string
	State      string // empty: fixed with a version, else not-fixed
}

// Exploited is one entry of the list of vulnerabilities known to be exploited.
type Exploited struct{ CVE, Vendor, Product, Added string }

// Database is what a listing announces.
type Database struct {
	Built     time.Time
	Records   []Record
	Exploited []Exploited
	EPSS      map[string]float64 // by CVE
}

// Listing is latest.json.
type Listing struct {
	Status        string    `json:"status"`
	SchemaVersion string    `json:"schemaVersion"`
	Built         time.Time `json:"built"`
	Path          string    `json:"path"`
	Checksum      string    `json:"checksum"`
}

// Serve writes a database below dir as a source has it: dir/v6/latest.json and
// the archive it names, in place of an earlier one.
func Serve(dir string, d Database) (Listing, error) {
	v6dir := filepath.Join(dir, "v6")
	if err := os.MkdirAll(v6dir, 0o755); err != nil {
		return Listing{}, fmt.Errorf("serve database: %w", err)
	}
	l, err := Archive(v6dir, d)
	if err != nil {
		return Listing{}, err
	}
	return l, Announce(dir, l)
}

// Announce writes a listing below dir, true or not.
func Announce(dir string, l Listing) error {
	body, err := json.MarshalIndent(l, "", " ")
	if err != nil {
		return fmt.Errorf("announce database: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "v6", "latest.json"), body, 0o644); err != nil {
		return fmt.Errorf("announce database: %w", err)
	}
	return nil
}

// Archive writes the archive of a database into dir.
func Archive(dir string, d Database) (Listing, error) {
	work, err := os.MkdirTemp(dir, ".build-")
	if err != nil {
		return Listing{}, fmt.Errorf("build database: %w", err)
	}
	defer os.RemoveAll(work)
	if err := write(work, d); err != nil {
		return Listing{}, fmt.Errorf("build database: %w", err)
	}
	l := Listing{
		Status: "active", SchemaVersion: fmt.Sprintf("v%d.%d.%d", v6.ModelVersion, v6.Revision, v6.Addition), Built: d.Built.UTC(),
		Path: fmt.Sprintf("vulnerability-db_%d.tar.zst", d.Built.Unix()),
	}
	l.Checksum, err = pack(filepath.Join(work, v6.VulnerabilityDBFileName), filepath.Join(dir, l.Path), d.Built)
	if err != nil {
		return Listing{}, fmt.Errorf("build database: %w", err)
	}
	return l, nil
}

// pack makes a .tar.zst of one file and returns its checksum.
func pack(file, archive string, at time.Time) (string, error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer in.Close()
	st, err := in.Stat()
	if err != nil {
		return "", err
	}
	out, err := os.Create(archive)
	if err != nil {
		return "", err
	}
	defer out.Close()
	sum := sha256.New()
	z, err := zstd.NewWriter(io.MultiWriter(out, sum), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return "", err
	}
	t := tar.NewWriter(z)
	h := &tar.Header{Name: filepath.Base(file), Mode: 0o644, Size: st.Size(), ModTime: at.UTC().Truncate(time.Second), Typeflag: tar.TypeReg}
	if err := t.WriteHeader(h); err != nil {
		return "", err
	}
	if _, err := io.Copy(t, in); err != nil {
		return "", err
	}
	for _, close := range []func() error{t.Close, z.Close, out.Close} {
		if err := close(); err != nil {
			return "", err
		}
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// write makes the database file, as archives hold it: without indexes.
func write(dir string, d Database) error {
	w, err := v6.NewWriter(v6.Config{DBDirPath: dir})
	if err != nil {
		return err
	}
	if err := fill(w, d); err != nil {
		w.Close()
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	// The writer stamps the present; a database is as old as its records.
	db, err := sql.Open("sqlite", filepath.Join(dir, v6.VulnerabilityDBFileName))
	if err != nil {
		return err
	}
	defer db.Close()
	_, err = db.Exec(`UPDATE db_metadata SET build_timestamp = ?`, d.Built.UTC().Truncate(time.Second))
	return err
}

func fill(w v6.ReadWriter, d Database) error {
	if err := w.SetDBMetadata(); err != nil {
		return err
	}
	captured := d.Built.UTC()
	providers := map[string]*v6.Provider{}
	oss := map[string]*v6.OperatingSystem{}
	for _, r := range d.Records {
		p := providers[r.Provider]
		if p == nil {
			p = &v6.Provider{ID: r.Provider, Version: "1", Processor: "windlass", DateCaptured: &captured}
			providers[r.Provider] = p
		}
		h := handle(r, p)
		if err := w.AddVulnerabilities(h); err != nil {
			return fmt.Errorf("%s: %w", r.ID, err)
		}
		for _, a := range r.Affects {
			if err := w.AddAffectedPackages(affected(h, r, a, oss)); err != nil {
				return fmt.Errorf("%s: %w", r.ID, err)
			}
		}
	}
	for _, e := range d.Exploited {
		blob := &v6.KnownExploitedVulnerabilityBlob{Cve: e.CVE, VendorProject: e.Vendor, Product: e.Product, KnownRansomwareCampaignUse: "unknown"}
		if at, err := time.Parse(time.DateOnly, e.Added); err == nil {
			blob.DateAdded = &at
		}
		if err := w.AddKnownExploitedVulnerabilities(&v6.KnownExploitedVulnerabilityHandle{Cve: e.CVE, BlobValue: blob}); err != nil {
			return fmt.Errorf("%s: %w", e.CVE, err)
		}
	}
	for cve, p := range d.EPSS {
		if err := w.AddEpss(&v6.EpssHandle{Cve: cve, Epss: p, Percentile: p, Date: captured}); err != nil {
			return fmt.Errorf("%s: %w", cve, err)
		}
	}
	return nil
}

func handle(r Record, p *v6.Provider) *v6.VulnerabilityHandle {
	blob := &v6.VulnerabilityBlob{ID: r.ID, Description: r.Description, Aliases: r.Aliases}
	if r.URL != "" {
		blob.References = []v6.Reference{{URL: r.URL}}
	}
	if r.Severity != "" {
		blob.Severities = append(blob.Severities, v6.Severity{Scheme: v6.SeveritySchemeCHMLN, Value: strings.ToLower(r.Severity), Rank: 1})
	}
	if r.CVSS != "" {
		version, _, _ := strings.Cut(strings.TrimPrefix(r.CVSS, "CVSS:"), "/")
		blob.Severities = append(blob.Severities, v6.Severity{
			Scheme: v6.SeveritySchemeCVSS, Value: v6.CVSSSeverity{Vector: r.CVSS, Version: version}, Rank: 2,
		})
	}
	return &v6.VulnerabilityHandle{Name: r.ID, Status: v6.VulnerabilityActive, ProviderID: p.ID, Provider: p, BlobValue: blob}
}

func affected(h *v6.VulnerabilityHandle, r Record, a Affected, oss map[string]*v6.OperatingSystem) *v6.AffectedPackageHandle {
	rng := v6.Range{Version: v6.Version{Type: versionType(a.Ecosystem), Constraint: a.Constraint}}
	if a.Constraint == "" && a.Fixed != "" {
		rng.Version.Constraint = "< " + a.Fixed
	}
	state := v6.FixStatus(a.State)
	switch {
	case state == "" && a.Fixed != "":
		state = v6.FixedStatus
	case state == "":
		state = v6.NotFixedStatus
	}
	rng.Fix = &v6.Fix{Version: a.Fixed, State: state}
	cves := append([]string{}, r.Aliases...)
	if strings.HasPrefix(r.ID, "CVE-") {
		cves = append(cves, r.ID)
	}
	out := &v6.AffectedPackageHandle{
		Vulnerability: h, VulnerabilityID: h.ID,
		Package:   &v6.Package{Ecosystem: a.Ecosystem, Name: a.Package},
		BlobValue: &v6.PackageBlob{CVEs: cves, Ranges: []v6.Range{rng}},
	}
	if a.OS == "" {
		return out
	}
	os := oss[a.OS]
	if os == nil {
		os = release(a.OS)
		oss[a.OS] = os
	}
	out.OperatingSystem = os
	return out
}

// release reads name:version, in the database's own naming.
func release(text string) *v6.OperatingSystem {
	name, version, _ := strings.Cut(text, ":")
	os := &v6.OperatingSystem{Name: name, ReleaseID: name}
	if name == "rhel" {
		os.Name = "redhat"
	}
	if strings.Trim(version, "0123456789.") != "" {
		os.LabelVersion = version
		return os
	}
	os.MajorVersion, os.MinorVersion, _ = strings.Cut(version, ".")
	os.Codename = codenames[text]
	return os
}

// codenames are those that images give beside their version: a release is only
// found when both agree.
var codenames = map[string]string{
	"debian:10": "buster", "debian:11": "bullseye", "debian:12": "bookworm", "debian:13": "trixie",
	"ubuntu:20.04": "focal", "ubuntu:22.04": "jammy", "ubuntu:24.04": "noble",
}

func versionType(ecosystem string) string {
	switch ecosystem {
	case "deb":
		return "dpkg"
	case "apk", "rpm", "python", "gem", "npm":
		return ecosystem
	case "go-module":
		return "go"
	case "java-archive":
		return "java"
	}
	return "unknown"
}
