package registry

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// maxLater bounds what is believed of a registry that asks to be left alone:
// an image must not wait for weeks because of a wrong header.
const maxLater = 24 * time.Hour

// later is an answer that asks to be asked again after a time.
type later struct {
	after time.Duration
	err   error // as the library makes it of such an answer
}

func (l *later) Error() string { return l.err.Error() }
func (l *later) Unwrap() error { return l.err }

// laterOf is the time after which a registry wants to be asked again; 0: it
// said nothing about that.
func laterOf(err error) time.Duration {
	var l *later
	if errors.As(err, &l) {
		return l.after
	}
	return 0
}

// heedsLater makes an error of an answer that asks to wait, since the errors
// of the library keep the status of an answer and not its header. It stands
// around the quick retries of the library, and below its logins, whose answers
// ask the same.
type heedsLater struct{ inner http.RoundTripper }

func (h heedsLater) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := h.inner.RoundTrip(r)
	if err != nil || resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return resp, err
	}
	after := readLater(resp.Header.Get("Retry-After"), time.Now())
	if after <= 0 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, &later{after, transport.CheckError(resp, http.StatusOK)}
}

// readLater reads the header Retry-After: seconds, or a date.
func readLater(header string, now time.Time) time.Duration {
	header = strings.TrimSpace(header)
	if n, err := strconv.ParseUint(header, 10, 63); err == nil {
		if n > uint64(maxLater/time.Second) {
			return maxLater
		}
		return time.Duration(n) * time.Second
	}
	if at, err := http.ParseTime(header); err == nil {
		return min(max(at.Sub(now), 0), maxLater)
	}
	return 0
}
