// Package python holds foreign JSON values and prints them the way the
// original client, a Python program, prints them: the order of keys kept as
// received, None and True, dict notation, sorted and ASCII-only JSON, YAML in
// blocks. Scripts compare such output byte for byte, and no Go library prints
// like that.
//
// Values are nil, bool, string, []any, *Object and numbers: json.Number for
// what was received, int and float64 for what the program itself says.
package python

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// maxDepth is far above any reply and below what the original can read.
const maxDepth = 500

// Object is a dict: keys in the order of their first appearance.
type Object struct {
	keys   []string
	values map[string]any
}

// Dict makes an Object of alternating keys and values.
func Dict(pairs ...any) *Object {
	o := &Object{values: make(map[string]any, len(pairs)/2)}
	for i := 0; i+1 < len(pairs); i += 2 {
		o.Set(pairs[i].(string), pairs[i+1])
	}
	return o
}

func (o *Object) Get(key string) (any, bool) {
	v, ok := o.values[key]
	return v, ok
}

func (o *Object) Set(key string, v any) {
	if _, ok := o.values[key]; !ok {
		o.keys = append(o.keys, key)
	}
	o.values[key] = v
}

// Keys are in the order received.
func (o *Object) Keys() []string { return o.keys }

func (o *Object) sorted() []string { return slices.Sorted(slices.Values(o.keys)) }

// Copy is a dict with the same values.
func (o *Object) Copy() *Object {
	c := Dict()
	for _, k := range o.keys {
		c.Set(k, o.values[k])
	}
	return c
}

// Parse reads one JSON value and nothing after it.
func Parse(data []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	v, err := parse(d, 0)
	if err != nil {
		return nil, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("more than one value")
	}
	return v, nil
}

func parse(d *json.Decoder, depth int) (any, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("deeper than %d levels", maxDepth)
	}
	t, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch t {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			v, err := parse(d, depth+1)
			if err != nil {
				return nil, err
			}
			list = append(list, v)
		}
		_, err := d.Token()
		return list, err
	case json.Delim('{'):
		o := Dict()
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return nil, err
			}
			name, ok := k.(string)
			if !ok {
				return nil, fmt.Errorf("key %v", k)
			}
			v, err := parse(d, depth+1)
			if err != nil {
				return nil, err
			}
			o.Set(name, v)
		}
		_, err := d.Token()
		return o, err
	}
	return t, nil
}

// Truthy is what an if statement makes of a value.
func Truthy(v any) bool {
	switch v := v.(type) {
	case nil:
		return false
	case bool:
		return v
	case string:
		return v != ""
	case []any:
		return len(v) > 0
	case *Object:
		return len(v.keys) > 0
	}
	f, _ := number(v)
	return f == nil || f.Sign() != 0
}

// TypeName is the name of a value's type, as error messages give it.
func TypeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case bool:
		return "bool"
	case string:
		return "str"
	case []any:
		return "list"
	case *Object:
		return "dict"
	case json.Number:
		if strings.ContainsAny(string(v), ".eE") {
			return "float"
		}
	case float64:
		return "float"
	}
	return "int"
}

// Compare orders two values. Values that cannot be ordered are an error.
func Compare(a, b any) (int, error) {
	if a, ok := a.(string); ok {
		if b, ok := b.(string); ok {
			return strings.Compare(a, b), nil
		}
	}
	if x, ok := number(a); ok {
		if y, ok := number(b); ok {
			return x.Cmp(y), nil
		}
	}
	if x, ok := a.([]any); ok {
		if y, ok := b.([]any); ok {
			return compareLists(x, y)
		}
	}
	if equal(a, b) {
		return 0, nil
	}
	return 0, fmt.Errorf("'<' not supported between instances of '%s' and '%s'", TypeName(a), TypeName(b))
}

func compareLists(a, b []any) (int, error) {
	for i := range min(len(a), len(b)) {
		if c, err := Compare(a[i], b[i]); c != 0 || err != nil {
			return c, err
		}
	}
	return len(a) - len(b), nil
}

func equal(a, b any) bool { return TypeName(a) == TypeName(b) && Repr(a) == Repr(b) }

// number is nil and true for a number too long to be worth computing with.
func number(v any) (*big.Float, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return big.NewFloat(1), true
		}
		return new(big.Float), true
	case int:
		return new(big.Float).SetInt64(int64(v)), true
	case float64:
		if v != v {
			return nil, false
		}
		return big.NewFloat(v), true
	case json.Number:
		if f, err := strconv.ParseFloat(string(v), 64); err == nil || f != 0 {
			if i, err := strconv.ParseInt(string(v), 10, 64); err == nil {
				return new(big.Float).SetInt64(i), true
			}
			return big.NewFloat(f), true
		}
		return new(big.Float), true
	}
	return nil, false
}

// Float is a number's value, for arithmetic.
func Float(v any) (float64, bool) {
	if _, ok := v.(string); ok {
		return 0, false
	}
	f, ok := number(v)
	if !ok {
		return 0, false
	}
	x, _ := f.Float64()
	return x, true
}
