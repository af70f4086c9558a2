package engine

// Difference is what became of something between two images.
type Difference string

// The differences there are. Of vulnerabilities Removed says that they are
// fixed, or gone with their package.
const (
	Added   Difference = "added"
	Removed Difference = "removed"
	Changed Difference = "changed"
	Same    Difference = "same"
)

// Differences counts by difference.
type Differences struct{ Added, Removed, Changed, Same int }

// Count adds one.
func (d *Differences) Count(of Difference) {
	switch of {
	case Added:
		d.Added++
	case Removed:
		d.Removed++
	case Changed:
		d.Changed++
	default:
		d.Same++
	}
}

// Any reports whether anything differs.
func (d Differences) Any() bool { return d.Added+d.Removed+d.Changed > 0 }

// Comparison is what changed from one analyzed image to another.
type Comparison struct {
	Before, After ComparedImage
	SharedLayers  int // from the first on

	PackageCount Differences
	Packages     []PackageChange // none that are the same
	MatchCount   Differences     // Changed: the severity did
	Matches      []MatchChange   // worst first, those that are the same included
	ConfigCount  Differences
	Config       []ConfigChange // none that are the same
	FileCount    Differences
	Files        []FileChange // by path; none that are the same
	WithFiles    bool         // files were compared
}

// ComparedImage is one side of a comparison.
type ComparedImage struct {
	Image
	Layers  int
	Verdict *ImageVerdict // what the active bundle said last; nil: nothing yet
}

// PackageChange is one package, by name and type. A name may stand for several
// versions in one image; those that both images have are left out.
type PackageChange struct {
	Difference
	Name, Type    string
	Before, After []string // versions
	Paths         []string // where it stands now, or stood; a few of them
}

// MatchChange is one vulnerability of one package, by name and type.
type MatchChange struct {
	Difference
	Match         // as it is, or was
	Was    string // the severity before, where that changed
	Reason ChangeReason
	Other  string // the version on the other side, for ReasonVersion
}

// ChangeReason says why a vulnerability came or went.
type ChangeReason string

// The reasons there are.
const (
	ReasonPackage ChangeReason = "package" // the package came or went
	ReasonVersion ChangeReason = "version" // it has another version
	ReasonData    ChangeReason = "data"    // it is as it was: the images were matched with other data
)

// ConfigChange is one setting of the images' configurations.
type ConfigChange struct {
	Difference
	Field         string // environment, label, entrypoint, ...
	Key           string // of an environment variable, a label, a port; empty: the field is one value
	Before, After string
}

// FileChange is one file.
type FileChange struct {
	Difference
	Path          string
	Before, After File
	What          []string // of a changed one: content, mode, owner, type, link
}
