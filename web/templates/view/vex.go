package view

// VEX is the list of exploitability documents, with the form that adds one.
type VEX struct {
	Sub   string
	Rows  []VEXRow
	Form  VEXForm
	May   bool // documents may be uploaded and changed
	None  bool
	Pager Pager
	Same  SameBy
}

// VEXForm uploads a document.
type VEXForm struct {
	Open  bool
	Image string // digest, as entered
	Fault string
	Limit string
}

// VEXRow is one document in the list, and the head of its page.
type VEXRow struct {
	DOMID      string
	ID, Href   string
	Name       string // its own id, or the format when it has none
	Author     string // empty: none
	Format     string
	About      string // which images it speaks of
	AboutHref  string
	Statements string
	Summary    string // format, statements, author
	Unplaced   string // statements that mark nothing; empty: all have a place
	Marks      []VEXMark
	Images     string // in how many images; empty: none
	State      Pill
	Enabled    bool
	Uploaded   Time
	By         string
	Confirm    string // what deleting it does, counted
}

// VEXMark counts matches by what is said of them.
type VEXMark struct{ Tone, Text string }

// VEXDocument is the page of one document.
type VEXDocument struct {
	VEXRow
	Crumbs     []Crumb
	May        bool
	Unmarked   string // says which statements mark nothing
	Facts      []Fact
	Images     []VEXImage
	More       string // images that are not listed; empty: all are
	Statements []VEXStatement
	Pager      Pager
	Original   string // address of the document as it came
	Same       SameBy
}

// VEXImage is an image whose matches a document marks.
type VEXImage struct {
	Href, Name, Short string
	Marks             []VEXMark
}

// VEXStatement is one statement.
type VEXStatement struct {
	DOMID         string
	Place         string
	Vulns         []string
	Status        Pill
	Justification string
	Impact        string
	At            Time
	Products      []VEXProduct
	More          string // products that are not listed
}

// VEXProduct is what a statement speaks of.
type VEXProduct struct {
	Name  string
	Parts []string
}

// VulnMark is what a VEX document says of a match.
type VulnMark struct {
	Status        Pill
	Justification string
	Impact        string
	Said          string // by whom, in which statement
	At            Time
	Href          string // the statement
}
