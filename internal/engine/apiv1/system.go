package apiv1

import (
	"net/http"

	"windlass/internal/engine"
)

// System is what the system operations ask of the engine.
type System interface{}

func (s *Server) systemOps() map[string]op {
	return map[string]op{
		"ping":       {perm: open, call: s.ping, quiet: true},
		"health":     {perm: open, call: s.health, quiet: true},
		"getVersion": {perm: open, call: s.version, quiet: true},
		"getSwagger": {perm: open, call: s.swagger},
	}
}

func (s *Server) ping(w http.ResponseWriter, _ *request) error { return reply(w, engine.APIVer) }

func (s *Server) health(w http.ResponseWriter, _ *request) error { return reply(w, "ok") }

func (s *Server) version(w http.ResponseWriter, _ *request) error {
	return reply(w, map[string]any{
		"service": map[string]string{"version": engine.Version},
		"api":     map[string]string{},
		"db":      map[string]string{"schema_version": engine.DBVersion},
	})
}
