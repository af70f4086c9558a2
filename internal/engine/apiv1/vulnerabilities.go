package apiv1

func (s *Server) vulnerabilitiesOps() map[string]op {
	return map[string]op{}
}
