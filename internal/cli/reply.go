package cli

import (
	"strings"

	"windlass/internal/cli/python"
)

// reply is what the server answered: the body as JSON, or as text when it is
// none.
type reply struct {
	code int
	body any
}

// ok: 299 is no success.
func (r *reply) ok() bool { return r.code >= 200 && r.code < 299 }

func (r *reply) exitCode() int {
	switch {
	case r.ok():
		return exitOK
	case r.code == 401, r.code == 500:
		return exitFault
	}
	return exitRefused
}

// message is the error's message, or all of an error that has none.
func (r *reply) message() string {
	if o, ok := r.body.(*python.Object); ok {
		if m, ok := o.Get("message"); ok {
			return python.Str(m)
		}
	}
	return python.Str(r.body)
}

// refusal is what is printed of a reply that is no success.
func (a *app) refusal(op string, r *reply) string {
	switch b := r.body.(type) {
	case *python.Object:
		return a.faultLines(op, b)
	case string:
		return a.faultText(op, b)
	}
	return a.faultText(op, python.Line(r.body))
}

// faultText is the error form of a text.
func (a *app) faultText(op, text string) string {
	return a.faultLines(op, python.Dict("message", text))
}

func (a *app) faultLines(op string, fault *python.Object) string {
	if a.settings.json {
		return python.JSON(fault)
	}
	var b strings.Builder
	message, known := fault.Get("message")
	if known {
		b.WriteString("Error: " + python.Str(message) + "\n")
	}
	if code, ok := fault.Get("httpcode"); ok {
		b.WriteString("HTTP Code: " + python.Str(code) + "\n")
	}
	if detail, ok := fault.Get("detail"); ok && python.Truthy(detail) {
		text := python.Str(detail)
		b.WriteString("Detail: " + text + "\n")
		b.WriteString(hint(text))
	}
	if op == "account del" && strings.Contains(python.Str(message), "Invalid account state change requested") {
		b.WriteString("NOTE: an account must be disabled before it can be deleted (anchore-cli account disable NAME)\n")
	}
	return b.String()
}

// hint helps with a refused document that lacks a key: the one that stands in
// quotes before the complaint.
func hint(detail string) string {
	before, _, ok := strings.Cut(detail, "' is a required property")
	if !ok {
		return ""
	}
	key := before[strings.LastIndexByte(before, '\'')+1:]
	return "Hint: the key '" + key + "' must be present in the document\n"
}
