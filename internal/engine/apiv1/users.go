package apiv1

// Users is what the user operations ask of the engine.
type Users interface{}

func (s *Server) usersOps() map[string]op {
	return map[string]op{}
}
