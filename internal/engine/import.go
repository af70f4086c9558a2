package engine

import "time"

// ImportStatus is where an import stands: the upload of an analysis that was
// made elsewhere.
type ImportStatus string

const (
	ImportPending     ImportStatus = "pending"     // takes uploads
	ImportProcessing  ImportStatus = "processing"  // an image was made of it
	ImportComplete    ImportStatus = "complete"    // that image is analyzed
	ImportFailed      ImportStatus = "failed"      // that image could not be
	ImportExpired     ImportStatus = "expired"     // nobody finished it in time
	ImportInvalidated ImportStatus = "invalidated" // given up by request
)

// ImportLife is how long an import may take from its beginning.
const ImportLife = 24 * time.Hour

// Bounds of an import.
const (
	MaxImportContent    = 100 << 20 // bytes of one upload
	MaxImportDockerfile = 1 << 20
	MaxImportContents   = 32        // uploads of one import
	MaxImportBytes      = 512 << 20 // of all uploads of one import
	MaxOpenImports      = 1000      // of one account
)

// Active reports whether uploads are still taken.
func (s ImportStatus) Active() bool { return s == ImportPending || s == ImportProcessing }

// Import is one operation of importing an image.
type Import struct {
	ID        string // 32 hex
	Account   string
	Status    ImportStatus
	Digest    string // of the image it became; empty while pending
	CreatedAt time.Time
	UpdatedAt time.Time
	ExpiresAt time.Time
}

// ImportKind says what an uploaded content is.
type ImportKind string

const (
	ImportPackages       ImportKind = "packages" // an SBOM in syft's JSON
	ImportManifest       ImportKind = "manifest"
	ImportParentManifest ImportKind = "parent_manifest"
	ImportImageConfig    ImportKind = "image_config"
	ImportDockerfile     ImportKind = "dockerfile"
)

// ImportKinds lists all kinds of content.
var ImportKinds = []ImportKind{ImportPackages, ImportManifest, ImportParentManifest, ImportImageConfig, ImportDockerfile}

// ImportContent is one upload of an import.
type ImportContent struct {
	Kind      ImportKind
	Digest    string // sha256 of the bytes as they came, hex without algorithm
	CreatedAt time.Time
}

// FinishImport makes an image of an import.
type FinishImport struct {
	Account       string
	Import        string
	Digest        Digest
	ParentDigest  Digest // empty: Digest
	ImageID       string // empty: Digest
	Tags          []ImageTag
	Contents      map[ImportKind]string // digest of the upload to use of each kind
	Annotations   map[string]any
	Force         bool
	AutoSubscribe bool
}

// AnnotationImport is the annotation that names the import an image came from.
const AnnotationImport = "anchore.system/import_operation_id"

// Imported is what an import holds of its image.
type Imported struct {
	SBOM       []byte // syft's JSON, of any age
	Manifest   []byte
	Parent     []byte // nil without one
	Config     []byte
	Dockerfile []byte // nil without one
}
