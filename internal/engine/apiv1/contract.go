package apiv1

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3filter"
)

// CheckReply reports how a reply to a request departs from the API document:
// an unknown status or content type, a missing key, a wrong type. Tests hold
// every recorded reply against it.
func (s *Server) CheckReply(r *http.Request, status int, header http.Header, body []byte) error {
	b, params, err := s.routes.find(r.Method, r.URL.EscapedPath())
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

// decodable reports whether there is more to a body than its content type.
func decodable(h http.Header) bool { return strings.Contains(h.Get("Content-Type"), "json") }
