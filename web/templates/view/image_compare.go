package view

// ImageCompare is the tab that compares an image with another.
type ImageCompare struct {
	Path   string // of the image's page
	Fault  string // why there is no comparison with the image that was asked for
	Pick   ComparePick
	Result *CompareResult // nil: nothing to compare with is chosen
}

// ComparePick offers images to compare with.
type ComparePick struct {
	Open   bool
	Text   string // search
	Groups []CompareGroup
	None   string // in place of groups
}

// CompareGroup is images that are offered for one reason.
type CompareGroup struct {
	Title  string
	Images []CompareChoice
}

// CompareChoice is one image that is offered.
type CompareChoice struct {
	Name, Short, Href string
	At                Time
	Bar               SevBar
	Current           bool
}

// CompareResult is a comparison.
type CompareResult struct {
	Because       string // why this one was chosen, when nobody chose
	Before, After CompareSide
	Swap          string
	Shared        string
	Notes         []string // what to know to read it rightly
	Parts         []Tab
	Part          string
	Form          CompareForm
	CSV, JSON     Download
	Packages      []PackageDiffRow
	Vulns         []VulnDiffRow
	Config        []ConfigDiffRow
	Files         []FileDiffRow
	Pager         Pager
	None, Clear   string
}

// CompareSide is one of the two images.
type CompareSide struct {
	Label, Name, Href, Short, Digest string
	Facts                            []Fact
	Bar                              SevBar
	Policy                           *Pill
}

// CompareForm is the filter as it was sent.
type CompareForm struct {
	With, Text       string
	Change, Severity []Option
	WithSeverity     bool
}

// Diff is the mark of a difference: a letter, a word and a tone.
type Diff struct{ Letter, Word, Tone string }

// PackageDiffRow is one package that differs.
type PackageDiffRow struct {
	Diff
	Name, Type    string
	Before, After string
	Path          string
}

// VulnDiffRow is one vulnerability of one package.
type VulnDiffRow struct {
	Diff
	Sev           Sev
	Was           *Sev
	ID, Href      string
	Title         string
	Known         bool
	Package, Type string
	Version, Fix  string
	Reason        string
	VEX           string
}

// ConfigDiffRow is one setting that differs.
type ConfigDiffRow struct {
	Diff
	Field, Key, Before, After string
}

// FileDiffRow is one file that differs.
type FileDiffRow struct {
	Diff
	Path, What, Before, After string
}
