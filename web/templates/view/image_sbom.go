package view

// Download is a file that can be had.
type Download struct {
	Title, For string
	Href, File string
	Size       string // empty: not known before it is made
}

// Share is a part of a whole, as a bar.
type Share struct {
	Name, Count string
	Href        string
	N, Of       int64
}

// ImageSBOM is the tab of the bill of materials: what is in it, and the forms
// in which it can be had.
type ImageSBOM struct {
	Path     string // of the image's page
	Packages string
	Formats  []Download
	Types    []Share
	Licenses []Share
	Below    string // what the licences do not say
	Text     string // search
	Rows     []SBOMRow
	Showing  string
	All      string // address of all of them
	None     string
}

// SBOMRow is one package as the documents have it.
type SBOMRow struct{ Name, Version, Type, License, PURL string }
