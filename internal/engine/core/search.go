package core

import "context"

// FindPackages lists the names that begin with a text among the packages of an
// account's images.
func (c *Core) FindPackages(ctx context.Context, account, prefix string, limit int) ([]string, error) {
	return c.store.FindPackages(ctx, account, prefix, limit)
}

// FindVulns lists the ids that begin with a text among the vulnerabilities that
// an account's images are affected by.
func (c *Core) FindVulns(ctx context.Context, account, prefix string, limit int) ([]string, error) {
	return c.store.FindVulns(ctx, account, prefix, limit)
}
