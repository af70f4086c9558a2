package engine

// PackageSummary counts the packages of one image.
type PackageSummary struct {
	Total        int
	Types        []NamedCount // most frequent first
	Licenses     []NamedCount // the most frequent; a package under two counts for both
	Unlicensed   int          // packages of which no licence is known
	LicenseNames int          // how many different licences there are
}

// NamedCount is how many there are of something.
type NamedCount struct {
	Name  string
	Count int
}
