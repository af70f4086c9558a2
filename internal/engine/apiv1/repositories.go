package apiv1

// Repositories is what the repository operations ask of the engine.
type Repositories interface{}

func (s *Server) repositoriesOps() map[string]op {
	return map[string]op{}
}
