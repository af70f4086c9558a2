package notify

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"unicode/utf8"

	"windlass/internal/engine"
)

// TroubleOf says what kind of trouble a test ended in.
func TroubleOf(a Answer, err error) engine.Trouble {
	if err == nil {
		return engine.TroubleNone
	}
	var (
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		alert       tls.AlertError
		host        x509.HostnameError
		name        *net.DNSError
	)
	switch {
	case a.Status != 0:
		return engine.TroubleStatus
	case errors.Is(err, errPrivate):
		return engine.TroublePrivate
	case errors.Is(err, errLate), errors.Is(err, context.DeadlineExceeded), errors.Is(err, os.ErrDeadlineExceeded):
		return engine.TroubleTime
	case errors.As(err, &certificate), errors.As(err, &record), errors.As(err, &alert), errors.As(err, &host),
		strings.Contains(err.Error(), "tls: "), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return engine.TroubleTLS
	case errors.As(err, &name):
		return engine.TroubleName
	}
	return engine.TroubleOther
}

// Refused reports whether it is plain from its address that a webhook will not
// be posted to: a name is only judged by where it leads when it is used.
func (c *Client) Refused(w engine.Webhook) bool {
	u, err := url.Parse(w.URL)
	if err != nil || !c.allow.guarded(w, u.Hostname()) {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	if ip, err := netip.ParseAddr(host); err == nil {
		return !c.allow.address(ip)
	}
	return host == "localhost" || strings.HasSuffix(host, ".localhost")
}

// maxShown of an answer is shown to who tests a webhook.
const maxShown = 2 << 10

// Shown is the beginning of an answer, if it is text.
func (a Answer) Shown() string {
	raw := a.Body[:min(len(a.Body), maxShown)]
	for len(raw) > 0 && len(raw) < len(a.Body) && !utf8.Valid(raw) && len(raw) > maxShown-utf8.UTFMax {
		raw = raw[:len(raw)-1] // a letter that was cut in two
	}
	if !utf8.Valid(raw) {
		return ""
	}
	return strings.TrimSpace(string(raw))
}
