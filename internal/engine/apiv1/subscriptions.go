package apiv1

// Subscriptions is what the subscription operations ask of the engine.
type Subscriptions interface{}

func (s *Server) subscriptionsOps() map[string]op {
	return map[string]op{}
}
