package view

// ImageContent is the tab of packages, files and what was found in them.
type ImageContent struct {
	Classes  []Tab
	Class    string
	Text     string // search
	Search   string // what can be searched for
	Showing  string
	Hint     string // what the list is
	Warn     string // what it may lack
	Packages []PackageRow
	Package  *PackageDetail // in place of a list
	Files    []FileRow
	Findings []FindingRow
	Kept     *KeptFile
	Pager    Pager
	None     string
	Clear    string
	CSV      string

	// of files
	Folder   string
	Path     []Crumb
	Flat     bool
	FlatHref string
}

// PackageRow is one package.
type PackageRow struct {
	Name, Version, Type  string
	Path, License, Size  string
	Source, Origin, PURL string
	Href                 string
}

// PackageDetail is all that is known of a package.
type PackageDetail struct {
	Name, Version string
	Back          string
	Facts, Extra  []Fact
	Matches       []PackageMatch
	Files         []FileRow
	Owned         string
	MoreFiles     string
}

// PackageMatch is a vulnerability of a package.
type PackageMatch struct {
	ID, Href string
	Sev      Sev
	Fix      string
}

// FileRow is one file, or a folder.
type FileRow struct {
	Name, Path, Link     string
	Folder               string // address, when it is one
	Dir                  string // address of the folder that it is in
	Holds                string // how many files the folder has
	Mode, Size, Special  string
	Owner, Type          string
	SHA, Short           string
	Package, PackageHref string
}

// FindingRow is something found in a file, or a file that was kept.
type FindingRow struct {
	Path, FileHref string
	Name, Detail   string
	Lines          string
	Open           string
	Current        bool
}

// KeptFile is the content of a file that was kept.
type KeptFile struct{ Path, Text, Note, Download string }
