package apiv1

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
)

//go:embed openapi/*.yaml
var openapiFiles embed.FS

// document is the API document, ready to route and to check requests.
type document struct {
	spec      *openapi3.T
	json      []byte
	endpoints map[string]*endpoint // by operationId
}

// endpoint is one operation of the document. Two extensions of ours steer it:
// x-raw-body leaves the body to the handler, which reads it as a stream;
// x-rest lets the last path parameter hold slashes.
type endpoint struct {
	route    *routers.Route
	checked  *routers.Route // the same without its security: passwords are asked for by authorize
	booleans []string       // names of boolean query parameters
	options  *openapi3filter.Options
	rest     bool
}

// loadDocument gives the document, read once a process: every server has the
// same, and nothing alters it.
var loadDocument = sync.OnceValues(readDocument)

func readDocument() (*document, error) {
	loader := openapi3.NewLoader()
	merged, err := mergeFiles(openapiFiles, "openapi")
	if err != nil {
		return nil, fmt.Errorf("API document: %w", err)
	}
	spec, err := loader.LoadFromData(merged)
	if err != nil {
		return nil, fmt.Errorf("API document: %w", err)
	}
	if err := spec.Validate(loader.Context); err != nil {
		return nil, fmt.Errorf("API document: %w", err)
	}
	d := &document{spec: spec, endpoints: map[string]*endpoint{}}
	if d.json, err = spec.MarshalJSON(); err != nil {
		return nil, fmt.Errorf("API document: %w", err)
	}
	for path, item := range spec.Paths.Map() {
		for method, o := range item.Operations() {
			e := newEndpoint(spec, path, item, method, o)
			if d.endpoints[o.OperationID] != nil {
				return nil, fmt.Errorf("API document: operation %q stands twice", o.OperationID)
			}
			d.endpoints[o.OperationID] = e
		}
	}
	return d, nil
}

func newEndpoint(spec *openapi3.T, path string, item *openapi3.PathItem, method string, o *openapi3.Operation) *endpoint {
	e := &endpoint{
		route: &routers.Route{Spec: spec, Path: path, PathItem: item, Method: method, Operation: o},
		options: &openapi3filter.Options{
			// Passwords are asked for after validation, by authorize.
			AuthenticationFunc:  openapi3filter.NoopAuthenticationFunc,
			SkipSettingDefaults: true,
			ExcludeRequestBody:  o.Extensions["x-raw-body"] == true,
		},
		rest: o.Extensions["x-rest"] == true,
	}
	e.options.WithCustomSchemaErrorFunc(schemaMessage)
	// The validator reads a body whole into memory before it asks for
	// passwords, also where the body is left to the handler.
	open, route := *o, *e.route
	open.Security = openapi3.NewSecurityRequirements()
	route.Operation = &open
	e.checked = &route
	for _, list := range []openapi3.Parameters{item.Parameters, o.Parameters} {
		for _, p := range list {
			if p.Value.In == openapi3.ParameterInQuery && p.Value.Schema != nil && p.Value.Schema.Value.Type.Is("boolean") {
				e.booleans = append(e.booleans, p.Value.Name)
			}
		}
	}
	return e
}

// read parses the query and reads the body, if that is for the document to
// check, and keeps both.
func (e *endpoint) read(r *request) error {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return &problem{status: http.StatusBadRequest, detail: "The query string is not validly escaped."}
	}
	for _, name := range e.booleans {
		for i, v := range q[name] {
			low := strings.ToLower(v)
			if low != "true" && low != "false" {
				return &problem{status: http.StatusBadRequest, detail: fmt.Sprintf("Wrong type, expected 'boolean' for query parameter '%s'", name)}
			}
			q[name][i] = low
		}
	}
	r.query = q
	e.mendContentType(r.Request)
	return e.wholeJSON(r)
}

