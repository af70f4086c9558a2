// Package apiv1 is the v1 API: wire types, routes, handlers, errors and the
// OpenAPI document, over a Backend in the engine's words.
package apiv1

import (
	"log/slog"
	"net/http"
)

// Backend is everything the API asks of the engine, grouped by role. Each role
// is declared beside the handlers that ask for it.
type Backend interface {
	Auth
	System
	Events
	Feeds
	Images
	Registries
}

// Server answers the v1 API.
type Server struct {
	backend Backend
	log     *slog.Logger
	mux     *http.ServeMux
}
