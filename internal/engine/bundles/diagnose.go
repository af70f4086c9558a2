package bundles

import (
	"encoding/json"
	"errors"
	"unicode/utf8"

	"windlass/internal/engine"
	"windlass/internal/engine/policy"
)

// maxFaults is how many faults of one text are told: nobody reads more at once.
const maxFaults = 200

// Diagnose tells all that is wrong with the text of a bundle, each at its line,
// in the order of the text. Read takes the text when all of them are warnings.
func Diagnose(text []byte) []engine.BundleFault {
	if at, ok := broken(text); ok {
		at.Line, at.Column = lineOf(text, at.offset)
		return []engine.BundleFault{at.BundleFault}
	}
	parsed, err := policy.Parse(text)
	if err != nil {
		f := engine.BundleFault{Type: policy.ProblemValidation, Details: engine.MessageOf(err, "the document is no bundle"), Line: 1, Column: 1}
		var fault *engine.Fault
		if errors.As(err, &fault) {
			f.Path, _ = fault.Detail[policy.DetailPath].(string)
		}
		return placed(text, []engine.BundleFault{f})
	}
	var list []engine.BundleFault
	for _, p := range parsed.Problems() {
		if p.Path == "/id" && parsed.ID == "" {
			continue // it is given one
		}
		list = append(list, engine.BundleFault{Type: p.Type, Details: p.Details, Path: p.Path})
	}
	for _, p := range parsed.Unused() {
		list = append(list, engine.BundleFault{Type: p.Type, Details: p.Details + " (no mapping refers to it)", Path: p.Path, Warning: true})
	}
	if len(parsed.ID) > maxName {
		list = append(list, engine.BundleFault{Type: policy.ProblemValidation, Details: tooLong, Path: "/id"})
	}
	if len(parsed.Name) > maxName {
		list = append(list, engine.BundleFault{Type: policy.ProblemValidation, Details: tooLong, Path: "/name"})
	}
	return placed(text, list)
}

type faultAt struct {
	engine.BundleFault
	offset int
}

// broken finds where a text ceases to be JSON in UTF-8.
func broken(text []byte) (faultAt, bool) {
	f := faultAt{BundleFault: engine.BundleFault{Type: policy.ProblemValidation}}
	var syntax *json.SyntaxError
	var raw json.RawMessage
	switch err := json.Unmarshal(text, &raw); {
	case len(text) == 0:
		f.Details = "there is no text"
		return f, true
	case errors.As(err, &syntax):
		// The offset is one past the byte that was not expected.
		f.Details, f.offset = syntax.Error(), max(0, int(syntax.Offset)-1)
		return f, true
	case err != nil:
		f.Details = err.Error()
		return f, true
	case !utf8.Valid(text):
		for f.offset < len(text) {
			r, n := utf8.DecodeRune(text[f.offset:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			f.offset += n
		}
		f.Details = "this is not UTF-8"
		return f, true
	}
	return f, false
}
