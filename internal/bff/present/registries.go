package present

import (
	"fmt"
	"hash/crc32"
	"net/url"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// RegistriesHref is the address of the list of registries.
const RegistriesHref = "/registries"

// RegistriesIn is what the page of registries is made of.
type RegistriesIn struct {
	List  []engine.Registry
	Uses  map[string]engine.RegistryUse
	Image string               // that was asked about; empty: none
	Route engine.RegistryRoute // of it
	Fault string               // why there is none
	May   func(action string) bool
	API   string
	User  string
}

// Registries shapes the page; its form is the handler's.
func Registries(in RegistriesIn, now Clock) view.Registries {
	v := view.Registries{
		None: len(in.List) == 0, Sub: Count(len(in.List)) + " stored",
		May:  view.RegistryMay{Store: in.May("createRegistry"), Remove: in.May("deleteRegistry"), Try: in.May("createImage")},
		Same: view.SameBy{API: curl(in.User, in.API, "/console/registries"), CLI: "anchore-cli registry list"},
	}
	chosen := ""
	if in.Image != "" {
		v.Route = registryRoute(in)
		for _, m := range in.Route.Stored {
			if m.Used {
				chosen = m.Name
			}
		}
	}
	for _, r := range in.List {
		v.Rows = append(v.Rows, registryRow(r, in.Uses[r.Name], r.Name == chosen, now))
	}
	return v
}

func registryRow(r engine.Registry, use engine.RegistryUse, chosen bool, now Clock) view.RegistryRow {
	q := "?registry=" + url.QueryEscape(r.Name)
	row := view.RegistryRow{
		DOMID: fmt.Sprintf("registry-%08x", crc32.ChecksumIEEE([]byte(r.Name))), Name: r.Name, Label: r.Label, User: r.User, Chosen: chosen, Matches: registryUse(r.Name),
		Edit: RegistriesHref + "?edit=" + url.QueryEscape(r.Name) + "#edit", Remove: RegistriesHref + "/remove" + q,
		Checked: now.Ago(r.Check.At), Used: now.Ago(r.UsedAt), UsedFor: r.UsedFor, Depends: registryDepends(r.Name, use),
	}
	if r.User == "" {
		row.User = "anonymous"
	}
	if r.Type == engine.RegistryAmazon {
		row.Type = "AWS"
	}
	if !r.Verify {
		row.Insecure = "TLS not verified"
	}
	if r.UsedFor != "" {
		row.UsedHref = "/images?q=" + url.QueryEscape(r.UsedFor)
	}
	switch {
	case r.User != "" && r.Password == "":
		row.Check = view.Pill{Tone: "bad", Text: "No password"}
		row.CheckText = "Its password cannot be read with this secret key: enter it again."
	case r.Check.At.IsZero():
		row.Check, row.Checked = view.Pill{Tone: "off", Text: "Not asked", Title: "Not asked since it was stored"}, view.Time{}
	case r.Check.OK():
		row.Check = view.Pill{Tone: "ok", Text: "Answers", Title: "It took the credential, in " + Span(r.Check.Took)}
		if r.User == "" {
			row.Check.Title = "It answered in " + Span(r.Check.Took)
		}
	default:
		row.Check = view.Pill{Tone: "bad", Text: "Refused", Title: r.Check.Cause}
		if c, _ := engine.CauseByCode(r.Check.Cause); c.Temporary || c.Unanswered() {
			row.Check.Text = "No answer"
		}
		row.CheckText, row.CheckTry = printable([]byte(r.Check.Text), maxCell), registryTry[r.Check.Cause]
	}
	return row
}

// registryTry is what to do about a registry that was asked in vain, by cause.
var registryTry = map[string]string{
	engine.CauseRegistryAuth:        "Enter the user and the password or token again.",
	engine.CauseRegistryUnreachable: "Check that it is up and that this machine may connect to it.",
	engine.CauseRegistryHost:        "Check its name, and this machine's name resolution.",
	engine.CauseRegistrySlow:        "Look at the network between here and there, or set a mirror.",
	engine.CauseRegistryTLS:         "Install its certificate on this machine, or switch the verification of TLS off.",
	engine.CauseRegistryUnavailable: "Look at its own log.",
	engine.CauseRegistryRateLimit:   "Wait, or store a user: most allow more to those who log in.",
	engine.CauseRegistryUnsupported: "Check its name and port: it must speak the registry API, version 2.",
	engine.CauseManifestUnknown:     "Check the image's name and tag. Some registries say this of what they do not let one see.",
}

func registryDepends(name string, use engine.RegistryUse) []view.Link {
	var list []view.Link
	if use.Tags > 0 {
		text := Plural(use.Tags, "tag", "tags")
		if use.Repositories > 1 {
			text += " of " + Plural(use.Repositories, "repository", "repositories")
		}
		list = append(list, view.Link{Text: text, Href: registryImages(name)})
	}
	if use.Subscriptions > 0 {
		host, _, _ := strings.Cut(strings.TrimSuffix(name, "*"), "/")
		list = append(list, view.Link{Text: Plural(use.Subscriptions, "subscription", "subscriptions"), Href: "/subscriptions?q=" + url.QueryEscape(host)})
	}
	return list
}

// registryImages is the list of the images that a name stands for.
func registryImages(name string) string {
	prefix, wild := strings.CutSuffix(name, "*")
	host, repository, whole := strings.Cut(prefix, "/")
	switch {
	case wild:
		return "/images?q=" + url.QueryEscape(prefix)
	case whole:
		return "/images?" + url.Values{"registry": {host}, "repository": {repository}}.Encode()
	}
	return "/images?registry=" + url.QueryEscape(host)
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

// RegistryTypes are the choices of a form.
func RegistryTypes(now string) []view.Option {
	return []view.Option{
		{Value: "", Text: "By its name", Selected: now == ""},
		{Value: engine.RegistryDocker, Text: "User and password", Selected: now == engine.RegistryDocker},
		{Value: engine.RegistryAmazon, Text: "Amazon ECR (awsecr)", Selected: now == engine.RegistryAmazon},
	}
}

// RemoveRegistry words the question that is asked before a registry goes.
func RemoveRegistry(r engine.Registry, use engine.RegistryUse) view.RemoveRegistry {
	v := view.RemoveRegistry{Title: "Remove " + r.Name, Name: r.Name, Depends: registryDepends(r.Name, use)}
	v.Text = "Nothing is pulled with it now. What is known of images stays."
	if len(v.Depends) > 0 {
		v.Text = "Without it, images are pulled with the next stored registry that matches their name, or else anonymously. Where that is refused, new versions are no longer found and images cannot be analyzed again. What is known of images stays."
	}
	return v
}
