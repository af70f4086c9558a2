package apiv1

// Queries is what the query operations ask of the engine.
type Queries interface{}

func (s *Server) queriesOps() map[string]op {
	return map[string]op{}
}
