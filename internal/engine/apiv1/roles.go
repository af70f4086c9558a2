package apiv1

// Roles is what the role operations ask of the engine.
type Roles interface{}

func (s *Server) rolesOps() map[string]op {
	return map[string]op{}
}
