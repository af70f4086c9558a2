package apiv1

// Imports is what the import operations ask of the engine.
type Imports interface{}

func (s *Server) importsOps() map[string]op {
	return map[string]op{}
}
