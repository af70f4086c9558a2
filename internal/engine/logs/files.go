package logs

import (
	"io"
	"slices"

	"windlass/internal/engine"
)

// Files lists every generation, by service and then newest first.
func (s *Set) Files() ([]engine.LogFile, error) {
	var files []engine.LogFile
	for _, service := range engine.ServiceNames {
		gens, err := s.generations(service)
		if err != nil {
			return nil, err
		}
		for _, g := range slices.Backward(gens) {
			files = append(files, engine.LogFile{
				Service: service, Host: s.host, Name: g.name, Bytes: g.info.Size(),
				ModTime: g.info.ModTime(), Current: g.name == engine.LogFileNames[service],
			})
		}
	}
	return files, nil
}

// Open opens one of the files that Files lists, as it is now: what is written
// to it meanwhile is not part of it.
func (s *Set) Open(name string) (engine.LogFile, io.ReadCloser, error) {
	files, err := s.Files()
	if err != nil {
		return engine.LogFile{}, nil, err
	}
	i := slices.IndexFunc(files, func(f engine.LogFile) bool { return f.Name == name })
	if i < 0 {
		return engine.LogFile{}, nil, engine.NotFoundf("There is no log file %q.", name)
	}
	gens, err := s.generations(files[i].Service)
	if err != nil {
		return engine.LogFile{}, nil, err
	}
	for _, g := range gens {
		if g.name != name {
			continue
		}
		f, err := s.open(g)
		if err != nil {
			return engine.LogFile{}, nil, err
		}
		info, err := f.Stat()
		if err != nil {
			_ = f.Close()
			return engine.LogFile{}, nil, err
		}
		files[i].Bytes, files[i].ModTime = info.Size(), info.ModTime()
		return files[i], struct {
			io.Reader
			io.Closer
		}{io.LimitReader(f, info.Size()), f}, nil
	}
	return engine.LogFile{}, nil, engine.NotFoundf("The log file %q was just rotated away.", name)
}
