package apiv1

// Evaluations is what the evaluation operations ask of the engine.
type Evaluations interface{}

func (s *Server) evaluationsOps() map[string]op {
	return map[string]op{}
}
