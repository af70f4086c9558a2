package present

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// APIHref is the address of the page of an operation, or of the list without one.
func APIHref(id string) string {
	if id == "" {
		return "/api"
	}
	return "/api/" + url.PathEscape(id)
}

// API lists the operations whose path, name or summary holds every word of the
// search.
func API(groups []engine.APIGroup, search string) view.API {
	v := view.API{Search: search}
	total := 0
	words := strings.Fields(strings.ToLower(search))
	for _, g := range groups {
		shown := view.APIGroup{ID: slug(g.Name), Name: g.Name, Text: g.Description}
		for _, o := range g.Operations {
			total++
			text := strings.ToLower(o.Method + " " + o.Path + " " + o.ID + " " + o.Summary + " " + g.Name)
			if slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) }) {
				continue
			}
			row := view.APIRow{Method: o.Method, Path: o.Path, Summary: o.Summary, Href: APIHref(o.ID)}
			if !o.V1 {
				row.Note = "beyond v1"
			}
			shown.Rows = append(shown.Rows, row)
		}
		if len(shown.Rows) > 0 {
			v.Groups = append(v.Groups, shown)
		}
	}
	v.None = len(v.Groups) == 0
	v.Sub = Plural(total, "operation", "operations") + ", under /v1 and without it"
	return v
}

func slug(s string) string { return strings.ReplaceAll(strings.ToLower(s), " ", "-") }

// APIField is the name of a parameter's field in the form.
func APIField(p engine.APIParameter) string { return p.In + "." + p.Name }

// APIOperation shapes the page of one operation. base is the address that
// clients use; value gives what was entered into a field, entered says that
// anything was.
func APIOperation(o engine.APIOperation, base string, value func(string) string, entered bool) view.APIOperation {
	v := view.APIOperation{
		Method: o.Method, Path: o.Path, Summary: o.Summary, Description: o.Description,
		Action: APIHref(o.ID) + "#result", Curl: apiCurl(o, base),
	}
	if o.Method != http.MethodGet {
		v.Confirm = "Really send " + o.Method + " " + o.Path + "?"
	}
	if o.Open {
		v.Notes = append(v.Notes, "Answered without signing in.")
	}
	if !o.V1 {
		v.Notes = append(v.Notes, "Not part of v1: other engines do not have it.")
	}
	for _, p := range o.Parameters {
		if p.In == "header" {
			continue
		}
		shown := view.APIParam{
			Field: APIField(p), Name: p.Name, Kind: "in the " + p.In + ", " + p.Type, Text: p.Description, Values: p.Values,
			Value: value(APIField(p)), Required: p.Required,
		}
		if p.Required {
			shown.Kind += ", required"
		}
		if p.Repeatable {
			shown.Values = nil
			shown.Text = sentences(shown.Text, "Separated by commas.", oneOf(p.Values))
		}
		if p.Default != "" {
			shown.Text = sentences(shown.Text, "Left out: "+p.Default+".")
		}
		if p.Type == "true or false" {
			shown.Values = []string{"true", "false"}
		}
		v.Params = append(v.Params, shown)
	}
	if o.Body != nil {
		b := &view.APIBody{Kind: o.Body.Kind, Fields: apiFields(o.Body.Fields), Value: o.Body.Example, Raw: o.Body.Example == ""}
		if entered {
			b.Value = value("body")
		}
		v.Body = b
	}
	for _, r := range o.Replies {
		status := r.Status
		if status == "default" {
			status = "other"
		}
		v.Replies = append(v.Replies, view.APIReply{Status: status, Text: r.Description, Kind: r.Kind, Fields: apiFields(r.Fields)})
	}
	return v
}

func apiFields(list []engine.APIField) []view.APIField {
	out := make([]view.APIField, 0, len(list))
	for _, f := range list {
		out = append(out, view.APIField{Name: f.Name, Type: f.Type, Text: sentences(f.Description, oneOf(f.Values)), Required: f.Required})
	}
	return out
}

func oneOf(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return "One of " + strings.Join(values, ", ") + "."
}

// sentences joins texts that may be empty.
func sentences(texts ...string) string {
	var out []string
	for _, t := range texts {
		if t = strings.TrimSpace(t); t == "" {
			continue
		}
		if !strings.HasSuffix(t, ".") {
			t += "."
		}
		out = append(out, t)
	}
	return strings.Join(out, " ")
}

// apiCurl is the request as a command. Names in braces are left to fill in.
func apiCurl(o engine.APIOperation, base string) string {
	var b strings.Builder
	b.WriteString("curl -u admin")
	if o.Method != http.MethodGet {
		b.WriteString(" -X " + o.Method)
	}
	if o.Body != nil && o.Body.Example != "" {
		b.WriteString(` -H 'Content-Type: application/json' -d @body.json`)
	}
	var query []string
	for _, p := range o.Parameters {
		if p.In == "query" && p.Required {
			query = append(query, p.Name+"={"+p.Name+"}")
		}
	}
	b.WriteString(" '" + strings.TrimSuffix(base, "/") + "/v1" + o.Path)
	if len(query) > 0 {
		b.WriteString("?" + strings.Join(query, "&"))
	}
	b.WriteString("'")
	return b.String()
}

// APIResult shapes an answer for reading: JSON is indented.
func APIResult(status int, kind string, body []byte, cut bool, took string) view.APIResult {
	v := view.APIResult{Status: view.Pill{Tone: "ok", Text: strconv.Itoa(status) + " " + http.StatusText(status)}, Kind: kind, Took: took}
	if status >= 400 {
		v.Status.Tone = "bad"
	}
	switch {
	case strings.Contains(kind, "json"):
		v.Body = strings.ToValidUTF8(string(indented(body)), "?") // one that was cut stays as it came
	case strings.HasPrefix(kind, "text/"):
		v.Body = strings.ToValidUTF8(string(body), "?")
	case len(body) > 0:
		v.Note = "The answer is " + kind + ", which is not shown here."
	}
	if cut && v.Note == "" {
		v.Note = "The answer is longer: only its beginning is shown."
	}
	return v
}
