// Package sample holds what a fresh machine without any network can look at:
// three small images built by code, served by a registry inside the process.
// They go through the same registry client, queue, analyzer and matching as
// every other image; the database they are matched against without a feed is
// package starter's.
//
// The images are made to be recognised, not to run: package databases as a
// distribution leaves them, with versions that have well-known public records.
package sample

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Host is the registry name in the names of the sample images. It resolves
// nowhere: the process maps it to its own registry as a mirror.
const Host = "sample.windlass"

// Tags are the full names of the sample images.
func Tags() []string {
	tags := make([]string, len(images))
	for i, img := range images {
		tags[i] = Host + "/" + img.repository + ":" + img.tag
	}
	return tags
}

// Registry serves the samples on a loopback address. The images are built at
// the first request: a process that is never asked pays for a socket alone.
type Registry struct {
	ln   net.Listener
	once sync.Once
	err  error
	h    http.Handler
}

// Listen opens the registry's socket.
func Listen() (*Registry, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("sample registry: %w", err)
	}
	return &Registry{ln: ln, h: registry.New(registry.Logger(log.New(io.Discard, "", 0)))}, nil
}

// URL is the registry's base address.
func (r *Registry) URL() string { return "http://" + r.ln.Addr().String() }

// Run answers until ctx ends.
func (r *Registry) Run(ctx context.Context) error {
	srv := &http.Server{Handler: http.HandlerFunc(r.serve)}
	context.AfterFunc(ctx, func() { srv.Close() })
	if err := srv.Serve(r.ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// Close frees the socket of a registry that never ran.
func (r *Registry) Close() { r.ln.Close() }

// serve reads only: nobody may push into the samples.
func (r *Registry) serve(w http.ResponseWriter, req *http.Request) {
	if req.Method != http.MethodGet && req.Method != http.MethodHead {
		http.Error(w, "the samples cannot be changed", http.StatusMethodNotAllowed)
		return
	}
	r.once.Do(func() { r.err = fill(r.h) })
	if r.err != nil {
		http.Error(w, r.err.Error(), http.StatusInternalServerError)
		return
	}
	r.h.ServeHTTP(w, req)
}

// fill pushes the images into a registry by calling its handler.
func fill(h http.Handler) error {
	for _, s := range images {
		img, err := s.build()
		if err != nil {
			return fmt.Errorf("sample %s: %w", s.repository, err)
		}
		ref, err := name.NewTag("in.process/"+s.repository+":"+s.tag, name.Insecure)
		if err != nil {
			return err
		}
		if err := remote.Write(ref, img, remote.WithTransport(inside{h})); err != nil {
			return fmt.Errorf("sample %s: %w", s.repository, err)
		}
	}
	return nil
}
