package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"windlass/internal/engine"
)

// The stable causes of a registry's failure. They are kept with a failed
// analysis and grouped by on the troubleshooting page.
const (
	CauseAuth        = "registry_auth"
	CauseUnreachable = "registry_unreachable"
	CauseTLS         = "registry_tls"
	CauseUnavailable = "registry_unavailable"
	CauseUnsupported = "registry_unsupported"
	CauseUnknown     = "manifest_unknown"
	CauseDigest      = "digest_mismatch"
	CauseTooLarge    = "too_large"
	CausePlatform    = "platform_unsupported"
	CauseManifest    = "unsupported"
	CauseArchive     = "archive_invalid"
)

// Problem is why a registry or an archive did not give what was asked of it.
type Problem struct {
	Cause     string // one of the Cause constants
	Temporary bool   // worth another try later
	Err       error
}

func (p *Problem) Error() string { return p.Err.Error() }
func (p *Problem) Unwrap() error { return p.Err }

// CauseOf finds the stable cause of an error of this package.
func CauseOf(err error) (cause string, temporary, ok bool) {
	var p *Problem
	if !errors.As(err, &p) {
		return "", false, false
	}
	return p.Cause, p.Temporary, true
}

// verdict is how one kind of failure is told, to people and to the API.
type verdict struct {
	cause, code string
	temporary   bool
	kind        error
	text        string
}

// fault gives a failure its cause, its v1 code and a sentence for a person.
func fault(err error, ref string) error {
	var f *engine.Fault
	if errors.As(err, &f) || errors.Is(err, context.Canceled) {
		return err
	}
	v := judge(err)
	return &engine.Fault{
		Kind:    v.kind,
		Message: fmt.Sprintf("%s: %s", ref, v.text),
		Codes:   []string{v.code},
		Detail:  map[string]any{"raw_exception_message": err.Error()},
		Cause:   &Problem{Cause: v.cause, Temporary: v.temporary, Err: err},
	}
}

// refuse is a fault found here, not told by the registry.
func refuse(cause, code, ref, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &engine.Fault{
		Kind: engine.ErrInvalid, Message: ref + ": " + err.Error(), Codes: []string{code},
		Detail: map[string]any{"raw_exception_message": err.Error()},
		Cause:  &Problem{Cause: cause, Err: err},
	}
}

func judge(err error) verdict {
	var answer *transport.Error
	if errors.As(err, &answer) {
		return judgeAnswer(answer)
	}
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, errDigest):
		return verdict{CauseDigest, "SKOPEO_UNKNOWN_ERROR", true, engine.ErrUnavailable, "the bytes received are not those the digest promises"}
	case errors.Is(err, errPlainHTTP):
		return verdict{CauseTLS, "REGISTRY_NOT_ACCESSIBLE", false, engine.ErrInvalid, "the registry speaks plain HTTP; store it with TLS verification switched off to allow that"}
	case errors.As(err, &certificate), errors.As(err, &authority), errors.As(err, &host):
		return verdict{CauseTLS, "REGISTRY_NOT_ACCESSIBLE", false, engine.ErrInvalid, "the registry's TLS certificate is not trusted"}
	case errors.As(err, &dns):
		return verdict{CauseUnreachable, "REGISTRY_NOT_ACCESSIBLE", dns.IsTemporary || dns.IsTimeout, engine.ErrUnavailable, "the registry's host name cannot be resolved"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return verdict{CauseUnreachable, "REGISTRY_NOT_ACCESSIBLE", true, engine.ErrUnavailable, "the registry refused the connection"}
	case errors.Is(err, errStalled), errors.Is(err, context.DeadlineExceeded):
		return verdict{CauseUnreachable, "REGISTRY_NOT_ACCESSIBLE", true, engine.ErrUnavailable, "the registry does not answer in time"}
	case errors.As(err, &op), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return verdict{CauseUnreachable, "REGISTRY_NOT_ACCESSIBLE", true, engine.ErrUnavailable, "the connection to the registry failed"}
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return verdict{CauseTLS, "REGISTRY_NOT_ACCESSIBLE", false, engine.ErrInvalid, "the registry speaks plain HTTP; store it with TLS verification switched off to allow that"}
	}
	return verdict{CauseUnsupported, "SKOPEO_UNKNOWN_ERROR", false, engine.ErrInvalid, "the registry's answer could not be used"}
}

func judgeAnswer(e *transport.Error) verdict {
	for _, d := range e.Errors {
		switch d.Code {
		case transport.ManifestUnknownErrorCode, transport.NameUnknownErrorCode, "TAG_UNKNOWN", transport.BlobUnknownErrorCode:
			return verdict{CauseUnknown, "REGISTRY_IMAGE_NOT_FOUND", false, engine.ErrInvalid, "the registry has no such image (manifest unknown)"}
		case transport.UnauthorizedErrorCode, transport.DeniedErrorCode:
			return verdict{CauseAuth, "REGISTRY_PERMISSION_DENIED", false, engine.ErrInvalid, "the registry refused access (unauthorized)"}
		}
	}
	switch {
	case e.StatusCode == http.StatusUnauthorized, e.StatusCode == http.StatusForbidden:
		return verdict{CauseAuth, "REGISTRY_PERMISSION_DENIED", false, engine.ErrInvalid, "the registry refused access (unauthorized)"}
	case e.StatusCode == http.StatusNotFound && isPing(e.Request):
		return verdict{CauseUnsupported, "REGISTRY_NOT_SUPPORTED", false, engine.ErrInvalid, "the host does not answer as a registry"}
	case e.StatusCode == http.StatusNotFound:
		return verdict{CauseUnknown, "REGISTRY_IMAGE_NOT_FOUND", false, engine.ErrInvalid, "the registry has no such image (manifest unknown)"}
	case e.StatusCode == http.StatusTooManyRequests:
		return verdict{CauseUnavailable, "REGISTRY_NOT_ACCESSIBLE", true, engine.ErrUnavailable, "the registry's rate limit is reached"}
	case e.StatusCode >= 500:
		return verdict{CauseUnavailable, "REGISTRY_NOT_ACCESSIBLE", true, engine.ErrUnavailable, fmt.Sprintf("the registry answers %d", e.StatusCode)}
	case isPing(e.Request):
		return verdict{CauseUnsupported, "REGISTRY_NOT_SUPPORTED", false, engine.ErrInvalid, "the host does not answer as a registry"}
	}
	return verdict{CauseUnsupported, "SKOPEO_UNKNOWN_ERROR", false, engine.ErrInvalid, fmt.Sprintf("the registry answers %d", e.StatusCode)}
}

func isPing(r *http.Request) bool { return r != nil && r.URL != nil && r.URL.Path == "/v2/" }
