package feeds

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"syscall"

	"windlass/internal/engine"
)

// Causes of a failed sync: stable codes that pages, events and the API show.
const (
	CauseDNS        = "dns"
	CauseConnection = "connection"
	CauseTLS        = "tls"
	CauseProxy      = "proxy"
	CauseHTTP4xx    = "http_4xx"
	CauseHTTP5xx    = "http_5xx"
	CauseChecksum   = "checksum"
	CauseDisk       = "disk"
	CauseFormat     = "format"
	CauseSanity     = "sanity"
	CauseInternal   = "internal"
	// CauseInterrupted is of a sync that the program's end cut off.
	CauseInterrupted = "interrupted"
)

// failure is why a step could not be done: a code and a sentence for a person,
// around the error for the log.
type failure struct {
	cause   string
	message string
	err     error
}

func (f *failure) Error() string {
	if f.err == nil {
		return f.message
	}
	return f.message + " " + f.err.Error()
}

func (f *failure) Unwrap() error { return f.err }

// fail keeps the cause of an error that already has one, and recognises a full
// disk wherever it shows.
func fail(cause, message string, err error) error {
	var f *failure
	if errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return err
	}
	if full(err) {
		return &failure{CauseDisk, "The disk is full: free some space in the data folder.", err}
	}
	return &failure{cause, message, err}
}

func full(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

// causeOf sorts any error of a sync into the codes.
func causeOf(err error) (cause, message string) {
	var f *failure
	if errors.As(err, &f) {
		return f.cause, f.message
	}
	var fault *engine.Fault
	if errors.As(err, &fault) {
		return CauseInternal, fault.Message
	}
	var path *os.PathError
	if full(err) || errors.As(err, &path) {
		return CauseDisk, "The data folder cannot be written."
	}
	return CauseInternal, "The sync stopped on an unexpected error; the log has it."
}

// network sorts an error of an HTTP exchange into the codes.
func network(err error, host string) error {
	var (
		dns     *net.DNSError
		proxied *net.OpError
		cert    *tls.CertificateVerificationError
		record  tls.RecordHeaderError
		unknown x509.UnknownAuthorityError
		addr    *url.Error
	)
	if errors.Is(err, context.Canceled) {
		return err
	}
	// The proxy is dialled under the operation "proxyconnect": whatever failed
	// below it, the proxy is what a person has to look at.
	if errors.As(err, &proxied) && proxied.Op == "proxyconnect" || strings.Contains(err.Error(), "Proxy Authentication Required") {
		return &failure{CauseProxy, "The proxy did not pass the request on: check HTTPS_PROXY and HTTP_PROXY.", err}
	}
	switch {
	case errors.As(err, &dns):
		return &failure{CauseDNS, fmt.Sprintf("The name %s cannot be resolved.", host), err}
	case errors.As(err, &cert), errors.As(err, &record), errors.As(err, &unknown), strings.Contains(err.Error(), "tls: "),
		strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return &failure{CauseTLS, fmt.Sprintf("No trusted TLS connection to %s.", host), err}
	case full(err):
		return &failure{CauseDisk, "The disk is full: free some space in the data folder.", err}
	case errors.As(err, &addr) && addr.Timeout(), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return &failure{CauseConnection, fmt.Sprintf("%s did not answer in time.", host), err}
	}
	return &failure{CauseConnection, fmt.Sprintf("No connection to %s.", host), err}
}
