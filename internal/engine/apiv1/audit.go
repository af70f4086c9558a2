package apiv1

// Audit is what the audit operations ask of the engine.
type Audit interface{}

func (s *Server) auditOps() map[string]op {
	return map[string]op{}
}
