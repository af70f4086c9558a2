package apiv1

func (s *Server) importOps() map[string]op {
	return map[string]op{}
}
