package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"windlass/internal/engine"
)

// Bounds of a listing of tags. A registry that hands out pages without end, or
// the same one again, is left after so many.
const (
	MaxTags      = 10_000
	maxTagPages  = 500
	maxTagPage   = 8 << 20
	tagsPerPage  = 1000
	tagsTimeout  = 60 * time.Second
	maxTagCursor = 2048
)

// Tags are what a repository holds.
type Tags struct {
	Names []string
	// More: there are more than were read. What is missing is not gone.
	More bool
}

// Tags lists the tags of a repository, at most MaxTags.
func (c *Client) Tags(ctx context.Context, ref Reference, creds []engine.Registry) (Tags, error) {
	if ref.Repository == "" {
		return Tags{}, engine.Invalidf("%s is not a repository", ref)
	}
	ctx, cancel := context.WithTimeout(ctx, tagsTimeout)
	defer cancel()
	var tags Tags
	err := c.try(ctx, ref.Registry+"/"+ref.Repository, c.endpoints(ref, creds), func(s *session) (err error) {
		tags, err = s.tags(ctx)
		return err
	})
	return tags, err
}

// Head asks for the digest a tag has now, without the manifest: registries do
// not count that against their limits. Empty, and no error, when the registry
// does not say.
func (c *Client) Head(ctx context.Context, ref Reference, creds []engine.Registry) (engine.Digest, error) {
	if ref.Repository == "" || ref.Tag == "" {
		return "", engine.Invalidf("%s is not the name of an image with a tag", ref)
	}
	ctx, cancel := context.WithTimeout(ctx, c.opts.Answer)
	defer cancel()
	var digest engine.Digest
	err := c.try(ctx, ref.String(), c.endpoints(ref, creds), func(s *session) (err error) {
		digest, err = s.head(ctx, ref.Tag)
		return err
	})
	return digest, err
}

// try asks one endpoint after another until one answers. When none does, what
// a mirror knows for certain is worth more than that the registry behind it
// cannot be reached.
func (c *Client) try(ctx context.Context, what string, list []endpoint, ask func(*session) error) error {
	var last error
	for _, e := range list {
		s, err := c.open(ctx, e)
		if err == nil {
			err = ask(s)
		}
		if err == nil {
			c.used(ctx, e, what)
			return nil
		}
		if cause := context.Cause(ctx); cause != nil && errors.Is(cause, context.Canceled) {
			return cause
		}
		if next := fault(err, what); last == nil || !knowsLess(next, last) {
			last = next
		}
	}
	return last
}

func (s *session) head(ctx context.Context, tag string) (engine.Digest, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, s.base+"/manifests/"+tag, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Accept", acceptManifests)
	resp, err := s.client.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusMethodNotAllowed || resp.StatusCode == http.StatusNotImplemented {
		return "", nil
	}
	if err := transport.CheckError(resp, http.StatusOK); err != nil {
		return "", err
	}
	if digest := strings.ToLower(resp.Header.Get("Docker-Content-Digest")); reDigest.MatchString(digest) {
		return engine.Digest(digest), nil
	}
	return "", nil
}

// tags reads page after page.
func (s *session) tags(ctx context.Context) (Tags, error) {
	var all Tags
	query := "n=" + strconv.Itoa(tagsPerPage)
	seen := map[string]bool{}
	for range maxTagPages {
		names, next, err := s.tagPage(ctx, query)
		if err != nil {
			return Tags{}, fmt.Errorf("tags: %w", err)
		}
		for _, name := range names {
			if !reTag.MatchString(name) || seen[name] {
				continue
			}
			if len(all.Names) == MaxTags {
				all.More = true
				return all, nil
			}
			seen[name] = true
			all.Names = append(all.Names, name)
		}
		if next == "" || next == query {
			return all, nil
		}
		query = next
	}
	all.More = true
	return all, nil
}

func (s *session) tagPage(ctx context.Context, query string) (names []string, next string, err error) {
	resp, err := s.get(ctx, "/tags/list?"+query, "application/json")
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	raw, err := readAll(resp.Body, maxTagPage)
	if err != nil {
		return nil, "", err
	}
	names, err = decodeTags(raw)
	if err != nil {
		return nil, "", err
	}
	return names, nextPage(resp.Header.Values("Link")), nil
}

func decodeTags(raw []byte) ([]string, error) {
	var page struct {
		Tags []string `json:"tags"` // null when there are none
	}
	if err := json.Unmarshal(raw, &page); err != nil {
		return nil, errors.New("the list of tags is not readable JSON")
	}
	return page.Tags, nil
}

// nextPage is the query of the page that a Link header names. Only the query
// is taken: who follows a whole address would carry the credential wherever
// the answer says, and proxies often get scheme and host wrong.
func nextPage(links []string) string {
	for _, header := range links {
		for link := range strings.SplitSeq(header, ",") {
			target, params, _ := strings.Cut(strings.TrimSpace(link), ";")
			if !strings.HasPrefix(target, "<") || !strings.HasSuffix(target, ">") || !isNext(params) {
				continue
			}
			u, err := url.Parse(target[1 : len(target)-1])
			if err != nil || len(u.RawQuery) > maxTagCursor {
				continue
			}
			if q, err := url.ParseQuery(u.RawQuery); err == nil {
				return q.Encode()
			}
		}
	}
	return ""
}

func isNext(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(name), "rel") && strings.EqualFold(strings.Trim(strings.TrimSpace(value), `"`), "next") {
			return true
		}
	}
	return false
}
