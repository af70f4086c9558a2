package engine

import "log/slog"

const redacted = "[redacted]"

// Secret is a password or token. It does not print, log or marshal: the
// console has a log viewer and a support bundle. Reveal is the one way out.
type Secret string

func (Secret) String() string               { return redacted }
func (Secret) GoString() string             { return redacted }
func (Secret) LogValue() slog.Value         { return slog.StringValue(redacted) }
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Reveal returns the secret itself, for the call that sends or stores it.
func (s Secret) Reveal() string { return string(s) }