// validate checks parameters and body against the document.
func (e *endpoint) validate(r *request) error {
	err := openapi3filter.ValidateRequest(r.Context(), &openapi3filter.RequestValidationInput{
		Request: r.Request, PathParams: r.params, QueryParams: r.query, Route: e.checked, Options: e.options,
	})
	if err != nil {
		return validationProblem(err)
	}
	return nil
}

// wholeJSON refuses a body that is more than one JSON value: the validation
// looks at the first alone. It keeps the bytes, which the audit log looks into.
func (e *endpoint) wholeJSON(r *request) error {
	if e.route.Operation.RequestBody == nil || e.options.ExcludeRequestBody || r.Body == nil || r.Body == http.NoBody ||
		!strings.Contains(strings.ToLower(r.Header.Get("Content-Type")), "json") {
		return nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return bodyFault(err)
	}
	if len(body) > 0 && !json.Valid(body) {
		return bodyFault(nil)
	}
	r.Body, r.held = io.NopCloser(bytes.NewReader(body)), body
	return nil
}

// mendContentType takes a body without a content type for JSON where JSON is
// what the operation reads, as clients in use leave the header out.
func (e *endpoint) mendContentType(r *http.Request) {
	b := e.route.Operation.RequestBody
	if b == nil || r.Header.Get("Content-Type") != "" {
		return
	}
	if b.Value.Content["application/json"] != nil {
		r.Header.Set("Content-Type", "application/json")
	}
}

// validationProblem says in one sentence what the document does not allow.
func validationProblem(err error) error {
	var re *openapi3filter.RequestError
	var pe *openapi3filter.ParseError
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return bodyFault(err)
	case !errors.As(err, &re):
		return &problem{status: http.StatusBadRequest, detail: "The request is not valid."}
	case re.RequestBody != nil && strings.HasPrefix(re.Reason, "header Content-Type"):
		if re.RequestBody.Content["application/json"] == nil { // a form
			return &problem{status: http.StatusUnsupportedMediaType, detail: "Invalid Content-type"}
		}
		return &problem{status: http.StatusUnsupportedMediaType, detail: "Invalid Content-type, expected JSON data"}
	case re.Parameter != nil:
		return &problem{status: http.StatusBadRequest, detail: fmt.Sprintf("%s parameter '%s': %s", re.Parameter.In, re.Parameter.Name, reason(re.Err))}
	case re.RequestBody != nil && errors.As(err, &pe):
		return &problem{status: http.StatusBadRequest, detail: "Request body is not valid JSON"}
	case re.RequestBody != nil:
		return &problem{status: http.StatusBadRequest, detail: "Request body: " + reason(re.Err)}
	}
	return &problem{status: http.StatusBadRequest, detail: "The request is not valid."}
}

func reason(err error) string {
	var se *openapi3.SchemaError
	var pe *openapi3filter.ParseError
	switch {
	case errors.Is(err, openapi3filter.ErrInvalidRequired):
		return "is required but missing"
	case errors.Is(err, openapi3filter.ErrInvalidEmptyValue):
		return "must not be empty"
	case errors.As(err, &se):
		return schemaMessage(se)
	case errors.As(err, &pe):
		return "has the wrong type"
	}
	return "is not valid"
}

// schemaMessage tells where the value stands and what was expected, and leaves
// out the value itself: it may be a password.
func schemaMessage(e *openapi3.SchemaError) string {
	if at := e.JSONPointer(); len(at) > 0 {
		return fmt.Sprintf("%s: %s", strings.Join(at, "."), e.Reason)
	}
	return e.Reason
}

// swagger serves the document. Numbers and order are as the marshaller writes
// them; clients read info.version.
func (s *Server) swagger(w http.ResponseWriter, _ *request) error {
	w.Header().Set("Content-Type", "application/json")
	_, err := w.Write(s.doc.json)
	return err
}

// Document is the API document as JSON, for pages that show it.
func (s *Server) Document() json.RawMessage { return bytes.Clone(s.doc.json) }
