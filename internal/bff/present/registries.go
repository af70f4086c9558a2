package present

import (
	"net/url"
	"strconv"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// RegistriesHref is the address of the list of registries.
const RegistriesHref = "/registries"

// Registries shapes the list; chosen is the name of the one that is used for
// the image that was asked about.
func Registries(list []engine.Registry, chosen string, now Clock) view.Registries {
	v := view.Registries{None: len(list) == 0, Sub: strconv.Itoa(len(list)) + " stored"}
	for _, r := range list {
		row := view.RegistryRow{
			Name: r.Name, Label: r.Label, User: r.User, Updated: now.Ago(r.UpdatedAt), Chosen: r.Name == chosen && chosen != "",
			Edit: RegistriesHref + "?edit=" + url.QueryEscape(r.Name) + "#edit", Matches: registryUse(r.Name),
			TLS: view.Pill{Tone: "ok", Text: "verified", Title: "Its certificate is checked"},
		}
		if r.User == "" {
			row.User = "anonymous"
		}
		if !r.Verify {
			row.TLS = view.Pill{Tone: "warn", Text: "not verified", Title: "Any certificate is taken, and plain HTTP"}
		}
		v.Rows = append(v.Rows, row)
	}
	return v
}

func registryUse(name string) string {
	prefix, wild := strings.CutSuffix(name, "*")
	switch {
	case wild:
		return "names that begin with " + prefix
	case strings.Contains(name, "/"):
		return "this repository"
	}
	return "every repository"
}

// RegistryChoice tells in a sentence which credential is used for an image.
func RegistryChoice(asked string, c engine.RegistryChoice) view.RegistryChoice {
	v := view.RegistryChoice{Image: asked, Tone: "info", Text: c.Image + ": " + c.Why + "."}
	if !c.Found {
		return v
	}
	who := "the user " + c.Registry.User
	if c.Registry.User == "" {
		who = "no user"
	}
	v.Text = c.Image + " is pulled with " + c.Registry.Name + " and " + who + ", since " + c.Why + "."
	if len(c.Others) > 0 {
		v.Others = "Shorter names match too and are passed over: " + strings.Join(c.Others, ", ") + "."
	}
	return v
}
