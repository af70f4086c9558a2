package engine

import (
	"errors"
	"fmt"
)

// The four sentinels say what a caller can do about an error. Drivers' errors
// become one of these at the edge where they appear.
var (
	ErrNotFound    = errors.New("not found")
	ErrConflict    = errors.New("conflict")
	ErrInvalid     = errors.New("invalid")
	ErrUnavailable = errors.New("unavailable")
)

// ErrLeaseLost says that a job is no longer this worker's: another holds it, or
// it was renewed or removed. The result must be thrown away.
var ErrLeaseLost = errors.New("lease lost")

// ErrUnsupported says that this engine has no such thing, today or tomorrow:
// the console may drive engines that know less than it can show.
var ErrUnsupported = errors.New("not supported by this engine")

// ErrForbidden is a permission that is missing.
var ErrForbidden = errors.New("forbidden")

// ErrUnauthorized is returned by authentication alone.
var ErrUnauthorized = errors.New("unauthorized")

// ErrThrottled is returned by authentication after too many failures.
var ErrThrottled = errors.New("too many failed logins")

// Fault is an error that a person caused or can act on. Message is fit to be
// shown as it is; Codes are the v1 error codes (REGISTRY_NOT_ACCESSIBLE, ...)
// and Detail what else the API reports beside them.
type Fault struct {
	Kind    error // one of the sentinels
	Message string
	Codes   []string
	Detail  map[string]any
	Cause   error // for the log; never shown
}

func (f *Fault) Error() string {
	if f.Cause != nil {
		return f.Message + ": " + f.Cause.Error()
	}
	return f.Message
}

// Unwrap lets errors.Is find both the sentinel and the cause.
func (f *Fault) Unwrap() []error {
	if f.Cause == nil {
		return []error{f.Kind}
	}
	return []error{f.Kind, f.Cause}
}

// Invalidf is a Fault of kind ErrInvalid: name the field and what was expected.
func Invalidf(format string, args ...any) error {
	return &Fault{Kind: ErrInvalid, Message: fmt.Sprintf(format, args...)}
}

// NotFoundf is a Fault of kind ErrNotFound.
func NotFoundf(format string, args ...any) error {
	return &Fault{Kind: ErrNotFound, Message: fmt.Sprintf(format, args...)}
}

// Conflictf is a Fault of kind ErrConflict.
func Conflictf(format string, args ...any) error {
	return &Fault{Kind: ErrConflict, Message: fmt.Sprintf(format, args...)}
}

// Forbiddenf is a Fault of kind ErrForbidden.
func Forbiddenf(format string, args ...any) error {
	return &Fault{Kind: ErrForbidden, Message: fmt.Sprintf(format, args...)}
}

// MessageOf gives the sentence fit for a person: that of the nearest Fault, or
// fallback when there is none.
func MessageOf(err error, fallback string) string {
	var f *Fault
	if errors.As(err, &f) {
		return f.Message
	}
	return fallback
}
