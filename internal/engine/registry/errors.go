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

// verdict is how one kind of failure is told, to people and to the API.
type verdict struct {
	cause, code string
	text        string
}

// temporary reports whether another try may help.
func (v verdict) temporary() bool {
	c, _ := engine.CauseByCode(v.cause)
	return c.Temporary
}

// fault gives a failure its cause, its v1 code and a sentence for a person.
func fault(err error, ref string) error {
	var f *engine.Fault
	switch {
	case errors.As(err, &f), errors.Is(err, context.Canceled):
		return err
	case local(err):
		return Local(err)
	}
	v := judge(err)
	kind := engine.ErrInvalid
	if v.temporary() || v.cause == engine.CauseRegistryHost {
		kind = engine.ErrUnavailable
	}
	return &engine.Fault{
		Kind:    kind,
		Message: fmt.Sprintf("%s: %s", ref, v.text),
		Codes:   []string{v.code},
		Detail:  map[string]any{"raw_exception_message": err.Error()},
		Cause:   &engine.Problem{Cause: v.cause, Err: err, After: laterOf(err)},
	}
}

// refuse is a fault found here, not told by the registry.
func refuse(cause, code, ref, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &engine.Fault{
		Kind: engine.ErrInvalid, Message: ref + ": " + err.Error(), Codes: []string{code},
		Detail: map[string]any{"raw_exception_message": err.Error()},
		Cause:  &engine.Problem{Cause: cause, Err: err},
	}
}

func judge(err error) verdict {
	var answer *transport.Error
	if errors.As(err, &answer) && !errors.Is(err, errForeign) {
		return judgeAnswer(answer)
	}
	var certificate *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	var dns *net.DNSError
	var op *net.OpError
	switch {
	case errors.Is(err, errDigest):
		return verdict{engine.CauseDigest, "SKOPEO_UNKNOWN_ERROR", "the bytes received are not those the digest promises"}
	case errors.Is(err, errSize):
		return verdict{engine.CauseSize, "SKOPEO_UNKNOWN_ERROR", "the registry sends another number of bytes than the manifest says"}
	case errors.Is(err, errLongManifest):
		return verdict{engine.CauseManifestInvalid, "SKOPEO_UNKNOWN_ERROR", "its manifest is far too long"}
	case errors.Is(err, errTooMuch):
		return verdict{engine.CauseRegistryUnsupported, "SKOPEO_UNKNOWN_ERROR", "the registry's answer is far too long"}
	case errors.Is(err, errForeign):
		return verdict{engine.CauseMediaType, "SKOPEO_UNKNOWN_ERROR", "it is a foreign layer, which is not distributed with the image"}
	case errors.Is(err, errRedirect), strings.Contains(err.Error(), "in www-authenticate"), strings.Contains(err.Error(), "token-server redirect"):
		return verdict{engine.CauseRegistryRedirect, "REGISTRY_NOT_ACCESSIBLE", "the registry sends on to an address that is not followed"}
	case errors.Is(err, errPlainHTTP):
		return verdict{engine.CauseRegistryTLS, "REGISTRY_NOT_ACCESSIBLE", "the registry speaks plain HTTP; store it with TLS verification switched off to allow that"}
	case errors.As(err, &certificate), errors.As(err, &authority), errors.As(err, &host):
		return verdict{engine.CauseRegistryTLS, "REGISTRY_NOT_ACCESSIBLE", "the registry's TLS certificate is not trusted"}
	case errors.As(err, &dns) && !dns.IsTemporary && !dns.IsTimeout:
		return verdict{engine.CauseRegistryHost, "REGISTRY_NOT_ACCESSIBLE", "the registry's host name is not known"}
	case errors.As(err, &dns):
		return verdict{engine.CauseRegistryUnreachable, "REGISTRY_NOT_ACCESSIBLE", "the registry's host name cannot be resolved"}
	case errors.Is(err, syscall.ECONNREFUSED):
		return verdict{engine.CauseRegistryUnreachable, "REGISTRY_NOT_ACCESSIBLE", "the registry refused the connection"}
	case errors.Is(err, errStalled), errors.Is(err, context.DeadlineExceeded):
		return verdict{engine.CauseRegistrySlow, "REGISTRY_NOT_ACCESSIBLE", "the registry does not answer in time"}
	case errors.As(err, &op), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET):
		return verdict{engine.CauseRegistryUnreachable, "REGISTRY_NOT_ACCESSIBLE", "the connection to the registry failed"}
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return verdict{engine.CauseRegistryTLS, "REGISTRY_NOT_ACCESSIBLE", "the registry speaks plain HTTP; store it with TLS verification switched off to allow that"}
	}
	return verdict{engine.CauseRegistryUnsupported, "SKOPEO_UNKNOWN_ERROR", "the registry's answer could not be used"}
}

func judgeAnswer(e *transport.Error) verdict {
	for _, d := range e.Errors {
		switch d.Code {
		case transport.ManifestUnknownErrorCode, transport.NameUnknownErrorCode, "TAG_UNKNOWN", transport.BlobUnknownErrorCode:
			return verdict{engine.CauseManifestUnknown, "REGISTRY_IMAGE_NOT_FOUND", "the registry has no such image (manifest unknown)"}
		case transport.UnauthorizedErrorCode, transport.DeniedErrorCode:
			return verdict{engine.CauseRegistryAuth, "REGISTRY_PERMISSION_DENIED", "the registry refused access (unauthorized)"}
		}
	}
	switch {
	case e.StatusCode == http.StatusUnauthorized, e.StatusCode == http.StatusForbidden:
		return verdict{engine.CauseRegistryAuth, "REGISTRY_PERMISSION_DENIED", "the registry refused access (unauthorized)"}
	case e.StatusCode == http.StatusNotFound && isPing(e.Request):
		return verdict{engine.CauseRegistryUnsupported, "REGISTRY_NOT_SUPPORTED", "the host does not answer as a registry"}
	case e.StatusCode == http.StatusNotFound:
		return verdict{engine.CauseManifestUnknown, "REGISTRY_IMAGE_NOT_FOUND", "the registry has no such image (manifest unknown)"}
	case e.StatusCode == http.StatusTooManyRequests:
		return verdict{engine.CauseRegistryRateLimit, "REGISTRY_NOT_ACCESSIBLE", "the registry's rate limit is reached"}
	case e.StatusCode >= 500:
		return verdict{engine.CauseRegistryUnavailable, "REGISTRY_NOT_ACCESSIBLE", fmt.Sprintf("the registry answers %d", e.StatusCode)}
	case isPing(e.Request):
		return verdict{engine.CauseRegistryUnsupported, "REGISTRY_NOT_SUPPORTED", "the host does not answer as a registry"}
	}
	return verdict{engine.CauseRegistryUnsupported, "SKOPEO_UNKNOWN_ERROR", fmt.Sprintf("the registry answers %d", e.StatusCode)}
}

func isPing(r *http.Request) bool { return r != nil && r.URL != nil && r.URL.Path == "/v2/" }
