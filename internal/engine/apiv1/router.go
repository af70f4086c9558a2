package apiv1

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// tree routes by path segments. http.ServeMux cannot hold this API: it refuses
// /images/{d}/check beside /images/by_id/{id}, which both match
// /images/by_id/check. Here a literal segment wins over a parameter, and the
// search goes back when it leads nowhere. A parameter named with a trailing
// "..." takes the rest of the path.
//
// Paths are matched as they were escaped, so that a registry name may hold
// %2F, and without the /v1 prefix, a doubled or a trailing slash.
type tree struct{ root node }

type node struct {
	literal map[string]*node
	param   *node            // one segment
	rest    map[string]*leaf // all that follows, by method
	methods map[string]*leaf
}

type leaf struct {
	names []string // of the parameters, in order
	op    *bound
}

func newTree() *tree { return &tree{} }

// add enters an operation of the document: "/images/{imageDigest}/check".
func (t *tree) add(method, path string, b *bound) {
	n, l := &t.root, &leaf{op: b}
	for _, seg := range segments(path) {
		name, isParam := strings.CutPrefix(seg, "{")
		if !isParam {
			if n.literal == nil {
				n.literal = map[string]*node{}
			}
			if n.literal[seg] == nil {
				n.literal[seg] = &node{}
			}
			n = n.literal[seg]
			continue
		}
		l.names = append(l.names, strings.TrimSuffix(name, "}"))
		if b.endpoint.rest {
			if n.rest == nil {
				n.rest = map[string]*leaf{}
			}
			n.rest[method] = l
			return
		}
		if n.param == nil {
			n.param = &node{}
		}
		n = n.param
	}
	if n.methods == nil {
		n.methods = map[string]*leaf{}
	}
	n.methods[method] = l
}

// find gives the operation of a request and its path parameters.
func (t *tree) find(method, path string) (*bound, map[string]string, error) {
	segs := segments(path)
	if len(segs) > 0 && segs[0] == "v1" {
		segs = segs[1:]
	}
	if method == http.MethodHead {
		method = http.MethodGet
	}
	var allowed []string
	l, values := t.root.find(method, segs, nil, &allowed)
	if l == nil {
		if len(allowed) > 0 {
			slices.Sort(allowed)
			return nil, nil, &problem{status: http.StatusMethodNotAllowed, allow: strings.Join(slices.Compact(allowed), ", "),
				detail: "The method is not allowed for the requested URL."}
		}
		return nil, nil, &problem{status: http.StatusNotFound, detail: "The requested URL was not found on the server."}
	}
	params := make(map[string]string, len(values))
	for i, v := range values {
		plain, err := url.PathUnescape(v)
		if err != nil {
			return nil, nil, &problem{status: http.StatusBadRequest, detail: "The URL is not validly escaped."}
		}
		params[l.names[i]] = plain
	}
	return l.op, params, nil
}

func (n *node) find(method string, segs, values []string, allowed *[]string) (*leaf, []string) {
	if len(segs) == 0 {
		if l := n.methods[method]; l != nil {
			return l, values
		}
		for m := range n.methods {
			*allowed = append(*allowed, m)
		}
		return nil, nil
	}
	if next := n.literal[segs[0]]; next != nil {
		if l, v := next.find(method, segs[1:], values, allowed); l != nil {
			return l, v
		}
	}
	if n.param != nil {
		if l, v := n.param.find(method, segs[1:], append(values, segs[0]), allowed); l != nil {
			return l, v
		}
	}
	if n.rest != nil {
		if l := n.rest[method]; l != nil {
			return l, append(values, strings.Join(segs, "/"))
		}
		for m := range n.rest {
			*allowed = append(*allowed, m)
		}
	}
	return nil, nil
}

// segments cuts a path at its slashes; empty segments count for nothing.
func segments(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}
