package apiv1

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"windlass/internal/engine"
)

// addRequest is the body of POST /images: a source, or the older form of tag
// and digest at the top.
type addRequest struct {
	Tag         string          `json:"tag"`
	Digest      string          `json:"digest"`
	Dockerfile  string          `json:"dockerfile"`
	CreatedAt   string          `json:"created_at"`
	Annotations map[string]any  `json:"annotations"`
	Source      json.RawMessage `json:"source"`
}

type tagSource struct {
	PullString *string `json:"pullstring"`
	Dockerfile string  `json:"dockerfile"`
}

type digestSource struct {
	PullString *string `json:"pullstring"`
	Tag        *string `json:"tag"`
	CreatedAt  string  `json:"creation_timestamp_override"`
	Dockerfile string  `json:"dockerfile"`
}

func (s *Server) addImage(w http.ResponseWriter, r *request) error {
	var body addRequest
	if err := r.decode(&body); err != nil {
		return err
	}
	if done, err := s.addFromOther(w, r, body); done || err != nil {
		return err
	}
	add, err := body.normalize()
	if err != nil {
		return err
	}
	add.Account = r.Account
	add.Force = r.queryBool("force", false)
	add.AutoSubscribe = r.queryBool("autosubscribe", false)
	i, err := s.backend.AddImage(r.Context(), add)
	if err != nil {
		return lookupFailed(err)
	}
	return reply(w, wireImages([]engine.Image{i}))
}

// lookupFailed puts a registry's failure in v1's words: the request is at
// fault, whatever the registry's trouble is.
func lookupFailed(err error) error {
	var f *engine.Fault
	if !errors.As(err, &f) || len(f.Codes) == 0 {
		return err
	}
	text, ok := f.Detail["raw_exception_message"].(string)
	if !ok || text == "" {
		text = f.Message
	}
	return status(&engine.Fault{
		Kind: engine.ErrInvalid, Message: "cannot fetch image digest/manifest from registry", Codes: f.Codes,
		Detail: map[string]any{"raw_exception_message": text}, Cause: err,
	}, http.StatusBadRequest)
}

// normalize turns either form of the body into one request of the engine, or
// says what is wrong with it.
func (b addRequest) normalize() (engine.AddImage, error) {
	add := engine.AddImage{Annotations: b.Annotations}
	source := strings.TrimSpace(string(b.Source))
	if source == "" || source == "null" {
		switch {
		case b.Digest != "":
			pull, err := b.pullByDigest()
			if err != nil {
				return add, err
			}
			return fromDigest(add, digestSource{PullString: &pull, Tag: &b.Tag, CreatedAt: b.CreatedAt, Dockerfile: b.Dockerfile}, "created_at")
		case b.Tag != "":
			return fromTag(add, tagSource{PullString: &b.Tag, Dockerfile: b.Dockerfile})
		}
		return add, engine.Invalidf("the request must have a 'source', or a 'tag' or a 'digest'")
	}
	if b.Tag != "" || b.Digest != "" || b.Dockerfile != "" {
		return add, engine.Invalidf("the request must have either 'source', or 'tag', 'digest' and 'dockerfile', and not both")
	}
	return fromSource(add, b.Source)
}

// pullByDigest is the full name of the image for which only a digest and a tag
// were given.
func (b addRequest) pullByDigest() (string, error) {
	if !bareDigest.MatchString(b.Digest) {
		return b.Digest, nil
	}
	if b.Tag == "" {
		return "", engine.Invalidf("a digest without a repository needs a 'tag' that names it")
	}
	return withoutTag(b.Tag) + "@" + b.Digest, nil
}

// kinds of source, in the order of the document.
var sourceKinds = []string{"tag", "digest", "archive", "import"}

// pickSource finds the one kind of source that is given; none is empty.
func pickSource(raw json.RawMessage) (kind string, src json.RawMessage, err error) {
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil {
		return "", nil, badSource(errors.New("source is not an object"))
	}
	for _, k := range sourceKinds {
		if v, ok := given[k]; ok && string(v) != "null" {
			if kind != "" {
				return "", nil, badSource(fmt.Errorf("only one of %s may be given", strings.Join(sourceKinds, ", ")))
			}
			kind, src = k, v
		}
	}
	return kind, src, nil
}

