package policy

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// validator checks the text of a parameter and describes to clients what it
// accepts. others are the rule's other parameters, by name.
type validator struct {
	kind     string
	about    string
	criteria any // a JSON schema
	check    func(value string, others args) error
}

// args are the parameters of a rule that are set, by name.
type args map[string]string

// schema keeps the keys of criteria in the order in which they are read.
type schema struct {
	Type    string   `json:"type"`
	Enum    []string `json:"enum,omitempty"`
	Pattern string   `json:"pattern,omitempty"`
}

func anyText() validator {
	return validator{kind: "type", about: "Any text.", criteria: schema{Type: "string"},
		check: func(string, args) error { return nil }}
}

func boolean() validator {
	return validator{kind: "BooleanString", about: "Either true or false, in any case.",
		criteria: schema{Type: "string", Enum: []string{"true", "false"}},
		check: func(v string, _ args) error {
			if l := strings.ToLower(v); l != "true" && l != "false" {
				return fmt.Errorf("want true or false, got %q", v)
			}
			return nil
		}}
}

func enum(of ...string) validator {
	return validator{kind: "EnumString", about: "One of: " + strings.Join(of, ", ") + ".",
		criteria: schema{Type: "string", Enum: of},
		check: func(v string, _ args) error {
			if !slices.Contains(of, v) {
				return fmt.Errorf("want one of %s, got %q", strings.Join(of, ", "), v)
			}
			return nil
		}}
}

// matching is a validator of a pattern of ours, looked for anywhere in the
// value as JSON schema does. extra may refuse what the pattern lets through.
func matching(kind, about, pattern string, extra func(string) error) validator {
	re := regexp.MustCompile(pattern)
	return validator{kind: kind, about: about, criteria: schema{Type: "string", Pattern: pattern},
		check: func(v string, _ args) error {
			if !re.MatchString(v) {
				return fmt.Errorf("want %s, got %q", lowerFirst(strings.TrimSuffix(about, ".")), v)
			}
			if extra != nil {
				return extra(v)
			}
			return nil
		}}
}

func integer() validator {
	return matching("IntegerString", "A whole number that is not negative.", `^\s*[\d]+\s*$`, nil)
}

func float() validator {
	return matching("FloatString", "A decimal number.", `^\s*-*(\d)*(\.\d*)?\s*$`, func(v string) error {
		if v = strings.TrimSpace(v); v == "" {
			return nil
		}
		if _, err := strconv.ParseFloat(v, 64); err != nil {
			return fmt.Errorf("want a decimal number, got %q", v)
		}
		return nil
	})
}

func shaped(about, pattern string) validator {
	return matching("RegexValidator", about, pattern, nil)
}

// separated is a list of items of one form between separators.
func separated(kind, about, item, separator string) validator {
	return matching(kind, about, `^\s*(\s*(`+item+`)\s*`+separator+`)*\s*(`+item+`){1}\s*$`, nil)
}

func commaList() validator {
	return separated("CommaDelimitedStringList", "A list of texts, separated by commas.", `[^,]+`, ",")
}

func commaNumbers() validator {
	return separated("CommaDelimitedStringOfNumbers", "A list of whole numbers, separated by commas.", `\d+`, ",")
}

// linked chooses another validator by the value of another parameter.
func linked(on string, by map[string]validator, fallback validator) validator {
	var names []string
	for name := range by {
		names = append(names, name)
	}
	slices.Sort(names)
	var schemas []any
	for _, name := range names {
		schemas = append(schemas, by[name].criteria)
	}
	schemas = append(schemas, fallback.criteria)
	return validator{kind: "LinkedValidator", about: "Depends on the parameter " + on + ".",
		criteria: struct {
			AnyOf []any `json:"anyOf"`
		}{schemas},
		check: func(v string, others args) error {
			if use, ok := by[others[on]]; ok {
				return use.check(v, others)
			}
			return fallback.check(v, others)
		}}
}

// items splits a list at commas; blanks around an item do not belong to it, and
// an item of blanks is none.
func items(list string) []string {
	var out []string
	for item := range strings.SplitSeq(list, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

// number reads a whole number that a validator has passed. One too large for
// any comparison stays the largest.
func number(v string) int64 {
	n, _ := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	return n
}

func truth(v string) bool { return strings.EqualFold(v, "true") }

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// text reports whether a JSON value is a text, and which.
func text(raw json.RawMessage) (string, bool) {
	var s string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &s) != nil {
		return "", false
	}
	return s, true
}
