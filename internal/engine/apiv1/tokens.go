package apiv1

// Tokens is what the token operations ask of the engine.
type Tokens interface{}

func (s *Server) tokensOps() map[string]op {
	return map[string]op{}
}
