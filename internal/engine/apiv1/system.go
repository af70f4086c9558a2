package apiv1

import (
	"context"
	"net/http"

	"windlass/internal/engine"
)

// System is what the system operations ask of the engine.
type System interface {
	// Services lists every service record.
	Services(ctx context.Context) ([]engine.Service, error)
	// RemoveService forgets a service that is down: engine.ErrNotFound when
	// there is no such record, engine.ErrConflict while it is up.
	RemoveService(ctx context.Context, name, host string) error
}

func (s *Server) systemOps() map[string]op {
	return map[string]op{
		"ping":              {perm: open, call: s.ping, quiet: true},
		"health":            {perm: open, call: s.health, quiet: true},
		"getVersion":        {perm: open, call: s.version, quiet: true},
		"getSwagger":        {perm: open, call: s.swagger},
		"getStatus":         {perm: anyo, call: s.status, quiet: true},
		"getSystem":         {perm: anyo, call: s.getSystem},
		"listServices":      {perm: admin("listServices"), call: s.listServices},
		"getServicesByName": {perm: admin("getService"), call: s.getServicesByName},
		"getServiceByHost":  {perm: admin("getService"), call: s.getServiceByHost},
		"deleteService":     {perm: admin("deleteService"), call: s.deleteService},
		"listErrorCodes":    {perm: anyo, call: s.listErrorCodes},
	}
}

type serviceJSON struct {
	HostID        string            `json:"hostid"`
	ServiceName   string            `json:"servicename"`
	BaseURL       string            `json:"base_url"`
	Version       string            `json:"version"`
	Status        bool              `json:"status"`
	StatusMessage string            `json:"status_message"`
	Detail        serviceDetailJSON `json:"service_detail"`
}

type serviceDetailJSON struct {
	Up        bool     `json:"up"`
	Available bool     `json:"available"`
	Busy      bool     `json:"busy"`
	Message   string   `json:"message"`
	Detail    struct{} `json:"detail"`
	Version   string   `json:"version"`
	DBVersion string   `json:"db_version"`
}

func serviceOf(v engine.Service) serviceJSON {
	return serviceJSON{
		HostID: v.Host, ServiceName: v.Name, BaseURL: v.BaseURL, Version: engine.APIVer,
		Status: v.Up(), StatusMessage: string(v.State), Detail: serviceDetailOf(v.Detail),
	}
}

func serviceDetailOf(d engine.ServiceDetail) serviceDetailJSON {
	return serviceDetailJSON{
		Up: d.Up, Available: d.Available, Busy: d.Busy, Message: d.Message, Version: d.Version, DBVersion: d.DBVersion,
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

// status is that of this very service: it answers, so it is up.
func (s *Server) status(w http.ResponseWriter, _ *request) error {
	return reply(w, serviceDetailJSON{
		Up: true, Available: true, Message: "all good", Version: engine.Version, DBVersion: engine.DBVersion,
	})
}

func (s *Server) metrics(w http.ResponseWriter, r *request) error {
	s.opts.Metrics.ServeHTTP(w, r.Request)
	return nil
}

// services lists the records for which keep holds, never as null.
func (s *Server) services(ctx context.Context, keep func(engine.Service) bool) ([]serviceJSON, error) {
	all, err := s.backend.Services(ctx)
	list := []serviceJSON{}
	for _, v := range all {
		if keep(v) {
			list = append(list, serviceOf(v))
		}
	}
	return list, err
}

func anyService(engine.Service) bool { return true }

// getSystem answers even when the records cannot be read, with none: clients
// that wait for the system poll it and must not fall over.
func (s *Server) getSystem(w http.ResponseWriter, r *request) error {
	list, err := s.services(r.Context(), anyService)
	if err != nil {
		s.log.WarnContext(r.Context(), "services unreadable", "request", r.ID, "err", err)
		list = []serviceJSON{}
	}
	return reply(w, map[string]any{"service_states": list})
}

func (s *Server) listServices(w http.ResponseWriter, r *request) error {
	list, err := s.services(r.Context(), anyService)
	if err != nil {
		return err
	}
	return reply(w, list)
}

func (s *Server) getServicesByName(w http.ResponseWriter, r *request) error {
	list, err := s.services(r.Context(), func(v engine.Service) bool { return v.Name == r.param("servicename") })
	if err != nil {
		return err
	}
	return reply(w, list)
}

func (s *Server) getServiceByHost(w http.ResponseWriter, r *request) error {
	list, err := s.services(r.Context(), func(v engine.Service) bool {
		return v.Name == r.param("servicename") && v.Host == r.param("hostid")
	})
	if err != nil {
		return err
	}
	if len(list) == 0 {
		return engine.NotFoundf("service not found")
	}
	return reply(w, list)
}

func (s *Server) deleteService(w http.ResponseWriter, r *request) error {
	if err := s.backend.RemoveService(r.Context(), r.param("servicename"), r.param("hostid")); err != nil {
		return named(err, "service not found", "cannot delete an active service")
	}
	return reply(w, true)
}

// errorCodes are the codes that replies may hold, in the order they have.
var errorCodes = []errorCodeJSON{
	{"REGISTRY_PERMISSION_DENIED", "The registry refused access to the image. Check the stored credential."},
	{"REGISTRY_IMAGE_NOT_FOUND", "The registry has no such tag or digest."},
	{"REGISTRY_NOT_ACCESSIBLE", "The registry cannot be reached over the network."},
	{"REGISTRY_NOT_SUPPORTED", "The host does not answer as a registry of version 2."},
	{"SKOPEO_UNKNOWN_ERROR", "Fetching the image failed for a reason that fits no other code."},
	{"UNKNOWN", "The error fits no other code."},
	{"FEED_SYNC_ALREADY_IN_PROGRESS", "Another feed sync is running."},
	{"OSARCH_MISMATCH", "The image is for several platforms, and none is the one this engine asks for."},
}

type errorCodeJSON struct {
	Name        string `json:"name"`
	Description string `json:"description"`
}

func (s *Server) listErrorCodes(w http.ResponseWriter, _ *request) error { return reply(w, errorCodes) }
