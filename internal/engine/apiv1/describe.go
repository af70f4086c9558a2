package apiv1

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"

	"windlass/internal/engine"
)

// Describe tells the API document in the engine's words, for pages that show
// it. Groups come in the order of the document, operations by path and method.
func Describe() ([]engine.APIGroup, error) {
	contract, err := LoadContract()
	if err != nil {
		return nil, err
	}
	doc, err := loadDocument()
	if err != nil {
		return nil, err
	}
	var groups []engine.APIGroup
	place := map[string]int{}
	group := func(name, text string) int {
		if _, known := place[name]; !known {
			place[name] = len(groups)
			groups = append(groups, engine.APIGroup{Name: name, Description: text})
		}
		return place[name]
	}
	for _, t := range doc.spec.Tags {
		group(t.Name, t.Description)
	}
	for _, o := range contract.Operations() {
		route := doc.endpoints[o.ID].route
		name := "Other"
		if len(route.Operation.Tags) > 0 {
			name = route.Operation.Tags[0]
		}
		i := group(name, "")
		groups[i].Operations = append(groups[i].Operations, describe(o, route.PathItem, route.Operation))
	}
	return slices.DeleteFunc(groups, func(g engine.APIGroup) bool { return len(g.Operations) == 0 }), nil
}

func describe(o Operation, item *openapi3.PathItem, op *openapi3.Operation) engine.APIOperation {
	d := engine.APIOperation{
		ID: o.ID, Method: o.Method, Path: o.Path, Summary: op.Summary, Description: op.Description, Open: o.Open, V1: o.V1,
	}
	for _, p := range slices.Concat(item.Parameters, op.Parameters) {
		d.Parameters = append(d.Parameters, describeParameter(p.Value))
	}
	order := []string{openapi3.ParameterInPath, openapi3.ParameterInQuery, openapi3.ParameterInHeader}
	slices.SortStableFunc(d.Parameters, func(a, b engine.APIParameter) int {
		return cmp.Compare(slices.Index(order, a.In), slices.Index(order, b.In))
	})
	if op.RequestBody != nil {
		d.Body = describeBody(op.RequestBody.Value)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses.Map())) {
		r := op.Responses.Value(status).Value
		reply := engine.APIReply{Status: status}
		if r.Description != nil {
			reply.Description = *r.Description
		}
		if kind, schema := mainContent(r.Content); kind != "" {
			reply.Kind, reply.Fields = kind, describeFields(schema)
		}
		d.Replies = append(d.Replies, reply)
	}
	return d
}

func describeParameter(p *openapi3.Parameter) engine.APIParameter {
	d := engine.APIParameter{Name: p.Name, In: p.In, Description: p.Description, Required: p.Required}
	if p.Schema == nil {
		return d
	}
	s := p.Schema.Value
	d.Type = typeName(s)
	if s.Type.Is("array") && s.Items != nil {
		s, d.Repeatable = s.Items.Value, true
	}
	d.Values = values(s)
	if s.Default != nil {
		d.Default = fmt.Sprint(s.Default)
	}
	return d
}

func describeBody(b *openapi3.RequestBody) *engine.APIBody {
	kind, schema := mainContent(b.Content)
	d := &engine.APIBody{Kind: kind, Required: b.Required, Fields: describeFields(schema)}
	if strings.Contains(kind, "json") && schema != nil {
		if text, err := json.MarshalIndent(example(schema, 0), "", "  "); err == nil {
			d.Example = string(text)
		}
	}
	return d
}

// mainContent is the first content type of a body, JSON before all.
func mainContent(content openapi3.Content) (string, *openapi3.Schema) {
	kinds := slices.SortedFunc(maps.Keys(content), func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Index(b, "application/json"), strings.Index(a, "application/json")), cmp.Compare(a, b))
	})
	if len(kinds) == 0 {
		return "", nil
	}
	m := content[kinds[0]]
	if m.Schema == nil {
		return kinds[0], nil
	}
	return kinds[0], m.Schema.Value
}

// maxDepth of a schema that is shown: deeper ones are references to themselves.
const maxDepth = 6

func describeFields(s *openapi3.Schema) []engine.APIField {
	if s == nil {
		return nil
	}
	var fields []engine.APIField
	var walk func(at string, s *openapi3.Schema, required bool, depth int)
	walk = func(at string, s *openapi3.Schema, required bool, depth int) {
		if depth > maxDepth {
			return
		}
		if at != "" && !strings.HasSuffix(at, "[]") || s.Type.Is("string") && depth == 0 {
			fields = append(fields, engine.APIField{
				Name: at, Type: typeName(s), Description: s.Description, Values: values(s), Required: required,
			})
		}
		if s.Items != nil {
			walk(at+"[]", s.Items.Value, false, depth+1)
		}
		for _, part := range slices.Concat(s.AllOf, s.OneOf, s.AnyOf) {
			walk(at, &openapi3.Schema{Properties: part.Value.Properties, Required: part.Value.Required}, required, depth+1)
		}
		for _, name := range slices.Sorted(maps.Keys(s.Properties)) {
			child := name
			if at != "" {
				child = at + "." + name
			}
			walk(child, s.Properties[name].Value, slices.Contains(s.Required, name), depth+1)
		}
	}
	walk("", s, true, 0)
	return slices.DeleteFunc(fields, func(f engine.APIField) bool { return f.Name == "" && f.Type == "" })
}

// typeName is a type as a reader says it: "text", "list of numbers".
func typeName(s *openapi3.Schema) string {
	if s.Type == nil {
		return ""
	}
	if s.Type.Is("array") {
		if s.Items == nil || typeName(s.Items.Value) == "" {
			return "list"
		}
		return "list of " + typeName(s.Items.Value)
	}
	names := map[string]string{"string": "text", "integer": "integer", "number": "number", "boolean": "true or false", "object": "object"}
	name := ""
	if types := s.Type.Slice(); len(types) > 0 {
		name = names[types[0]]
	}
	if name != "" && s.Format != "" {
		name += " (" + s.Format + ")"
	}
	return name
}

func values(s *openapi3.Schema) []string {
	var list []string
	for _, v := range s.Enum {
		list = append(list, fmt.Sprint(v))
	}
	return list
}

// example is a value that a schema allows, with every property.
func example(s *openapi3.Schema, depth int) any {
	switch {
	case s.Example != nil:
		return s.Example
	case s.Default != nil:
		return s.Default
	case len(s.Enum) > 0:
		return s.Enum[0]
	case depth > maxDepth || s.Type == nil && len(s.Properties) == 0:
		return map[string]any{}
	case s.Type.Is("array"):
		if s.Items == nil {
			return []any{}
		}
		return []any{example(s.Items.Value, depth+1)}
	case s.Type.Is("integer"), s.Type.Is("number"):
		return 0
	case s.Type.Is("boolean"):
		return false
	case s.Type.Is("string"):
		return ""
	}
	object := map[string]any{}
	for name, p := range s.Properties {
		object[name] = example(p.Value, depth+1)
	}
	return object
}
