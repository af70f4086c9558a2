package cli

import (
	"errors"
	"fmt"

	"windlass/internal/cli/python"
)

// reader takes foreign values apart and remembers the first fault, in the
// words of the original: a shape reads all it wants and is judged once. After a
// fault everything is nil.
type reader struct{ err error }

func (r *reader) fault(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
}

// at is the value at the end of a path of keys and indexes.
func (r *reader) at(v any, path ...any) any {
	for _, step := range path {
		if r.err != nil {
			return nil
		}
		v = r.step(v, step)
	}
	return v
}

func (r *reader) step(v, step any) any {
	switch v := v.(type) {
	case *python.Object:
		if key, ok := step.(string); ok {
			if e, ok := v.Get(key); ok {
				return e
			}
		}
		r.fault("%s", python.Repr(step))
	case []any:
		i, ok := step.(int)
		switch {
		case !ok:
			r.fault("list indices must be integers or slices, not str")
		case i >= len(v):
			r.err = errors.New("list index out of range")
		default:
			return v[i]
		}
	case string:
		r.fault("string indices must be integers")
	default:
		r.fault("'%s' object is not subscriptable", python.TypeName(v))
	}
	return nil
}

// opt is the value of a key, nil without it.
func (r *reader) opt(v any, key string) any {
	if r.err != nil {
		return nil
	}
	o, ok := v.(*python.Object)
	if !ok {
		r.fault("'%s' object has no attribute 'get'", python.TypeName(v))
		return nil
	}
	e, _ := o.Get(key)
	return e
}

// list is what a loop over the value goes through.
func (r *reader) list(v any) []any {
	if r.err != nil {
		return nil
	}
	switch v := v.(type) {
	case []any:
		return v
	case *python.Object:
		keys := make([]any, 0, len(v.Keys()))
		for _, k := range v.Keys() {
			keys = append(keys, k)
		}
		return keys
	case string:
		var chars []any
		for _, c := range v {
			chars = append(chars, string(c))
		}
		return chars
	}
	r.fault("'%s' object is not iterable", python.TypeName(v))
	return nil
}

func (r *reader) object(v any) *python.Object {
	if o, ok := v.(*python.Object); ok {
		return o
	}
	if r.err == nil {
		r.fault("'%s' object has no attribute 'items'", python.TypeName(v))
	}
	return python.Dict()
}

// text is a value that must be one.
func (r *reader) text(v any) string {
	s, ok := v.(string)
	if !ok && r.err == nil {
		r.fault("expected string, %s found", python.TypeName(v))
	}
	return s
}
