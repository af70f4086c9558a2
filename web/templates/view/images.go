package view

// Images is the list of images.
type Images struct {
	Sub     string // how many there are
	States  []StateCount
	Form    ImageForm
	Rows    []ImageRow
	Pager   Pager
	Add     AddImage
	Samples SampleOffer
	Same    SameBy
	None    bool   // the account has no image at all
	All     string // "all 1,284 that match"; empty when this page shows them all
	AllHref map[string]string
	Clear   string // address without filters; empty when none is set
}

// StateCount is one of the links above the list.
type StateCount struct {
	Text, Count, Href string
	Current           bool
}

// ImageForm is the filter form as it was sent.
type ImageForm struct {
	Text, Package, Vuln      string
	State, Severity, Policy  []Option
	Registry, Repository     string
	Registries, Repositories []string
	Distro                   string
	Distros                  []string
	Cause                    []Option
	Fixable, Exploited       bool
	More                     bool // one of the rarer filters is set
	Chips                    []Chip
}

// Option is one entry of a choice.
type Option struct {
	Value, Text string
	Selected    bool
}

// ImageRow is one image of the list.
type ImageRow struct {
	DOMID, Href   string
	Tag           string // newest tag
	More, Others  string // "+2", and the other tags in full
	Short, Digest string
	State         Pill
	Progress      *Meter
	Fault         string // why it failed
	Distro        string
	Size          string
	Packages      string
	PackagesHref  string
	Sevs          *SevBar // nil until matched
	Cleared       string  // matches that VEX documents set aside; empty: none
	ClearedHref   string
	Policy        *Pill  // what the active bundle said last; nil: it was not asked
	PolicyHref    string // empty until analyzed
	Sample        bool
	Starter       bool
	Analyzed      Time
}

// AddImage is the form that adds an image, as it was sent.
type AddImage struct {
	Open                    bool
	Tag, Digest             string
	Dockerfile, Annotations string
	Force                   bool
	Fault                   string
	UploadTag, UploadFault  string
	UploadLimit             string
}

// SampleOffer is what can be done with the built-in sample images.
type SampleOffer struct {
	Try, Remove bool
	Text        string
}

// BulkImages asks before something is done to several images.
type BulkImages struct {
	Do, Title, Text string // delete or reanalyze
	Button          string
	Danger          bool
	Force           bool // offer to delete what is protected, too
	Count           int  // exact
	Digests         []string
	Names           []string // the first of them, for reading
	More            string
	Query           string // the filter, when it is by filter
	Back            string
}
