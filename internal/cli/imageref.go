package cli

import (
	"context"
	"errors"
	"net/http"
	"regexp"
	"strings"

	"windlass/internal/cli/python"
)

var (
	digestForm = regexp.MustCompile(`^(?:sha256|local):[a-fA-F0-9]{64}`)
	idForm     = regexp.MustCompile(`^[a-fA-F0-9]{64}`)
	digestEnd  = regexp.MustCompile(`(?:^|@)(sha256:[a-fA-F0-9]+)$`)
)

var errNoImage = errors.New("cannot use input image string (no discovered imageDigest)")

// lookup asks for an image by whatever names it: digest, image id or tag.
func (c *client) lookup(ctx context.Context, image string, history bool) (*reply, error) {
	switch {
	case digestForm.MatchString(image):
		return c.knownImage(ctx, "/images/"+segment(image))
	case idForm.MatchString(image):
		return c.knownImage(ctx, "/images/by_id/"+segment(image))
	}
	return c.byName(ctx, image, history)
}

func (c *client) knownImage(ctx context.Context, path string) (*reply, error) {
	if _, err := c.byTag(ctx); err != nil { // asked of every lookup, as the original does
		return nil, err
	}
	return c.get(ctx, path+"?history=false")
}

func (c *client) byName(ctx context.Context, name string, history bool) (*reply, error) {
	modern, err := c.byTag(ctx)
	if err != nil {
		return nil, err
	}
	past := strings.ToLower(python.Str(history))
	if !modern {
		return c.do(ctx, http.MethodGet, "/images?history="+past, python.Dict("tag", name))
	}
	return c.get(ctx, "/images"+query(param{"fulltag", name}, param{"history", past}))
}

// digest finds the digest of an image. quoted is its form in paths.
func (c *client) digest(ctx context.Context, image string) (digest, quoted string, err error) {
	if m := digestEnd.FindStringSubmatch(image); m != nil {
		return m[1], quote(m[1]), nil
	}
	r, err := c.byName(ctx, image, false)
	if ctx.Err() != nil {
		return "", "", ctx.Err()
	}
	if err != nil || !r.ok() {
		return "", "", errNoImage
	}
	look := &reader{}
	d := look.text(look.at(r.body, 0, "imageDigest"))
	if look.err != nil {
		return "", "", errNoImage
	}
	return d, segment(d), nil
}

// resolved is digest for commands whose exit code for an unknown image is
// another than that of other faults.
func (a *app) resolved(ctx context.Context, image string, code exit) (quoted string, err error) {
	_, quoted, err = a.client.digest(ctx, image)
	if errors.Is(err, errNoImage) {
		a.println(a.faultText("", err.Error()))
		return "", code
	}
	return quoted, err
}
