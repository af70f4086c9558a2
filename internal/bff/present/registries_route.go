package present

import (
	"net/url"
	"strings"

	"windlass/internal/engine"
	"windlass/web/templates/view"
)

// registryRoute shapes the way to an image: what is asked where, with which
// credential and why, and what was answered if it was tried.
func registryRoute(in RegistriesIn) view.RegistryRoute {
	r := in.Route
	v := view.RegistryRoute{
		Asked: in.Image, Image: r.Image, Fault: in.Fault,
		Same: view.SameBy{API: curl(in.User, in.API, "/console/registries/explain?image="+url.QueryEscape(in.Image))},
	}
	found := ""
	for n, a := range r.Asks {
		step := registryStep(a)
		step.N = Count(n + 1)
		if a.Tried != nil {
			v.Tried = true
			if a.Tried.OK() {
				found = step.Address
			}
		} else if v.Tried {
			step.Text = "Not asked: the address before it has the image."
		}
		v.Steps = append(v.Steps, step)
	}
	v.Sum = routeSum(r, v.Tried, found != "")
	for n, m := range r.Stored {
		o := view.RegistryOrder{N: Count(n + 1), Name: m.Name, Rule: m.Rule, Result: view.Pill{Tone: "off", Text: "does not match"}}
		switch {
		case m.Used:
			o.Result = view.Pill{Tone: "ok", Text: "used"}
		case m.Matches:
			o.Result = view.Pill{Tone: "warn", Text: "passed over", Title: "It matches too, and a longer name was found before it"}
		}
		v.Order = append(v.Order, o)
	}
	return v
}

// routeSum is the answer in a sentence.
func routeSum(r engine.RegistryRoute, tried, found bool) string {
	if len(r.Asks) == 0 {
		return ""
	}
	last := r.Asks[len(r.Asks)-1].Choice
	text := r.Image + " is asked for anonymously, since no stored registry matches its name"
	if last.Found {
		text = r.Image + " is pulled with " + last.Registry.Name + " and " + asWhom(last) + ", since " + last.Why
	}
	if n := len(r.Asks) - 1; n > 0 {
		text += "; " + Plural(n, "address of a mirror is", "addresses of mirrors are") + " asked before"
	}
	switch {
	case tried && found:
		return text + ". It was found."
	case tried:
		return text + ". It was not found."
	}
	return text + "."
}

// asWhom is the user by which a registry is asked.
func asWhom(c engine.RegistryChoice) string {
	switch {
	case !c.Found || c.Registry.User == "":
		return "no user"
	case c.Registry.Type == engine.RegistryAmazon:
		return "a login that AWS gives " + c.Registry.User
	}
	return "the user " + c.Registry.User
}

func registryStep(a engine.RegistryAsk) view.RegistryStep {
	s := view.RegistryStep{Address: a.Address, Mirror: a.Mirror, With: "anonymously", Why: "no stored registry matches"}
	if c := a.Choice; c.Found {
		s.Record, s.Edit, s.Why = c.Registry.Name, RegistriesHref+"?edit="+url.QueryEscape(c.Registry.Name)+"#edit", c.Why
		s.With = "with " + asWhom(c)
		if len(c.Others) > 0 {
			s.Others = "Shorter names match too and are passed over: " + strings.Join(c.Others, ", ") + "."
		}
	}
	if a.Mirror {
		s.Notes = append(s.Notes, "A mirror of the settings (CONSOLE_REGISTRY_MIRRORS): it gets its own credential, never the registry's.")
	}
	if a.Library {
		s.Notes = append(s.Notes, "The hub has its official images below library/, so that is put before the name.")
	}
	switch {
	case a.Plain:
		s.Notes = append(s.Notes, "Asked by plain HTTP, as the mirror's address says.")
	case !a.Verify:
		s.Notes = append(s.Notes, "Any certificate is taken, and plain HTTP where TLS is not spoken.")
	}
	if t := a.Tried; t != nil {
		p := view.Pill{Tone: "ok", Text: "Found"}
		s.Took = Span(t.Took)
		if t.Digest != "" {
			s.Short, s.Digest = t.Digest.Short(), string(t.Digest)
			s.Size = Plural(t.Layers, "layer", "layers") + ", " + Bytes(t.Size) + " compressed"
		}
		if !t.OK() {
			p = view.Pill{Tone: "bad", Text: "Refused", Title: t.Cause}
			if c, _ := engine.CauseByCode(t.Cause); c.Temporary || c.Unanswered() {
				p.Text = "No answer"
			} else if t.Cause == engine.CauseManifestUnknown {
				p.Text = "Not there"
			}
			s.Text, s.Try = printable([]byte(t.Text), maxCell), registryTry[t.Cause]
		}
		s.Result = &p
	}
	return s
}
