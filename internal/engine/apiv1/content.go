package apiv1

func (s *Server) contentOps() map[string]op {
	return map[string]op{}
}
