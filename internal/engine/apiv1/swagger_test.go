package apiv1

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi2"
	"github.com/getkin/kin-openapi/openapi2conv"
	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"

	"windlass/internal/engine/enginetest"
)

// departures are the places where this project's document says something else
// than the one that stock clients were generated from, each with the reason:
// there, v1 itself answers something else than its document says.
var departures = map[string]string{
	`^GET /events.* reply\..*event\.category$`:                                                                 "events have a type and no category of their own",
	`^GET /event_types reply\[\]\.category$`:                                                                   "a category's key is name",
	` reply\[\]\.record_version$`:                                                                              "image records do not tell their version",
	` reply\[\]\.last_upated$`:                                                                                 "a misprint: last_updated is answered",
	`^GET /version reply\.api\.version$`:                                                                       "api is an empty object",
	`^GET /images/\{imageDigest\}/content/malware reply\.content\[\]\.enabled$`:                                "a scanner that did not run is not listed",
	`^(PUT|DELETE) /system/feeds/\{feed\}/\{group\} reply$`:                                                    "one group is answered",
	`^DELETE /accounts/\{accountname\} reply 204$`:                                                             "200 with the state is answered",
	`^PUT /accounts/\{accountname\}/state body\.state$`:                                                        "a state is needed",
	`^POST /(user|accounts/.*)/credentials reply\.(username|source|last_updated)$`:                             "the credential is answered, not its user",
	`^GET /imports/images/\{operation_id\}/\w+ reply\[\]$`:                                                     "objects with the digest are answered",
	`^POST /archives/rules body\.(rule_id|created_at|last_updated)$`:                                           "the engine gives them; sent ones are ignored",
	`^POST /oauth/token reply\.token$`:                                                                         "access_token is answered",
	`^GET /query/images/.* reply\.images`:                                                                      "images and packages have the names that the engine gives them",
	`^GET /query/vulnerabilities reply\.vulnerabilities\[\]\.(nvd_data\[\]|vendor_data\[\])\.cvss_v[23]\.\w+$`: "scores stand in base_metrics",
	`^GET /query/vulnerabilities reply\.vulnerabilities\[\]\.references\[\]\.tags$`:                            "references have no tags",
}

// TestDocumentAgreesWithV1 holds this project's document against the one that
// stock clients were generated from: every operation is there, takes what they
// send and answers what they read.
func TestDocumentAgreesWithV1(t *testing.T) {
	theirs := stockDocument(t)
	doc, err := loadDocument()
	if err != nil {
		t.Fatal(err)
	}
	c := comparison{found: map[string]string{}}
	operations, missing := 0, 0
	for _, path := range slices.Sorted(maps.Keys(theirs.Paths.Map())) {
		item := theirs.Paths.Value(path)
		for _, method := range slices.Sorted(maps.Keys(item.Operations())) {
			operations++
			our := doc.spec.Paths.Value(path)
			if our == nil || our.GetOperation(method) == nil {
				missing++
				t.Errorf("%s %s is missing", method, path)
				continue
			}
			c.at = method + " " + path
			c.operation(item, item.GetOperation(method), our, our.GetOperation(method))
		}
	}
	t.Logf("%d of %d operations are in the document", operations-missing, operations)
	used := map[string]bool{}
	for _, at := range slices.Sorted(maps.Keys(c.found)) {
		known := false
		for place := range departures {
			if regexp.MustCompile(place).MatchString(at) {
				known, used[place] = true, true
			}
		}
		if !known {
			t.Errorf("%s: %s", at, c.found[at])
		}
	}
	for place := range departures {
		if !used[place] {
			t.Errorf("%s is listed as a departure and is none", place)
		}
	}
}

