package apiv1

// Policies is what the policy operations ask of the engine.
type Policies interface{}

func (s *Server) policiesOps() map[string]op {
	return map[string]op{}
}
