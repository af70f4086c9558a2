package engine

// APIGroup is a subject of the API with its operations.
type APIGroup struct {
	Name, Description string
	Operations        []APIOperation
}

// APIOperation is one operation as the API document tells it.
type APIOperation struct {
	ID, Method, Path     string
	Summary, Description string
	Parameters           []APIParameter // path first, then query, then headers
	Body                 *APIBody       // nil: takes none
	Replies              []APIReply     // in the order of their status
	Open                 bool           // answered without authentication
	V1                   bool           // stock clients know it
}

// APIParameter is what a path, a query or a header may hold.
type APIParameter struct {
	Name, In             string // In is path, query or header
	Type, Description    string
	Default              string
	Values               []string // empty: any of the type
	Required, Repeatable bool
}

// APIBody is what a request may carry.
type APIBody struct {
	Kind     string // content type
	Required bool
	Fields   []APIField
	Example  string // a body with every field, as indented JSON; empty when the body is not JSON
}

// APIReply is one answer of an operation.
type APIReply struct {
	Status, Description, Kind string
	Fields                    []APIField
}

// APIField is a value inside a body, named by its path: "results[].event.type".
type APIField struct {
	Name, Type, Description string
	Values                  []string
	Required                bool
}
