package cli

import (
	"context"
	"fmt"
	"net/http"
	"regexp"

	"github.com/spf13/cobra"

	"windlass/internal/cli/python"
)

const (
	dockerRegistry = "docker_v2"
	amazonRegistry = "awsecr"
)

var amazonName = regexp.MustCompile(`^[0-9]+\.dkr\.ecr\..*amazonaws\.com`)

func (a *app) registry() *cobra.Command {
	return a.group("registry", "Registries and their credentials",
		a.registryPut("add", "Add credentials of a registry", http.MethodPost),
		a.registryPut("update", "Change the credentials of a registry", http.MethodPut),
		a.registryDel(), a.registryList(), a.registryGet())
}

// registryPut is add and update: the same arguments and the same body.
func (a *app) registryPut(verb, short, method string) *cobra.Command {
	var insecure, skip bool
	var kind, name string
	c := a.command(verb+" REGISTRY REGISTRY_USER REGISTRY_PASS", short, func(ctx context.Context, args []string) error {
		registry, path := args[0], "/registries"
		if method == http.MethodPut {
			path += "/" + quote(registry)
			if kind == "" {
				kind = dockerRegistry
			}
		} else if err := a.registryKind(registry, &kind); err != nil {
			return err
		}
		if name == "" {
			name = registry
		}
		r, err := a.client.do(ctx, method, path+query(param{"validate", python.Str(!skip)}), python.Dict(
			"registry", registry, "registry_user", args[1], "registry_pass", args[2],
			"registry_type", kind, "registry_verify", !insecure, "registry_name", name))
		if err != nil {
			return err
		}
		return a.show(r, "registry "+verb, registryLines)
	})
	f := c.Flags()
	f.BoolVar(&insecure, "insecure", false, "accept any certificate, or none")
	f.StringVar(&kind, "registry-type", "", dockerRegistry+" or "+amazonRegistry)
	f.BoolVar(&skip, "skip-validate", false, "do not try the credentials")
	f.StringVar(&name, "registry-name", "", "a name of your own for it")
	return c
}

// registryKind settles the type of a new registry.
func (a *app) registryKind(registry string, kind *string) error {
	switch *kind {
	case dockerRegistry, amazonRegistry:
	case "":
		*kind = dockerRegistry
		if amazonName.MatchString(registry) {
			*kind = amazonRegistry
			a.note("WARNING: %s looks like an Amazon registry: taken as type %s (--registry-type says otherwise)", registry, amazonRegistry)
		}
	default:
		return fmt.Errorf("registry type %s is neither %s nor %s", *kind, dockerRegistry, amazonRegistry)
	}
	return nil
}

func (a *app) registryGet() *cobra.Command {
	return a.command("get REGISTRY", "Show a registry", func(ctx context.Context, args []string) error {
		r, err := a.client.get(ctx, "/registries/"+quote(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "registry get", registryLines)
	})
}

func (a *app) registryList() *cobra.Command {
	return a.command("list", "List registries", func(ctx context.Context, _ []string) error {
		r, err := a.client.get(ctx, "/registries")
		if err != nil {
			return err
		}
		return a.show(r, "registry list", func(r *reader, payload any) string {
			return a.byKeys(r, payload, "registry,registry_name,registry_type,registry_user", columns("Registry", "Name", "Type", "User"), 0, false)
		})
	})
}

func (a *app) registryDel() *cobra.Command {
	return a.command("del REGISTRY", "Delete the credentials of a registry", func(ctx context.Context, args []string) error {
		r, err := a.client.delete(ctx, "/registries/"+quote(args[0]))
		if err != nil {
			return err
		}
		return a.show(r, "registry del", success)
	})
}

func registryLines(r *reader, payload any) string {
	var l lines
	for _, e := range r.list(payload) {
		l.add("Registry", r.at(e, "registry"))
		l.add("Name", r.at(e, "registry_name"))
		l.add("User", r.at(e, "registry_user"))
		l.add("Type", r.at(e, "registry_type"))
		l.add("Verify TLS", r.at(e, "registry_verify"))
		l.add("Created", r.at(e, "created_at"))
		l.add("Updated", r.at(e, "last_updated"))
		l.blank()
	}
	return l.String()
}
