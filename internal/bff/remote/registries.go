package remote

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"windlass/internal/engine"
)

type wireRegistry struct {
	Registry  string `json:"registry"`
	Label     string `json:"registry_name"`
	Type      string `json:"registry_type"`
	User      string `json:"registry_user"`
	Password  string `json:"registry_pass,omitempty"`
	Verify    *bool  `json:"registry_verify"`
	CreatedAt stamp  `json:"created_at,omitzero"`
	UpdatedAt stamp  `json:"last_updated,omitzero"`
}

func registryOf(w wireRegistry, account string) engine.Registry {
	return engine.Registry{
		Account: account, Name: w.Registry, Label: w.Label, Type: cmp.Or(w.Type, "docker_v2"), User: w.User, Verify: w.Verify == nil || *w.Verify,
		CreatedAt: w.CreatedAt.Time, UpdatedAt: w.UpdatedAt.Time,
	}
}

// Registries lists the stored credentials of an account.
func (c *Client) Registries(ctx context.Context, account string) ([]engine.Registry, error) {
	return kept(ctx, c, account, "registries", time.Second, func(ctx context.Context) ([]engine.Registry, error) {
		if all, err := c.faring(ctx, account); !errors.Is(err, engine.ErrUnsupported) {
			list := make([]engine.Registry, 0, len(all))
			for _, w := range all {
				list = append(list, faringOf(w, account))
			}
			return list, err
		}
		var all []wireRegistry
		if err := c.get(ctx, account, "/registries", nil, &all); err != nil {
			return nil, err
		}
		list := make([]engine.Registry, 0, len(all))
		for _, w := range all {
			list = append(list, registryOf(w, account))
		}
		slices.SortStableFunc(list, func(a, b engine.Registry) int { return strings.Compare(a.Name, b.Name) })
		return list, nil
	})
}

// Registry is one of them. It is looked for in the list: v1 routes names with
// a slash in them to nowhere.
func (c *Client) Registry(ctx context.Context, account, name string) (engine.Registry, error) {
	list, err := c.Registries(ctx, account)
	if err != nil {
		return engine.Registry{}, err
	}
	for _, r := range list {
		if r.Name == name {
			return r, nil
		}
	}
	return engine.Registry{}, engine.NotFoundf("There is no registry %s. It may have been removed.", clip(name, 200))
}

// CheckRegistry passes: v1 asks a registry while it stores the credential, and
// never without. What it finds is then the answer of the storing.
func (c *Client) CheckRegistry(_ context.Context, r engine.Registry) error {
	if r.Password == "" && r.User != "" && !c.last().Windlass {
		return &engine.Fault{Kind: engine.ErrUnsupported, Message: "This engine tries a credential only when it is stored: give the password and save."}
	}
	return nil
}

// AddRegistry stores a credential that the registry takes.
func (c *Client) AddRegistry(ctx context.Context, r engine.Registry) (engine.Registry, error) {
	return c.saveRegistry(ctx, http.MethodPost, "/registries", r)
}

// UpdateRegistry replaces all fields.
func (c *Client) UpdateRegistry(ctx context.Context, r engine.Registry) (engine.Registry, error) {
	if r.Password == "" && r.User != "" && !c.last().Windlass {
		return r, engine.Invalidf("This engine does not keep a password that is not given again.")
	}
	return c.saveRegistry(ctx, http.MethodPut, path("registries", r.Name), r)
}

func (c *Client) saveRegistry(ctx context.Context, method, at string, r engine.Registry) (engine.Registry, error) {
	body := wireRegistry{Registry: r.Name, Label: r.Label, Type: r.Type, User: r.User, Password: r.Password.Reveal(), Verify: &r.Verify}
	var list []wireRegistry
	q := url.Values{"validate": {strconv.FormatBool(!r.Check.At.IsZero())}} // a check before the storing asks for it
	if err := c.call(ctx, call{method: method, path: at, query: q, body: body, account: r.Account, out: &list}); err != nil {
		return r, err
	}
	c.altered(r.Account, engine.ChangeRegistry, r.Name)
	if len(list) == 0 {
		return r, nil
	}
	return registryOf(list[0], r.Account), nil
}

// RemoveRegistry forgets a credential.
func (c *Client) RemoveRegistry(ctx context.Context, account, name string) error {
	err := c.call(ctx, call{method: http.MethodDelete, path: path("registries", name), account: account})
	if err == nil {
		c.altered(account, engine.ChangeRegistry, name)
	}
	return absent(err, "There is no registry %s.", clip(name, 200))
}
