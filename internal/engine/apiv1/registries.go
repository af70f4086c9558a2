package apiv1

// Registries is what the registries operations ask of the engine.
type Registries interface{}

func (s *Server) registriesOps() map[string]op {
	return map[string]op{}
}
