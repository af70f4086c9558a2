package apiv1

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3filter"
)

// Contract is the API document without an engine behind it, for whoever holds
// the replies of a running server against it.
type Contract struct {
	routes     *tree
	operations []Operation
}

// Operation is one operation of the document.
type Operation struct {
	ID, Method, Path string
	V1               bool // stock clients know it; the others are this project's own
	Open             bool // answered without authentication
}

// LoadContract reads the document.
func LoadContract() (*Contract, error) {
	doc, err := loadDocument()
	if err != nil {
		return nil, err
	}
	c := &Contract{routes: newTree()}
	for id, e := range doc.endpoints {
		c.routes.add(e.route.Method, e.route.Path, &bound{endpoint: e})
		security := e.route.Operation.Security
		c.operations = append(c.operations, Operation{
			ID: id, Method: e.route.Method, Path: e.route.Path,
			V1:   !strings.HasPrefix(e.route.Path, "/console/") && !slices.Contains(ownPaths, e.route.Path),
			Open: security != nil && len(*security) == 0,
		})
	}
	methods := []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete} // reading comes first
	slices.SortFunc(c.operations, func(a, b Operation) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(slices.Index(methods, a.Method), slices.Index(methods, b.Method)))
	})
	return c, nil
}

// ownPaths are served beside the v1 API and are not operations of it.
var ownPaths = []string{"/metrics", "/swagger.json"}

// Operations lists what the document has, by path and method.
func (c *Contract) Operations() []Operation { return c.operations }

// Operation finds the operation that answers a request.
func (c *Contract) Operation(r *http.Request) (Operation, bool) {
	b, _, err := c.routes.find(r.Method, r.URL.EscapedPath())
	if err != nil {
		return Operation{}, false
	}
	i := slices.IndexFunc(c.operations, func(o Operation) bool { return o.ID == b.endpoint.route.Operation.OperationID })
	return c.operations[i], true
}

// CheckReply reports how a reply to a request departs from the document: an
// unknown status or content type, a missing key, a wrong type.
func (c *Contract) CheckReply(r *http.Request, status int, header http.Header, body []byte) error {
	return c.routes.checkReply(r, status, header, body)
}

// CheckReply is Contract.CheckReply for the operations that this server has.
func (s *Server) CheckReply(r *http.Request, status int, header http.Header, body []byte) error {
	return s.routes.checkReply(r, status, header, body)
}

func (t *tree) checkReply(r *http.Request, status int, header http.Header, body []byte) error {
	b, params, err := t.find(r.Method, r.URL.EscapedPath())
	if err != nil {
		return nil //nolint:nilerr // no operation, no contract: the reply is the router's
	}
	err = openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{
			Request: r, PathParams: params, Route: b.endpoint.route, Options: b.endpoint.options,
		},
		Status: status, Header: header, Body: io.NopCloser(bytes.NewReader(body)),
		Options: &openapi3filter.Options{IncludeResponseStatus: true, ExcludeResponseBody: !decodable(header)},
	})
	if err != nil {
		return fmt.Errorf("%s: %w", b.endpoint.route.Operation.OperationID, err)
	}
	return nil
}

// decodable reports whether there is more to a body than its content type: JSON
// of this API, and not of a format that others have written down.
func decodable(h http.Header) bool {
	kind, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return kind == "application/json" || kind == "application/problem+json"
}
