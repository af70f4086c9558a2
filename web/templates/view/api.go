package view

// API is the list of operations, by subject.
type API struct {
	Sub    string
	Search string
	Groups []APIGroup
	None   bool // nothing matches the search
}

// APIGroup is a subject with its operations.
type APIGroup struct {
	ID, Name, Text string
	Rows           []APIRow
}

// APIRow is one operation of the list.
type APIRow struct{ Method, Path, Summary, Href, Note string }

// APIOperation is the page of one operation, with the form to try it.
type APIOperation struct {
	Method, Path, Summary, Description string
	Notes                              []string
	Params                             []APIParam
	Body                               *APIBody
	Replies                            []APIReply
	Curl                               string
	Action                             string // address of the form
	Confirm                            string // asked before it is sent; empty for reading
	Result                             *APIResult
	Fault                              string
}

// APIParam is one parameter and its field in the form.
type APIParam struct {
	Field, Name, Kind, Text string
	Values                  []string
	Value                   string // as entered
	Required                bool
}

// APIBody is what a request may carry; Value is what is in the form.
type APIBody struct {
	Kind   string
	Fields []APIField
	Value  string
	Raw    bool // not JSON: cannot be entered here
}

// APIReply is one answer that the operation may give.
type APIReply struct {
	Status, Text, Kind string
	Fields             []APIField
}

// APIField is a value inside a body.
type APIField struct {
	Name, Type, Text string
	Required         bool
}

// APIResult is what the engine answered.
type APIResult struct {
	Status Pill
	Took   string
	Kind   string
	Body   string
	Note   string // what was left out
}