// stockDocument is the v1 document, brought to the version of ours.
func stockDocument(t *testing.T) *openapi3.T {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(filepath.Dir(enginetest.Shared(t, "spec")), "spec", "v1-swagger.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(withTextKeys(tree))
	if err != nil {
		t.Fatal(err)
	}
	var v2 openapi2.T
	if err := json.Unmarshal(asJSON, &v2); err != nil {
		t.Fatal(err)
	}
	v3, err := openapi2conv.ToV3(&v2)
	if err != nil {
		t.Fatal(err)
	}
	return v3
}

// withTextKeys makes of a status code that YAML read as a number the text that
// JSON wants.
func withTextKeys(v any) any {
	switch v := v.(type) {
	case map[any]any:
		m := map[string]any{}
		for k, e := range v {
			m[fmt.Sprint(k)] = withTextKeys(e)
		}
		return m
	case map[string]any:
		for k, e := range v {
			v[k] = withTextKeys(e)
		}
	case []any:
		for i, e := range v {
			v[i] = withTextKeys(e)
		}
	}
	return v
}

// comparison collects where our document does not do for a stock client.
type comparison struct {
	at    string
	found map[string]string
}

func (c *comparison) differs(place, format string, args ...any) {
	c.found[c.at+" "+place] = fmt.Sprintf(format, args...)
}

func (c *comparison) operation(theirItem *openapi3.PathItem, theirs *openapi3.Operation, ourItem *openapi3.PathItem, ours *openapi3.Operation) {
	taken := map[string]*openapi3.Parameter{}
	for _, p := range slices.Concat(ourItem.Parameters, ours.Parameters) {
		taken[p.Value.In+" "+p.Value.Name] = p.Value
	}
	sent := map[string]bool{}
	for _, p := range slices.Concat(theirItem.Parameters, theirs.Parameters) {
		key := p.Value.In + " " + p.Value.Name
		sent[key] = true
		our := taken[key]
		switch {
		case our == nil:
			c.differs(key, "the parameter is missing")
		case our.Required && !p.Value.Required:
			c.differs(key, "the parameter is required and was not")
		case our.Schema != nil && p.Value.Schema != nil:
			c.schema(key, our.Schema.Value, p.Value.Schema.Value, true, nil)
		}
	}
	for key, p := range taken {
		if p.Required && !sent[key] {
			c.differs(key, "the parameter is required and stock clients do not know it")
		}
	}
	if theirs.RequestBody != nil {
		if ours.RequestBody == nil {
			c.differs("body", "no body is taken")
		} else if a, b := bodySchema(ours.RequestBody.Value.Content), bodySchema(theirs.RequestBody.Value.Content); a != nil && b != nil {
			c.schema("body", a, b, true, nil)
		}
	}
	for status, r := range theirs.Responses.Map() {
		if !strings.HasPrefix(status, "2") || r.Value == nil {
			continue
		}
		their := bodySchema(r.Value.Content)
		our := ours.Responses.Value(status)
		if our == nil {
			c.differs("reply "+status, "the status is not answered")
			continue
		}
		if a := bodySchema(our.Value.Content); their != nil && a != nil {
			c.schema("reply", a, their, false, nil)
		} else if their != nil {
			c.differs("reply", "the reply has no body")
		}
	}
}

// bodySchema is the schema of a body in its first content type, JSON before all.
func bodySchema(content openapi3.Content) *openapi3.Schema {
	m := content.Get("application/json")
	for _, name := range slices.Sorted(maps.Keys(content)) {
		if m == nil {
			m = content[name]
		}
	}
	if m == nil || m.Schema == nil {
		return nil
	}
	return m.Schema.Value
}

// schema compares what is said of one value. Of what a client sends, ours may
// ask for no more; of what it reads, ours may give no less.
func (c *comparison) schema(at string, ours, theirs *openapi3.Schema, sent bool, above []*openapi3.Schema) {
	if ours == nil || theirs == nil || slices.Contains(above, theirs) {
		return
	}
	above = append(above, theirs)
	if theirs.Type != nil && ours.Type != nil && !sameType(*ours.Type, *theirs.Type) {
		c.differs(at, "type %v, was %v", ours.Type.Slice(), theirs.Type.Slice())
		return
	}
	if theirs.Items != nil && ours.Items != nil {
		c.schema(at+"[]", ours.Items.Value, theirs.Items.Value, sent, above)
	}
	for _, e := range theirs.Enum {
		if len(ours.Enum) > 0 && sent && !slices.Contains(ours.Enum, e) {
			c.differs(at, "the value %v is not taken", e)
		}
	}
	wanted, given := properties(theirs), properties(ours)
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		our := given[name]
		if our == nil {
			if len(given) > 0 || !sent {
				c.differs(at+"."+name, "the property is missing")
			}
			continue
		}
		c.schema(at+"."+name, our.Value, wanted[name].Value, sent, above)
	}
	if sent {
		for _, name := range ours.Required {
			if !slices.Contains(theirs.Required, name) {
				c.differs(at+"."+name, "the property is required and was not")
			}
		}
	}
}

// properties of a schema with those of its parts.
func properties(s *openapi3.Schema) openapi3.Schemas {
	all := maps.Clone(s.Properties)
	if all == nil {
		all = openapi3.Schemas{}
	}
	for _, list := range []openapi3.SchemaRefs{s.AllOf, s.OneOf, s.AnyOf} {
		for _, part := range list {
			if part.Value != nil {
				maps.Copy(all, properties(part.Value))
			}
		}
	}
	return all
}

// sameType says that a client that knows the one can handle the other: every
// integer is a number.
func sameType(ours, theirs openapi3.Types) bool {
	for _, o := range ours {
		if slices.Contains(theirs, o) || o == "integer" && slices.Contains(theirs, "number") {
			return true
		}
	}
	return false
}
