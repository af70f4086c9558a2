package analyzer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"windlass/internal/engine"
	"windlass/internal/engine/registry"
)

// Imports gives what was uploaded of an image that was analyzed elsewhere.
type Imports interface {
	Imported(ctx context.Context, account, id, digest string) (engine.Imported, error)
}

// IsImport reports whether a job is of an imported image.
func IsImport(j engine.Job) bool {
	var task engine.AnalyzeTask
	return json.Unmarshal(j.Payload, &task) == nil && task.Source == engine.FromImport
}

// analyzeImport has a child make the analysis of an imported image from what
// was uploaded in place of its bytes.
func (w *Worker) analyzeImport(ctx context.Context, j engine.Job, id string, log *slog.Logger, report Report) (Result, error) {
	report(engine.StagePull, 0, 0)
	in, err := w.Imports.Imported(ctx, j.Account, id, j.Subject)
	if errors.Is(err, engine.ErrNotFound) {
		err = importFault("What was uploaded for this image is gone. Import it again.", err)
	}
	if err != nil {
		return Result{}, &stageError{engine.StagePull, err}
	}
	log.InfoContext(ctx, "import read", "import", id, "sbom_bytes", len(in.SBOM))
	dir, err := w.Spool.job()
	if err != nil {
		return Result{}, &stageError{engine.StagePull, err}
	}
	defer dir.remove(log)
	if err := layImport(dir, in); err != nil {
		return Result{}, &stageError{engine.StagePull, err}
	}
	child, err := startChild(dir, w.Process, w.Limits, false)
	if err != nil {
		return Result{}, &stageError{engine.StagePull, err}
	}
	defer child.end()
	report(engine.StageSBOM, 0, 0)
	res, err := child.examine(ctx, order{Import: true, Limits: w.Limits}, log, report)
	if err != nil {
		return res, err
	}
	a := &res.Analysis
	a.Manifest, a.Documents = in.Manifest, map[string][]byte{engine.DocConfig: in.Config}
	if in.Parent != nil {
		a.Documents[engine.DocParentManifest] = in.Parent
	}
	return res, nil
}

// The files of an import in the folder of its job.
const (
	importSBOM     = "sbom.json"
	importManifest = "manifest.json"
	importConfig   = "config.json"
)

// layImport puts what a child needs of an import where it finds it.
func layImport(dir jobDir, in engine.Imported) error {
	if err := os.Mkdir(dir.upload, 0o700); err != nil {
		return err
	}
	for name, body := range map[string][]byte{importSBOM: in.SBOM, importManifest: in.Manifest, importConfig: in.Config} {
		if err := os.WriteFile(filepath.Join(dir.upload, name), body, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// examineImport is what the child does for an import: the packages from the
// SBOM, all else from manifest and configuration. There are no files to list
// and no contents to search.
func examineImport(ctx context.Context, dir jobDir, log *slog.Logger, report Report) (engine.Analysis, error) {
	var in engine.Imported
	for name, body := range map[string]*[]byte{importSBOM: &in.SBOM, importManifest: &in.Manifest, importConfig: &in.Config} {
		var err error
		if *body, err = os.ReadFile(filepath.Join(dir.upload, name)); err != nil {
			return engine.Analysis{}, &stageError{engine.StageSBOM, err}
		}
	}
	began := time.Now()
	s, doc, err := readSBOM(in.SBOM)
	if err != nil {
		return engine.Analysis{}, &stageError{engine.StageSBOM, importFault("The uploaded packages are not an SBOM in syft's JSON form.", err)}
	}
	log.InfoContext(ctx, "sbom done", "packages", s.Artifacts.Packages.PackageCount(), "took", time.Since(began).Round(time.Millisecond))
	report(engine.StageContent, 0, 0)
	img, cfg, err := importedImage(in)
	if err != nil {
		return engine.Analysis{}, &stageError{engine.StageContent, importFault("The uploaded manifest or image configuration is not readable.", err)}
	}
	history, err := json.Marshal(history(img, cfg))
	if err != nil {
		return engine.Analysis{}, &stageError{engine.StageContent, err}
	}
	meta := engine.ImageMeta{
		Arch: or(cfg.Architecture, "N/A"), DockerfileMode: "Guessed", Size: img.Size, LayerCount: len(img.Layers),
	}
	meta.Distro, meta.DistroVersion = distro(s.Artifacts.LinuxDistribution)
	return engine.Analysis{
		Meta: meta, Packages: packages(s), SBOM: doc, History: history, Dockerfile: guessDockerfile(cfg.History),
	}, nil
}

// causeImport is the stable cause of an import that cannot be used.
const causeImport = "import_invalid"

// importFault tells a person what is wrong with what was uploaded.
func importFault(message string, err error) error {
	return &engine.Fault{Kind: engine.ErrInvalid, Message: message, Cause: &engine.Problem{Cause: causeImport, Err: err}}
}

// maxImportLayers and maxImportHistory are beyond what any builder makes.
const (
	maxImportLayers  = 10_000
	maxImportHistory = 10_000
)

// What is kept of texts that an image holds.
const (
	maxText = 1000
	maxStep = 64 << 10 // of a step of its history
)

// importedImage reads the layers from the manifest, of either schema, and the
// configuration. The size is what the manifest says: there is nothing to
// measure.
func importedImage(in engine.Imported) (registry.Resolved, *v1.ConfigFile, error) {
	var m struct {
		Layers []struct {
			Digest string `json:"digest"`
			Size   int64  `json:"size"`
		} `json:"layers"`
		FSLayers []struct { // of schema 1, newest first
			BlobSum string `json:"blobSum"`
		} `json:"fsLayers"`
	}
	if err := json.Unmarshal(in.Manifest, &m); err != nil {
		return registry.Resolved{}, nil, fmt.Errorf("manifest: %w", err)
	}
	img := registry.Resolved{Manifest: in.Manifest}
	for _, l := range m.Layers {
		size := min(max(l.Size, 0), 1<<40)
		img.Layers = append(img.Layers, registry.Layer{Digest: l.Digest, Size: size})
		img.Size += size
	}
	if len(m.Layers) == 0 {
		for _, l := range slices.Backward(m.FSLayers) {
			img.Layers = append(img.Layers, registry.Layer{Digest: l.BlobSum})
		}
	}
	cfg, err := v1.ParseConfigFile(bytes.NewReader(in.Config))
	if err != nil {
		return img, nil, fmt.Errorf("image configuration: %w", err)
	}
	if len(img.Layers) > maxImportLayers || len(cfg.History) > maxImportHistory {
		return img, nil, fmt.Errorf("%d layers and %d steps of history are more than is read", len(img.Layers), len(cfg.History))
	}
	cfg.Architecture = engine.Text(cfg.Architecture, maxText)
	for i := range cfg.History {
		cfg.History[i].CreatedBy = engine.Text(cfg.History[i].CreatedBy, maxStep)
	}
	return img, cfg, nil
}
