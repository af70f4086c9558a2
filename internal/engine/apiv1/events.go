package apiv1

// Events is what the events operations ask of the engine.
type Events interface{}

func (s *Server) eventsOps() map[string]op {
	return map[string]op{}
}
