package apiv1

// Feeds is what the feeds operations ask of the engine.
type Feeds interface{}

func (s *Server) feedsOps() map[string]op {
	return map[string]op{}
}
