package apiv1

// Images is what the images operations ask of the engine.
type Images interface{}

func (s *Server) imagesOps() map[string]op {
	return map[string]op{}
}
