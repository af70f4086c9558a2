package apiv1

// Webhooks is what the webhook operations ask of the engine.
type Webhooks interface{}

func (s *Server) webhooksOps() map[string]op {
	return map[string]op{}
}