func fromSource(add engine.AddImage, raw json.RawMessage) (engine.AddImage, error) {
	kind, given, err := pickSource(raw)
	if err != nil {
		return add, err
	}
	switch kind {
	case "tag":
		var src tagSource
		if err := json.Unmarshal(given, &src); err != nil {
			return add, badSource(fieldError("tag", err))
		}
		return fromTag(add, src)
	case "digest":
		var src digestSource
		if err := json.Unmarshal(given, &src); err != nil {
			return add, badSource(fieldError("digest", err))
		}
		return fromDigest(add, src, "creation_timestamp_override")
	}
	return add, engine.Invalidf("'source' must have one of %s", strings.Join(sourceKinds, ", "))
}

func fromTag(add engine.AddImage, src tagSource) (engine.AddImage, error) {
	switch {
	case src.PullString == nil:
		return add, badSource(errors.New("tag.pullstring is required"))
	case !byTag(*src.PullString):
		return add, engine.Invalidf("the pull string of a tag source must be a tag based name such as docker.io/library/nginx:latest")
	case !isBase64(src.Dockerfile):
		return add, badSource(errors.New("tag.dockerfile is not base64"))
	}
	add.Tag, add.Dockerfile = *src.PullString, src.Dockerfile
	return add, nil
}

// fromDigest reads a digest source. property is the name under which the
// caller gave the time, for the message.
func fromDigest(add engine.AddImage, src digestSource, property string) (engine.AddImage, error) {
	switch {
	case src.PullString == nil:
		return add, badSource(errors.New("digest.pullstring is required"))
	case src.Tag == nil:
		return add, badSource(errors.New("digest.tag is required"))
	case !byDigest(*src.PullString):
		return add, engine.Invalidf("the pull string of a digest source must have a digest: registry/repository@sha256:...")
	case !byTag(*src.Tag):
		return add, engine.Invalidf("the tag of a digest source must be a tag based name such as docker.io/library/nginx:latest")
	case !isBase64(src.Dockerfile):
		return add, badSource(errors.New("digest.dockerfile is not base64"))
	}
	add.Digest, add.Tag, add.Dockerfile = *src.PullString, *src.Tag, src.Dockerfile
	if src.CreatedAt != "" {
		at, ok := parseOverride(src.CreatedAt)
		if !ok {
			return add, &engine.Fault{
				Kind: engine.ErrInvalid, Message: "Invalid formatted date",
				Detail: map[string]any{"Property": property, "Value": src.CreatedAt},
			}
		}
		add.CreatedAt = at
	}
	return add, nil
}

func badSource(err error) error {
	return &engine.Fault{
		Kind: engine.ErrInvalid, Message: "the image source does not match what is expected of it",
		Detail: map[string]any{"validation_error": err.Error()},
	}
}

// fieldError names the field of a source whose type is wrong, in place of the
// decoder's words about Go types.
func fieldError(kind string, err error) error {
	var te *json.UnmarshalTypeError
	if errors.As(err, &te) && te.Field != "" {
		return fmt.Errorf("%s.%s has the wrong type: %s", kind, te.Field, te.Value)
	}
	return fmt.Errorf("%s is not an object", kind)
}

var (
	bareDigest = regexp.MustCompile(`^sha256:[a-fA-F0-9]{64}$`)
	fullDigest = regexp.MustCompile(`^[^@\s]+@sha256:[a-fA-F0-9]{64}$`)
	imageID    = regexp.MustCompile(`^[a-fA-F0-9]{64}$`)
	base64Text = regexp.MustCompile(`^[a-zA-Z0-9+/=]*$`)
)

func isBase64(s string) bool { return base64Text.MatchString(s) }

// byTag reports whether a name is by tag; what else may be wrong with it is
// the resolver's to say.
func byTag(name string) bool {
	name = strings.TrimSpace(name)
	return name != "" && !strings.Contains(name, "@") && !strings.HasPrefix(name, "sha256:") && !imageID.MatchString(name)
}

func byDigest(name string) bool { return fullDigest.MatchString(strings.TrimSpace(name)) }

// withoutTag cuts the tag off a name: what follows the last colon behind the
// last slash, for the first colon may be that of a port.
func withoutTag(name string) string {
	name = strings.TrimSpace(name)
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		return name[:colon]
	}
	return name
}

// parseOverride reads a time of creation: whole seconds, or with a fraction
// after a dot or a colon.
func parseOverride(text string) (time.Time, bool) {
	if len(text) > 40 {
		return time.Time{}, false
	}
	if len(text) > 20 && text[19] == ':' {
		text = text[:19] + "." + text[20:]
	}
	// The layout takes a fraction where there is one.
	t, err := time.Parse("2006-01-02T15:04:05Z", text)
	return t, err == nil
}
