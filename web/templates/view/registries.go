package view

// Registries is the list of stored registries, with the form that adds or
// changes one and the question how an image is asked for.
type Registries struct {
	Sub   string
	Rows  []RegistryRow
	Form  RegistryForm
	Route RegistryRoute
	None  bool
	May   RegistryMay
	Same  SameBy
}

// RegistryMay is what the user may do.
type RegistryMay struct{ Store, Remove, Try bool }

// RegistryRow is one stored registry.
type RegistryRow struct {
	DOMID       string
	Name, Label string
	Matches     string // what it is used for, in words
	User        string // "anonymous" without one
	Type        string // "AWS", or empty
	Insecure    string // what is not checked of its TLS; empty: all is
	Check       Pill
	Checked     Time
	CheckText   string // what went wrong
	CheckTry    string // what to do about it
	Used        Time
	UsedFor     string
	UsedHref    string
	Depends     []Link
	Edit        string
	Remove      string
	Chosen      bool // it is the one used for the image asked about
}

// Link is a text with an address.
type Link struct{ Text, Href string }

// RegistryForm adds a registry, or changes the one named by Edit.
type RegistryForm struct {
	Open              bool
	Edit              string
	Name, Label, User string
	Type              string
	Types             []Option
	Insecure          bool
	Skip              bool // save without asking the registry
	Fault             string
}

// RegistryRoute answers how an image is asked for.
type RegistryRoute struct {
	Asked string // as it was asked
	Image string // in full
	Fault string
	Sum   string // in a sentence
	Steps []RegistryStep
	Order []RegistryOrder
	Tried bool
	Same  SameBy
}

// RegistryStep is one address that is asked.
type RegistryStep struct {
	N       string
	Address string
	Mirror  bool
	Notes   []string
	Record  string // the stored registry that is used; empty: none
	Edit    string
	With    string // as whom it is asked
	Why     string
	Others  string
	Result  *Pill // nil: was not asked
	Text    string
	Try     string
	Took    string
	Short   string // of the digest found
	Digest  string
	Size    string
}

// RegistryOrder is how one stored registry compares with the name.
type RegistryOrder struct {
	N, Name, Rule string
	Result        Pill
}

// RemoveRegistry asks before a registry is forgotten.
type RemoveRegistry struct {
	Title, Name string
	Text        string
	Depends     []Link
}
