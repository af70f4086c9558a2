package apiv1

// Archives is what the archive operations ask of the engine.
type Archives interface{}

func (s *Server) archivesOps() map[string]op {
	return map[string]op{}
}
