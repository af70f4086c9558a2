package view

// Registries is the list of stored registries, with the form that adds or
// changes one and the question which is used for an image.
type Registries struct {
	Sub    string
	Rows   []RegistryRow
	Form   RegistryForm
	Choice RegistryChoice
	None   bool
}

// RegistryRow is one stored registry.
type RegistryRow struct {
	Name, Label string
	User        string // "anonymous" without one
	TLS         Pill
	Updated     Time
	Edit        string
	Matches     string // what it is used for, in words
	Chosen      bool   // it is the one used for the image asked about
}

// RegistryForm adds a registry, or changes the one named by Edit.
type RegistryForm struct {
	Open              bool
	Edit              string
	Name, Label, User string
	Insecure          bool
	Skip              bool // save without asking the registry
	Fault             string
}

// RegistryChoice answers which credential is used for an image.
type RegistryChoice struct {
	Image  string // as asked
	Tone   string
	Text   string
	Others string
}
