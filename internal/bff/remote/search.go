package remote

import (
	"context"
	"net/url"
)

// v1 finds packages and vulnerabilities by their whole names, so that is what
// the search finds: a name that some image has.

func (c *Client) FindPackages(ctx context.Context, account, name string, _ int) ([]string, error) {
	return c.named(ctx, account, "/query/images/by_package", "name", name)
}

func (c *Client) FindVulns(ctx context.Context, account, id string, _ int) ([]string, error) {
	return c.named(ctx, account, "/query/images/by_vulnerability", "vulnerability_id", id)
}

func (c *Client) named(ctx context.Context, account, path, field, value string) ([]string, error) {
	var page struct {
		Images []struct{} `json:"images"`
	}
	err := c.get(ctx, account, path, url.Values{field: {value}, "limit": {"1"}}, &page)
	if err != nil || len(page.Images) == 0 {
		return nil, err
	}
	return []string{value}, nil
}
